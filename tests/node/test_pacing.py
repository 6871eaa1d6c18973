"""L1's clock is moved on in a story, and never over somebody honest who is to act."""

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.dispute_views import DisputeResult, ResultStatus
from contracts.views import ConfirmedHead
from node.disputes.reading import Seen
from node.evil.kinds import Kind
from node.evil.pacing import claim_due, dispute_due
from node.evil.patience import LAST_SECONDS
from node.l1.answers import L1Block
from node.rollup_events import Claimed, Contested
from prover.dispute.standing import Standing
from prover.dispute.terms import FAST
from prover.dispute.views import DisputeView, EntryStatus, EntryView, MatchStatus, MatchView

LIAR, HONEST = b"L" * 20, b"H" * 20
WRONG, RIGHT, MATCH = b"w" * 32, b"r" * 32, b"m" * 32
AT, TURN = 1_000, 1_010
ZERO = bytes(32)
PLACE: dict[str, Any] = {"block": 1, "log_index": 0, "transaction": ZERO}


def entry(owner: bytes, status: EntryStatus = EntryStatus.IN_MATCH) -> EntryView:
    return EntryView(
        dispute=ZERO, claim=ZERO, trace_root=ZERO, match=MATCH, owner=owner, status=status
    )


def match(mover: int, *, height: int = 3, status: MatchStatus = MatchStatus.OPEN) -> MatchView:
    """The liar is one, the honest side two."""
    return MatchView(
        **dict.fromkeys(("other", "left", "right"), ZERO),
        one=WRONG,
        two=RIGHT,
        height=height,
        index=0,
        mover=mover,
        clock_one=FAST.dispute.clock,
        clock_two=FAST.dispute.clock,
        turn_at=TURN,
        status=status,
        earned_one=0,
        earned_two=0,
    )


def seen(paired: MatchView | None, **entries: EntryView) -> Seen:
    view = DisputeView(
        parent_root=ZERO, waiting=ZERO, batch=3, ends_at=0, entries=2, alive=2, paid=False
    )
    standing = Standing(
        terms=FAST.dispute,
        parent=ZERO,
        contested_at=AT,
        dispute_id=ZERO,
        dispute=view,
        entries={WRONG: entry(LIAR), RIGHT: entry(HONEST)} | _named(entries),
        matches={} if paired is None else {MATCH: paired},
        entered={},
        published={},
        earned={},
        me=HONEST,
    )
    return Seen(
        contest=Contested(batch=3, parent=ZERO, time=AT, **PLACE),
        standing=standing,
        result=DisputeResult(ResultStatus.OPEN, ZERO, ZERO),
        events=(),
        block=L1Block(number=1, hash=ZERO, parent_hash=ZERO, timestamp=AT, base_fee=7),
    )


def _named(entries: dict[str, EntryView]) -> dict[bytes, EntryView]:
    names = {"wrong": WRONG, "right": RIGHT}
    return {names[name]: view for name, view in entries.items()}


END = TURN + FAST.dispute.clock
WINDOW = AT + FAST.dispute.entry_window


@pytest.mark.parametrize(
    ("kind", "has_moved", "paired", "due"),
    [
        (Kind.STALL, False, match(1), END - LAST_SECONDS + 1),
        (Kind.STALL, True, match(1), END + 1),
        (Kind.STALL, True, match(2), None),
        (Kind.STALL, True, match(1, height=0), None),
        (Kind.ROOT, True, match(1), None),
        (Kind.ROOT, True, match(2), None),
        (Kind.ROOT, True, match(2, status=MatchStatus.TWO_WON), WINDOW + 1),
        (Kind.ROOT, False, None, WINDOW + 1),
    ],
)
def test_time_is_moved_on_to_the_end_of_a_window_or_of_a_stallers_turn(
    kind: Kind, has_moved: bool, paired: MatchView | None, due: int | None
) -> None:
    assert dispute_due(seen(paired), LIAR, kind, has_moved=has_moved) == due


@pytest.mark.parametrize("status", [EntryStatus.LOST, EntryStatus.UNKNOWN])
def test_nothing_is_hurried_while_nobody_honest_has_entered(status: EntryStatus) -> None:
    alone = seen(None, right=entry(HONEST, status))
    assert dispute_due(alone, LIAR, Kind.ROOT, has_moved=False) is None


def test_claims_are_waited_for_until_the_last_of_the_next_batch_has_stood_its_window() -> None:
    claim = Claimed(batch=4, claim=ZERO, parent=ZERO, claimant=HONEST, output=b"", time=AT, **PLACE)
    claims = [claim, replace(claim, time=AT + 5), replace(claim, batch=5, time=AT + 50)]
    assert claim_due(claims, ConfirmedHead(3, ZERO), 8) == AT + 13
    assert claim_due(claims, ConfirmedHead(5, ZERO), 8) is None
