"""L1's clock in a story: moved on where nothing but time must pass, and never at an honest turn."""

from collections.abc import Sequence

from contracts.views import ConfirmedHead
from node.disputes.reading import Seen
from node.evil.kinds import Kind
from node.evil.patience import LAST_SECONDS
from node.rollup_events import Claimed
from prover.dispute.views import EntryStatus, MatchStatus, MatchView


def dispute_due(seen: Seen, liar: bytes, kind: Kind, *, has_moved: bool) -> int | None:
    """The second to move on to while a dispute runs: the end of its window, or of the turn of one
    who stalls (its last seconds while it has not moved).

    None while anybody else is to enter, to move or to prove: a jump that comes late would rob
    them.
    """
    standing = seen.standing
    alive = (EntryStatus.WAITING, EntryStatus.IN_MATCH, EntryStatus.REDEEMED)
    entries = standing.entries.values()
    if not any(entry.owner != liar and entry.status in alive for entry in entries):
        return None
    for match in standing.matches.values():
        if match.status != MatchStatus.OPEN:
            continue
        is_liars = match.height > 0 and standing.entries[_mover(match)].owner == liar
        if kind != Kind.STALL or not is_liars:
            return None
        end = standing.turn_ends_at(match)
        return end + 1 if has_moved else end - LAST_SECONDS + 1
    return standing.ends_at + 1


def claim_due(claims: Sequence[Claimed], head: ConfirmedHead, window: int) -> int | None:
    """When all claims on the batch after the confirmed one have stood for `window` seconds."""
    times = [claim.time for claim in claims if claim.batch == head.batch + 1]
    return max(times) + window if times else None


def _mover(match: MatchView) -> bytes:
    return match.one if match.mover == 1 else match.two
