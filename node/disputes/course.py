"""The transactions that a dispute consists of, as far as L1's logs tell which ones these are.

From its contest on until its parent is contested anew a dispute has all claims on the parent, the
contest itself, entries, moves, proofs, the confirmation of a claim on the parent, and the rejection
of every claim that falls with one on it. The first dispute over a void batch has the proof of that
as well, whenever it was given.

The first claim on a parent comes before its contest: it is made without a dispute too.
"""

from collections.abc import Iterator, Set
from itertools import takewhile
from typing import TypeVar

from msgspec import Struct

from contracts.dispute_events import AdvancedLog, DisputeLog, EndedLog, EnteredLog
from node.disputes.reading import Seen
from node.followed import Followed
from node.rollup_events import Claimed, Contested, Logged

E = TypeVar("E", bound=Logged)


class DisputeCall(Struct, frozen=True, kw_only=True):
    """A transaction of a dispute. `player` is who its logs say made it, None where they do not say.
    `is_settling` is of what the rollup was called for, which is all about claims.
    """

    transaction: bytes
    player: bytes | None
    is_settling: bool


def course(seen: Seen, followed: Followed) -> list[DisputeCall]:
    """Every transaction of a dispute once, those about claims first."""
    found: dict[bytes, DisputeCall] = {}
    for event in _settling(seen.contest, followed):
        _keep(found, event.transaction, _claimant(event), is_settling=True)
    for played in seen.events:
        _keep(found, played.transaction, player_of(played.log), is_settling=False)
    return list(found.values())


def _keep(
    found: dict[bytes, DisputeCall], transaction: bytes, player: bytes | None, *, is_settling: bool
) -> None:
    """The first log that names a player tells whose transaction it is."""
    if transaction not in found or found[transaction].player is None:
        found[transaction] = DisputeCall(
            transaction=transaction, player=player, is_settling=is_settling
        )


def player_of(log: DisputeLog) -> bytes | None:
    """Whose move that was; None for what only follows from one."""
    match log:
        case EnteredLog(owner=owner):
            return owner
        case AdvancedLog(mover=mover):
            return mover
        case EndedLog(caller=caller):
            return caller
    return None


def _claimant(event: Logged) -> bytes | None:
    return event.claimant if isinstance(event, Claimed) else None


def _settling(contest: Contested, followed: Followed) -> Iterator[Logged]:
    """What the rollup logged of a dispute."""
    contested = {one.parent for one in followed.contests}
    end = _contested_anew(contest, followed)
    over_batch = [one for one in followed.contests if one.batch == contest.batch]
    void = followed.voided.get(contest.batch)
    if void is not None and over_batch[:1] == [contest]:
        yield void
    yield contest
    for claimed in _since(contest, end, followed.claims):
        if claimed.parent == contest.parent:
            yield claimed
    for confirmed in _since(contest, end, followed.confirmations):
        made = followed.claims.get(confirmed.claim)
        if made is not None and made.parent == contest.parent:
            yield confirmed
    under: dict[bytes, bytes] = {}
    for rejected in _since(contest, end, followed.rejections):
        if _contested_under(rejected.claim, followed, contested, under) == contest.parent:
            yield rejected


def _contested_anew(contest: Contested, followed: Followed) -> Contested | None:
    """The next contest of the same parent."""
    later = (
        one
        for one in followed.contests
        if one.parent == contest.parent and _place(one) > _place(contest)
    )
    return next(later, None)


def _since(contest: Contested, end: Contested | None, events: dict[bytes, E]) -> Iterator[E]:
    """What came with a contest or after it, and before `end`. Events are kept in L1's order."""
    for one in takewhile(lambda one: one.block >= contest.block, reversed(events.values())):
        has_begun = one.transaction == contest.transaction or _place(one) > _place(contest)
        if has_begun and (end is None or _place(one) < _place(end)):
            yield one


def _contested_under(
    claim: bytes, followed: Followed, contested: Set[bytes], under: dict[bytes, bytes]
) -> bytes:
    """The nearest contested claim that `claim` descends from, empty where there is none; `under`
    remembers it of all claims on the way.
    """
    passed = []
    while claim not in under:
        passed.append(claim)
        made = followed.claims.get(claim)
        if made is None or made.parent in contested:
            under[claim] = made.parent if made is not None else b""
            break
        claim = made.parent
    under.update((one, under[claim]) for one in passed)
    return under[claim]


def _place(event: Logged) -> tuple[int, int]:
    return event.block, event.log_index
