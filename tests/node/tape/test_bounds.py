"""What the tape remembers for itself is bounded too, and pages begin where they are asked to."""

import pytest
from builders import Venue
from tape_world import Told

from node.tape import orders
from node.tape.records import Limits
from node.tape.tape import Tape
from node.view import Executed
from state.execution import Receipt
from state.status import Status
from state.store import Fill
from state.transactions import SignedPrice

SEED = 5


def test_one_busy_account_leaves_nothing_behind_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its orders make room for one another, so those of the venue never have to."""
    monkeypatch.setattr(orders, "SLACK", 5)
    told = Told(SEED, 400, Limits(account_orders=2))
    kept = told.tape.tables.rows["orders"]
    assert told.tape.tables.rows["counts"][0].orders > 4 * len(kept) + 5, f"seed {SEED}"
    assert len(told.tape._orders._all) <= 2 * len(kept) + 5
    assert set(kept) <= set(told.tape._orders._all)


def fill(at: int) -> Fill:
    """Alice buys from Bob in market 0, or every third time from Carol in market 1."""
    other, market = ((2 << 8, 0), (3 << 8, 1))[at % 3 == 0]
    return Fill(
        market=market,
        taker_side=0,
        ticks=500_000,
        price=50_000_000,
        lots=at,
        taker=1 << 8,
        maker=other,
        taker_fee=0,
        maker_fee=0,
        taker_order=(0, at),
        maker_order=(0, at),
    )


@pytest.mark.parametrize("limit", [7, 100])
def test_a_page_has_what_came_before_whatever_there_is(limit: int) -> None:
    tape, time = Tape(Limits(trades=limit)), Venue().state.machine.time
    for at in range(1, 21):
        receipt = Receipt(Status.OK, (fill(at),), 1)
        tape.take(Executed(batch=1, time=time, receipt=receipt, tx=SignedPrice(0, 1, time)))
    known = range(max(1, 21 - limit), 21)
    for before in [None, 0, 1, 5, 6, 7, 14, 15, 20, 21, 99]:
        earlier = [n for n in reversed(known) if before is None or n < before]
        of_bob = [n for n in earlier if n % 3]
        assert [t.number for t in tape.fills_of(1 << 8, None, before, 4)] == earlier[:4]
        assert [t.number for t in tape.fills_of(1 << 8, 0, before, 4)] == of_bob[:4]
        assert [t.number for t in tape.fills_of(2 << 8, None, before, 99)] == of_bob
        assert [t.number for t in tape.trades(0, before, 4)] == of_bob[:4]
        assert tape.trades(7, before, 4) == []
