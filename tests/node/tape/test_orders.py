"""What became of an order: every way in which one can end, told with its reason."""

from collections.abc import Callable

import pytest
from builders import FAR, NOW, Venue

from node.tape.records import PlacedOrder
from node.tape.tape import Tape
from node.view import Executed
from sequencer.draft import is_included
from state.book_changes import BookChange
from state.execution import Receipt
from state.orders import Life, SelfTrade
from state.transactions import Header, Transaction, encode_transaction

AT = 500_000
LOTS = 10_000


class Floor(Venue):
    """A venue that is taped; traders have 10,000 dollars."""

    def __post_init__(self) -> None:
        self.tape = Tape()
        self.on_run = self.hear
        super().__post_init__()
        for name in ("alice", "bob", "carol"):
            self.open(name, 10_000)

    def hear(self, tx: Transaction, receipt: Receipt, book: tuple[BookChange, ...]) -> None:
        if is_included(encode_transaction(tx)[0], receipt.status) and not isinstance(tx, Header):
            machine = self.state.machine
            self.tape.take(Executed(batch=1, time=machine.time, receipt=receipt, tx=tx, book=book))

    def last(self, name: str, back: int = 0) -> PlacedOrder:
        """The last order of a trader, or one before it."""
        return self.tape.orders_of(self.numbers[name] << 8, count=99)[back]


def rests(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT)


def rests_partly_filled(floor: Floor) -> None:
    floor.sell("bob", 4_000, AT)
    floor.buy("alice", LOTS, AT)


def filled_by_others(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT)
    floor.buy("bob", 3_000, AT)
    floor.buy("bob", LOTS, AT)


def filled_at_once(floor: Floor) -> None:
    floor.sell("bob", 2 * LOTS, AT)
    floor.buy("alice", LOTS, AT)


def dropped(floor: Floor) -> None:
    floor.sell("bob", 4_000, AT)
    floor.buy("alice", LOTS, AT, life=Life.IOC)


def killed(floor: Floor) -> None:
    floor.sell("bob", 4_000, AT)
    floor.buy("alice", LOTS, AT, life=Life.FOK)


def would_have_traded(floor: Floor) -> None:
    floor.sell("bob", 4_000, AT)
    floor.buy("alice", LOTS, AT, life=Life.POST_ONLY)


def cancelled(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT)
    floor.cancel("alice", floor.last("alice").sequence)


def cancelled_partly_filled(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT)
    floor.buy("bob", 1_000, AT)
    floor.cancel("alice", floor.last("alice").sequence)


def cancelled_with_all(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT)
    floor.cancel_all("alice")


def expired(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT, expiry=NOW + 5)
    floor.run(Header(NOW + 10))
    floor.buy("bob", LOTS, AT)


def met_itself(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT)
    floor.buy("alice", 5_000, AT - 100)
    floor.buy("alice", 5_000, AT, self_trade=SelfTrade.CANCEL_RESTING, life=Life.IOC)


def had_nothing_to_reduce(floor: Floor) -> None:
    floor.sell("bob", LOTS, AT)
    floor.buy("alice", LOTS, AT)
    floor.sell("alice", LOTS, AT + 100, reduce_only=True)
    floor.buy("bob", LOTS, AT - 100)
    floor.sell("alice", LOTS, AT - 100)
    floor.buy("carol", LOTS, AT + 100)


def too_dear(floor: Floor) -> None:
    floor.sell("alice", 10**9, AT)


def amended_in_place(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT)
    floor.buy("bob", 1_000, AT)
    floor.amend("alice", floor.last("alice").sequence, AT, 2_000)


def amended_into_a_trade(floor: Floor) -> None:
    floor.buy("bob", 3_000, AT - 100)
    floor.sell("alice", LOTS, AT)
    floor.amend("alice", floor.last("alice").sequence, AT - 100, 3_000)


def amended_in_vain(floor: Floor) -> None:
    floor.sell("alice", LOTS, AT)
    floor.amend("alice", floor.last("alice").sequence, AT, 0)


Ending = tuple[str, str, int, int, int, int]

ENDINGS: list[tuple[Callable[[Floor], None], int, Ending]] = [
    # Which of alice's last orders, and: status, reason, lots, open, filled, amended.
    (rests, 0, ("resting", "", LOTS, LOTS, 0, 0)),
    (rests_partly_filled, 0, ("resting", "", LOTS, 6_000, 4_000, 0)),
    (filled_by_others, 0, ("filled", "", LOTS, 0, LOTS, 0)),
    (filled_at_once, 0, ("filled", "", LOTS, 0, LOTS, 0)),
    (dropped, 0, ("dropped", "remainder_dropped", LOTS, 0, 4_000, 0)),
    (killed, 0, ("dropped", "killed", LOTS, 0, 0, 0)),
    (would_have_traded, 0, ("dropped", "would_trade", LOTS, 0, 0, 0)),
    (cancelled, 0, ("cancelled", "cancel", LOTS, 0, 0, 0)),
    (cancelled_partly_filled, 0, ("cancelled", "cancel", LOTS, 0, 1_000, 0)),
    (cancelled_with_all, 0, ("cancelled", "cancel_all", LOTS, 0, 0, 0)),
    (expired, 0, ("removed", "expired", LOTS, 0, 0, 0)),
    (met_itself, 2, ("removed", "self_trade", LOTS, 0, 0, 0)),
    (met_itself, 0, ("dropped", "remainder_dropped", 5_000, 0, 0, 0)),
    (had_nothing_to_reduce, 1, ("removed", "nothing_to_reduce", LOTS, 0, 0, 0)),
    (too_dear, 0, ("refused", "margin_too_low", 10**9, 0, 0, 0)),
    (amended_in_place, 0, ("resting", "", 3_000, 2_000, 1_000, 1)),
    (amended_into_a_trade, 0, ("filled", "", 3_000, 0, 3_000, 1)),
    (amended_in_vain, 0, ("resting", "", LOTS, LOTS, 0, 0)),
]


@pytest.mark.parametrize(
    ("happens", "back", "ending"), ENDINGS, ids=[f"{e[0].__name__}-{e[1]}" for e in ENDINGS]
)
def test_an_order_ends_as_it_ended(
    happens: Callable[[Floor], None], back: int, ending: Ending
) -> None:
    floor = Floor()
    happens(floor)
    order = floor.last("alice", back)
    found = (order.status, order.reason, order.lots, order.open, order.filled, order.amended)
    assert found == ending


def test_a_maker_without_margin_is_removed_for_that() -> None:
    floor = Floor()
    floor.sell("alice", 3_000_000, AT)
    assert floor.last("alice").status == "resting"
    floor.price(70_000_000)
    floor.buy("carol", LOTS, 700_000)
    floor.sell("alice", 1_000, 690_000)
    order = next(o for o in floor.tape.orders_of(1 << 8, count=9) if o.lots == 3_000_000)
    assert (order.status, order.reason) == ("removed", "margin_too_low")


def test_what_its_fills_came_to() -> None:
    floor = Floor()
    floor.sell("bob", 3_000, AT)
    floor.sell("carol", 1_000, AT + 10)
    receipt = floor.buy("alice", 4_000, AT + 10)
    order = floor.last("alice")
    assert order.value == sum(fill.lots * fill.price for fill in receipt.fills)
    assert order.fees == sum(fill.taker_fee for fill in receipt.fills)
    assert floor.last("carol").fees == receipt.fills[1].maker_fee
    assert (order.batch, order.time, order.expiry) == (1, floor.state.machine.time, FAR)
    assert floor.tape.order(order.name) is order
    assert floor.tape.order((1 << 8, 0, 10**6)) is None
