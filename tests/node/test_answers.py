"""The window of answers: what is in it, what falls out, and what is known of its orders."""

from collections.abc import Callable

import pytest
from builders import FAR, Venue, key, sign_transaction
from msgspec.structs import replace

from node.sequencing.answers import Answers, market_of, sequenced
from node.view import SequencedReceipt
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.status import Status
from state.transactions import Amend, Cancel, CancelAll, NewOrder, Transaction

ALICE, BOB = 1 << 8, 2 << 8
AT = 500_000


class World:
    """Alice and Bob on a venue whose answers are remembered."""

    def __init__(self, **limits: int) -> None:
        self.venue = Venue()
        self.venue.open("alice", 10_000)
        self.venue.open("bob", 10_000)
        self.answers = Answers(**limits)
        self.sent: list[tuple[Transaction, bytes]] = []

    def run(self, tx: Transaction, name: str, client_order_id: str = "") -> SequencedReceipt:
        state, signature = self.venue.state, sign_transaction(tx, key(name))
        market, receipt = market_of(state, tx), self.venue.run(tx, signature)
        found = sequenced(
            state, tx, receipt, batch=1, client_order_id=client_order_id, market=market
        )
        self.answers.remember(tx, signature, found)
        self.sent.append((tx, signature))
        return found

    def buy(self, sequence: int, lots: int = 10, ticks: int = AT, **flags: object) -> NewOrder:
        return self._order("alice", BUY, sequence, lots, ticks, **flags)

    def sell(self, sequence: int, lots: int = 10, ticks: int = AT, **flags: object) -> NewOrder:
        return self._order("bob", SELL, sequence, lots, ticks, **flags)

    def _order(
        self, name: str, side: int, sequence: int, lots: int, ticks: int, **flags: object
    ) -> NewOrder:
        number = ALICE if name == "alice" else BOB
        byte = encode_flags(Flags(side, **flags))  # type: ignore[arg-type]
        tx = NewOrder(number, 0, sequence, 0, byte, ticks, lots, FAR)
        self.run(tx, name, f"{name} {sequence}")
        return tx

    def progress(self, tx: NewOrder) -> tuple[int, int] | None:
        found = self.answers.progress((tx.account, tx.epoch, tx.sequence))
        return None if found is None else (found.filled, found.open)


def test_the_oldest_answer_falls_out_of_a_full_window() -> None:
    world = World(window=3)
    orders = [world.buy(at, ticks=AT - at) for at in (1, 2, 3, 4)]
    assert len(world.answers) == 3
    for at, (tx, signature) in enumerate(world.sent):
        assert (world.answers.find(tx, signature) is None) is (at == 0)
    assert world.answers.by_name((ALICE, 0, 1)) is None
    assert world.answers.by_client_order_id(ALICE, "alice 1") is None
    assert world.progress(orders[0]) is None and world.progress(orders[1]) == (0, 10)
    # What is out of the window is free: its id may name another order.
    assert world.answers.find(*world.sent[1], "alice 1") is not None


def test_many_fills_shorten_the_window() -> None:
    world = World(fills_max=4)
    for at in range(1, 7):
        world.sell(at, lots=1)
    world.buy(1, lots=3)
    assert len(world.answers) == 7
    world.buy(2, lots=2)
    assert len(world.answers) == 1, "all older than the last fills had to go"
    assert world.answers.by_name((ALICE, 0, 2)) is not None


@pytest.mark.parametrize(
    ("then", "filled", "is_open"),
    [
        (lambda _: None, 0, 10),
        (lambda world: world.sell(1, lots=4), 4, 6),
        (lambda world: (world.sell(1, lots=4), world.sell(2, lots=6)), 10, 0),
        (lambda world: world.run(Cancel(ALICE, 0, 2, 0, 1, FAR), "alice"), 0, 10),
        (lambda world: world.run(CancelAll(ALICE, 0, 2, 1, 0, FAR), "alice"), 0, 10),
        (lambda world: world.run(Amend(ALICE, 0, 2, 0, 1, AT, 7, FAR), "alice"), 0, 7),
        (lambda world: world.run(Amend(ALICE, 0, 2, 0, 1, AT - 1, 20, FAR), "alice"), 0, 20),
        (lambda world: world.run(Amend(ALICE, 0, 2, 0, 1, AT, 0, FAR), "alice"), 0, 10),
    ],
)
def test_an_order_of_the_window_is_followed(
    then: Callable[[World], object], filled: int, is_open: int
) -> None:
    """`open` is what its own transactions and fills left; whether it rests, the book says."""
    world = World()
    order = world.buy(1)
    then(world)
    assert world.progress(order) == (filled, is_open)
    reference = world.venue.state.account(ALICE).order(0, 1)
    if reference is not None:
        resting = world.venue.state.order(0, BUY, reference.key)
        assert resting is not None and resting.lots == is_open


def test_an_amend_that_crosses_fills_under_the_name_of_its_order() -> None:
    world = World()
    order = world.buy(1, ticks=AT - 1)
    world.sell(1, lots=4)
    told = world.run(Amend(ALICE, 0, 2, 0, 1, AT, 9, FAR), "alice")
    assert (told.status, told.resting_lots, told.market) == (Status.OK, 5, 0)
    assert world.progress(order) == (4, 5)


def test_undoing_takes_back_what_was_filled() -> None:
    world = World()
    order = world.buy(1)
    world.sell(1, lots=4)
    fill, undone = world.progress(order), world.sent[-1]
    world.answers.undo([undone])
    assert (fill, world.progress(order)) == ((4, 6), (0, 10))
    assert world.answers.find(*undone) is None
    assert world.answers.client_order_id(undone[0]) == "bob 1"
    world.answers.settled()
    assert world.answers.client_order_id(undone[0]) == ""


def test_a_snapshot_brings_everything_back() -> None:
    world = World()
    order = world.buy(1)
    world.sell(1, lots=4)
    world.buy(2, ticks=AT - 5, life=Life.IOC)
    world.answers.undo([world.sent[-1]])
    restored = Answers()
    kept = world.answers.of_batches(1, 1)[1]
    restored.load(kept, world.answers.undone)
    assert [restored.find(*sent) for sent in world.sent] == [
        world.answers.find(*sent) for sent in world.sent
    ]
    assert restored.client_order_id(world.sent[-1][0]) == "alice 2"
    name = (order.account, order.epoch, order.sequence)
    assert restored.progress(name) == world.answers.progress(name)
    assert all(map(restored.is_journaled, kept)) and restored.oldest == 1


def test_what_is_not_synced_is_not_called_journaled() -> None:
    world = World()
    world.buy(1)
    answer = world.answers.by_name((ALICE, 0, 1))
    assert answer is not None and not world.answers.is_journaled(answer)
    world.answers.synced()
    assert world.answers.is_journaled(answer)


def test_a_transaction_that_fits_no_row_was_never_answered() -> None:
    world = World()
    order = world.buy(1)
    wide = replace(order, lots=2**48)
    assert world.answers.find(wide, bytes(64)) is None and world.answers.repeated(wide) is None
