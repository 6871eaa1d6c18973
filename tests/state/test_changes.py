"""The layer of a step: reads see its own writes, and RESTORE follows no write."""

from collections.abc import Callable

import pytest
from builders import Venue
from msgspec.structs import replace

from state.accounts import ABSENT
from state.markets import Side
from state.orders import BUY, SELL
from state.store import Changes
from state.withdrawals import Withdrawal

MARK = 500_000


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    venue.open("alice", 10_000)
    venue.buy("alice", 5, MARK)
    return venue


def test_a_step_reads_the_order_that_it_wrote_or_removed(venue: Venue) -> None:
    front = venue.state.front(0, BUY)
    assert front is not None
    key, order = front
    changes = Changes(venue.state)
    assert changes.order(0, BUY, key) == order
    smaller = replace(order, lots=2)
    changes.write_order(0, BUY, key, smaller)
    assert changes.order(0, BUY, key) == smaller
    changes.write_order(0, BUY, key, None)
    assert changes.order(0, BUY, key) is None
    assert venue.state.order(0, BUY, key) == order, "a layer writes nothing below it"
    assert changes.order(0, SELL, key) is None


def test_a_book_that_a_step_wrote_has_no_front_any_more(venue: Venue) -> None:
    changes = Changes(venue.state)
    changes.write_order(0, BUY, 1, None)
    assert changes.front(0, SELL) is None
    assert changes.front(1, BUY) is None
    with pytest.raises(AssertionError):
        changes.front(0, BUY)


def test_save_keep_and_restore_say_what_becomes_of_the_log(venue: Venue) -> None:
    assert Changes(venue.state).rewind is None
    changes = Changes(venue.state)
    changes.save()
    saved = changes.machine.saved
    assert saved == changes.machine.sums and changes.rewind == "save"
    assert saved is not changes.machine.sums, "what is saved does not move with the sums"
    kept = Changes(venue.state)
    kept.machine.saved = saved
    kept.keep()
    assert kept.rewind == "keep" and kept.machine.saved is None
    restored = Changes(venue.state)
    restored.machine.saved = saved
    restored.machine.sums.fees += 1
    restored.restore()
    assert restored.rewind == "restore" and restored.machine.saved is None
    assert restored.machine.sums == venue.state.machine.sums


WRITES: dict[str, Callable[[Venue, Changes], None]] = {
    "an account": lambda v, c: c.write_account(1 << 8, v.state.account(1 << 8)),
    "a market": lambda v, c: c.write_market(v.state.markets[0]),
    "a row": lambda v, c: c.write_row(replace(v.state.rows[0], long=Side(1, 1))),
    "an order": lambda _, c: c.write_order(0, BUY, 1, None),
}


@pytest.mark.parametrize("what", WRITES)
def test_nothing_is_restored_over_a_write_of_the_same_step(venue: Venue, what: str) -> None:
    changes = Changes(venue.state)
    changes.machine.saved = changes.machine.copied().sums
    WRITES[what](venue, changes)
    with pytest.raises(AssertionError):
        changes.restore()


def test_nothing_is_restored_that_was_not_saved(venue: Venue) -> None:
    with pytest.raises(AssertionError):
        Changes(venue.state).restore()


def test_an_account_is_never_closed(venue: Venue) -> None:
    with pytest.raises(AssertionError, match=r"^an account is never closed$"):
        Changes(venue.state).write_account(1 << 8, ABSENT)


def test_withdrawals_are_counted_one_by_one_and_none_is_skipped(venue: Venue) -> None:
    changes = Changes(venue.state)
    for index in range(3):
        changes.append_withdrawal(Withdrawal(index, 1 << 8, b"\1" * 20, 5))
    assert changes.machine.withdrawals == len(changes.withdrawals) == 3
    with pytest.raises(AssertionError):
        changes.append_withdrawal(Withdrawal(4, 1 << 8, b"\1" * 20, 5))
