"""A dispute in words and figures: who moves, which steps are left, until when, and at what cost."""

from collections.abc import Mapping

from msgspec import Struct

from contracts.dispute_events import EndedLog
from contracts.dispute_views import ResultStatus
from node.disputes.costs import Cost
from node.disputes.reading import Seen
from node.followed import Followed
from prover.dispute.views import EntryStatus, MatchStatus, MatchView
from state.crypto import ZERO_HASH

ENTRY_WORDS = {
    EntryStatus.WAITING: "waits",
    EntryStatus.IN_MATCH: "plays",
    EntryStatus.LOST: "lost",
    EntryStatus.REDEEMED: "won, bond back",
}
MATCH_WORDS = {
    MatchStatus.OPEN: "open",
    MatchStatus.ONE_WON: "one won",
    MatchStatus.TWO_WON: "two won",
    MatchStatus.BOTH_LOST: "both lost",
}
ETHER, GWEI = 10**18, 10**9
HOW_WORDS = {1: "by a step", 2: "by time", 3: "refuted"}


class EntryFacts(Struct, frozen=True, kw_only=True, rename="camel"):
    """A trace that somebody stands up for. `is_right` is None where this is not known here."""

    entry: str
    claim: str
    trace_root: str
    owner: str
    status: str
    claim_is_right: bool


class MatchFacts(Struct, frozen=True, kw_only=True, rename="camel"):
    """Two entries against each other. The step on which they part is one of `first_step` to
    `last_step`, counted from 1. `mover` is the entry whose turn it is, empty once they have come
    down to one step (then anybody may prove it) or the match is over.
    """

    match: str
    one: str
    two: str
    status: str
    how: str
    mover: str
    first_step: int
    last_step: int
    seconds_left: int | None


class DisputeFacts(Struct, frozen=True, kw_only=True, rename="camel"):
    """The dispute over the claims of `batch` on `parent`. `stage` is entries, matches, won, nobody
    won or settled; `seconds_left` is to the end of the entries or of the next turn that ends.
    """

    batch: int
    parent: str
    parent_is_right: bool
    dispute: str
    contested_at: int
    ends_at: int
    stage: str
    winner: str
    winner_is_right: bool
    seconds_left: int | None
    entries: list[EntryFacts]
    matches: list[MatchFacts]
    costs: dict[str, Cost]


def dispute_facts(
    seen: Seen, followed: Followed, now: int, costs: Mapping[bytes, Cost]
) -> DisputeFacts:
    """All of a dispute for programs and for people, judged by what was executed here."""
    standing, number = seen.standing, seen.contest.batch
    is_executed = number <= followed.number
    right = followed.claim_on(number) if is_executed else b""
    matches = _matches(seen, now)
    waits = [one.seconds_left for one in matches if one.seconds_left is not None]
    if now <= standing.ends_at:
        waits.append(standing.ends_at - now)
    winner = seen.result.claim if seen.result.status == ResultStatus.WON else ZERO_HASH
    return DisputeFacts(
        batch=number,
        parent=shown(standing.parent),
        parent_is_right=is_executed and standing.parent == followed.claim_on(number - 1),
        dispute=shown(standing.dispute_id),
        contested_at=standing.contested_at,
        ends_at=standing.ends_at,
        stage=stage(seen, now),
        winner=shown(winner) if winner != ZERO_HASH else "",
        winner_is_right=winner == right,
        seconds_left=min(waits) if waits else None,
        entries=[
            EntryFacts(
                entry=shown(name),
                claim=shown(view.claim),
                trace_root=shown(view.trace_root),
                owner=shown(view.owner),
                status=ENTRY_WORDS[view.status],
                claim_is_right=view.claim == right,
            )
            for name, view in standing.entries.items()
        ],
        matches=matches,
        costs={shown(who): cost for who, cost in costs.items()},
    )


def stage(seen: Seen, now: int) -> str:
    """How far a dispute has come, in a word or two."""
    if seen.standing.confirmed != ZERO_HASH:
        return "settled"
    match seen.result.status:
        case ResultStatus.WON:
            return "won"
        case ResultStatus.NOBODY_WON:
            return "nobody won"
    return "entries" if now <= seen.standing.ends_at else "matches"


def _matches(seen: Seen, now: int) -> list[MatchFacts]:
    ended = {
        event.log.match: HOW_WORDS[event.log.how]
        for event in seen.events
        if isinstance(event.log, EndedLog)
    }
    found = []
    for name, view in seen.standing.matches.items():
        first, last = steps_left(view)
        is_open = view.status == MatchStatus.OPEN
        mover = (view.one if view.mover == 1 else view.two) if is_open and view.height else b""
        found.append(
            MatchFacts(
                match=shown(name),
                one=shown(view.one),
                two=shown(view.two),
                status=MATCH_WORDS[view.status],
                how=ended.get(name, ""),
                mover=shown(mover) if mover else "",
                first_step=first,
                last_step=last,
                seconds_left=max(seen.standing.turn_ends_at(view) - now, 0) if is_open else None,
            )
        )
    return found


def steps_left(view: MatchView) -> tuple[int, int]:
    """The first and the last step, counted from 1, among which the sides first part."""
    return (view.index << view.height) + 1, (view.index + 1) << view.height


def shown(data: bytes) -> str:
    """0x-hex."""
    return "0x" + data.hex()


def ether(wei: int) -> str:
    """An amount for people, down to a gwei: 0.100000000 ether. What is less than that is in wei."""
    if 0 < abs(wei) < GWEI:
        return f"{wei:,} wei"
    sign, amount = "-" if wei < 0 else "", abs(wei)
    return f"{sign}{amount // ETHER}.{amount % ETHER // GWEI:09} ether"
