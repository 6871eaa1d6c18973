"""Matching against a book by another hand, the package `pyorderbook`: the same fills in order.

It knows limit orders that rest, and cancels. IOC is that and a cancel of the rest; FOK and
post-only ask its book first. Nobody here is short of margin, nothing expires, and buyers and
sellers are different people, so no order meets its own account: there the semantics meet.

TALLYSTICK_OPERATIONS is the number of operations in all, TALLYSTICK_SEED one stream.
"""

import os
from collections import Counter
from itertools import count
from random import Random

import pytest
from builders import DOMAIN, FAR, Venue, key
from pyorderbook import Book, Order, Side

from state.authentication import Verifier
from state.execution import Receipt, run_transaction
from state.limits import ACCOUNT_ORDERS_MAX
from state.orders import BUY, SELL, Flags, Life, encode_flags, key_ticks
from state.status import Status
from state.transactions import Cancel, NewOrder, Transaction

OPERATIONS = int(os.environ.get("TALLYSTICK_OPERATIONS", "6000"))
STREAMS = max(3, OPERATIONS // 10_000)
SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else range(STREAMS)
SIGNER = Verifier(DOMAIN, lambda _, signature: signature[:20])
"""A signature is its signer's address: recovery has tests of its own."""

NAMES = {
    BUY: [f"buyer {number}" for number in range(12)],
    SELL: [f"seller {number}" for number in range(12)],
}
SIDES = {BUY: Side.BID, SELL: Side.ASK}
MARK_TICKS, BAND_TICKS = 500_000, 50_000
DOLLARS = 10**9
BATCH_OPERATIONS = 200
SYMBOL = "BTC"
LIVES = (*[Life.GTC] * 12, *[Life.IOC] * 3, *[Life.FOK] * 3, *[Life.POST_ONLY] * 4)

Name = tuple[int, int]
"""Account and sequence number of an order."""

Match = tuple[Name, int, int]
"""The maker's order, the price in ticks, the lots."""


class Peer:
    """The other book, with our names for its orders and what it lacks said in its terms."""

    def __init__(self) -> None:
        self.book = Book()
        self.orders: dict[Name, Order] = {}
        self.names: dict[object, Name] = {}

    def send(self, name: Name, flags: Flags, ticks: int, lots: int) -> tuple[Status, list[Match]]:
        order = Order(SIDES[flags.side], SYMBOL, ticks, lots)
        within = self.within(flags.side, ticks)
        if flags.life == Life.FOK and within < lots:
            return Status.KILLED, []
        if flags.life == Life.POST_ONLY and within:
            return Status.WOULD_TRADE, []
        self.orders[name], self.names[order.id] = order, name
        trades = self.book.match(order).trades
        matches = [
            (self.names[trade.standing_order_id], int(trade.fill_price), trade.fill_quantity)
            for trade in trades
        ]
        if flags.life == Life.IOC and order.quantity:
            self.book.cancel(order)
            return Status.REMAINDER_DROPPED, matches
        return Status.OK, matches

    def cancel(self, name: Name) -> Status:
        order = self.orders.get(name)
        if order is None or self.book.get_order(order.id) is None:
            return Status.UNKNOWN_ORDER
        self.book.cancel(order)
        return Status.OK

    def within(self, side: int, ticks: int) -> int:
        """Lots that an order at `ticks` could trade."""
        ours = SIDES[side]
        return sum(
            order.quantity
            for level in self.book.levels[SYMBOL][ours.other]
            if ours.price_comparator(ticks, level.price)
            for order in level.orders.values()
        )

    def resting(self, side: int) -> list[Match]:
        """Every order of a side, the best first."""
        return [
            (self.names[order.id], int(level.price), order.quantity)
            for level in sorted(self.book.levels[SYMBOL][SIDES[side]])
            for order in level.orders.values()
        ]


class Stream:
    """Random orders and cancels, through the venue and through its peer."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
        self.seed = seed
        self.venue, self.peer = Venue(), Peer()
        self.accounts = {
            self.venue.open(name, DOLLARS): name for names in NAMES.values() for name in names
        }
        self.sequences = count(1)
        self.sent: list[Name] = []
        self.seen: Counter[str] = Counter()

    def run(self, operations: int) -> None:
        for number in range(1, operations + 1):
            if self.sent and self.random.random() < 0.25:
                self._cancel(self.random.choice(self.sent[-300:]))
            else:
                self._order()
            if number % BATCH_OPERATIONS == 0:
                self._compare_books()
                self.venue.halt()
                self.venue.boot()

    def _order(self) -> None:
        side = self.random.randrange(2)
        life, is_market = self.random.choice(LIVES), False
        if life in (Life.IOC, Life.FOK):
            is_market = self.random.random() < 0.3
        account = self._account_with_room(side)
        away = self.random.randint(-12, 20)
        ticks = MARK_TICKS - away if side == BUY else MARK_TICKS + away
        lots = self.random.choice((1, self.random.randint(1, 30), self.random.randint(1, 200)))
        flags = Flags(side, is_market, life)
        name = (account, next(self.sequences))
        tx = NewOrder(
            *(account, 0, name[1], 0, encode_flags(flags)),
            *(0 if is_market else ticks, lots, FAR),
        )
        # A market order trades as far as the band reaches.
        edge = MARK_TICKS + (BAND_TICKS if side == BUY else -BAND_TICKS)
        expected = self.peer.send(name, flags, edge if is_market else ticks, lots)
        receipt = self._run(tx)
        fills = [((f.maker, f.maker_order[1]), f.ticks, f.lots) for f in receipt.fills]
        place = f"seed {self.seed}, {tx}"
        assert (receipt.status, fills) == expected, place
        self.sent.append(name)
        self.seen[f"{life.name} {receipt.status.name}"] += 1
        self.seen["fills"] += len(fills)

    def _cancel(self, name: Name) -> None:
        expected = self.peer.cancel(name)
        tx = Cancel(name[0], 0, next(self.sequences), 0, name[1], FAR)
        assert self._run(tx).status == expected, f"seed {self.seed}, {tx}"
        self.seen[f"cancel {expected.name}"] += 1

    def _account_with_room(self, side: int) -> int:
        free = [
            number
            for number, name in self.accounts.items()
            if name in NAMES[side]
            and len(self.venue.state.account(number).orders) < ACCOUNT_ORDERS_MAX
        ]
        return self.random.choice(free)

    def _run(self, tx: Transaction) -> Receipt:
        account = tx.account  # type: ignore[union-attr]
        signature = key(self.accounts[account]).address + bytes(44)
        return run_transaction(self.venue.state, tx, signature, SIGNER)

    def _compare_books(self) -> None:
        for side in (BUY, SELL):
            book = self.venue.state.books.get((0, side))
            ours = [
                ((order.account, order.sequence), key_ticks(side, at), order.lots)
                for at, order in (book or ())
            ]
            assert ours == self.peer.resting(side), f"seed {self.seed}: the book of side {side}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_book_by_another_hand_makes_the_same_fills(seed: int) -> None:
    stream = Stream(seed)
    stream.run(OPERATIONS // STREAMS)
    seen = stream.seen
    assert seen["fills"] > 100, f"seed {seed}: too little traded to mean anything"
    for expected in (
        *("GTC OK", "IOC OK", "IOC REMAINDER_DROPPED", "FOK OK", "FOK KILLED"),
        *("POST_ONLY OK", "POST_ONLY WOULD_TRADE", "cancel OK", "cancel UNKNOWN_ORDER"),
    ):
        assert seen[expected] > 0, f"seed {seed} never saw {expected}"
