"""Random operations through the venue and through the model, compared after each one.

A signature is the signer's address here: recovery has tests of its own, and this way a
hundred thousand operations take minutes.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from builders import DOMAIN, NOW, PUBLISHER, Venue, key
from msgspec.structs import replace
from reference_margin import Resting
from reference_model import Model

from state.accounts import SessionKey
from state.authentication import Verifier
from state.batch import BatchHeader
from state.crypto import keccak
from state.execution import run_transaction
from state.machine import Phase
from state.memory import MemoryState
from state.orders import key_ticks
from state.status import Status
from state.steps import boot, halt, open_chunk
from state.transactions import Header, SignedPrice, Transaction
from state.transactions.list_market import Listing

ZERO = bytes(20)
MARK = 50_000_000
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
VERIFIER = Verifier(DOMAIN, lambda _, signature: signature[:20])
Listings = tuple[Listing, ...]


@dataclass
class Twins:
    """The venue and the model, given the same at the same time."""

    seed: int
    markets: Listings
    statuses: Counter[str] = field(default_factory=Counter)
    fills: int = 0

    def __post_init__(self) -> None:
        self.venue = Venue(mark=MARK, markets=self.markets)
        self.state: MemoryState = self.venue.state
        self.model = Model()
        for market in self.markets:
            self.model.list_market(market)
        self.model.run(Header(NOW), ZERO)
        for market in self.markets:
            price = SignedPrice(market.market, MARK, NOW)
            assert self.model.run(price, PUBLISHER.address) == (Status.OK, [])
        self.past: list[Transaction] = []
        self.compare("setup")

    def deposit(self, name: str, subaccount: int, micro: int) -> int:
        number = self.venue.open_with(name, micro, subaccount)
        self.model.deposit(number, key(name).address, micro)
        return number

    def delegate(self, number: int, floor: int, keys: tuple[SessionKey, ...]) -> None:
        """Session keys and a floor by hand: no transaction sets them yet."""
        account = self.state.accounts[number]
        self.state.accounts[number] = replace(account, key_epoch=9, sequence_floor=floor, keys=keys)
        holder = self.model.ledger.holders[number]
        holder.floor = floor
        for k in keys:
            holder.keys[k.epoch] = k.address, k.expiry, k.permissions
            holder.last[k.epoch] = k.sequence

    def number_orders_from(self, market: int, number: int) -> None:
        """As if that many orders had rested here before."""
        record = self.state.markets[market]
        self.state.markets[market] = replace(record, next_order=number)
        self.model.ledger.next_order[market] = number

    def run(self, tx: Transaction, signer: bytes) -> Status:
        self.past.append(tx)
        left = self.state.machine.steps_left
        expected, expected_fills = self.model.run(tx, signer, left)
        receipt = run_transaction(self.state, tx, signer + bytes(44), VERIFIER)
        assert self.state.machine.order.phase == Phase.IDLE
        place = f"seed {self.seed}, operation {len(self.past)}: {tx}"
        status = receipt.status
        assert status == expected, f"{place}: venue {status!r}, model {expected!r}"
        fills = [_fill(fill) for fill in receipt.fills]
        assert fills == expected_fills, f"{place}: {fills} is not {expected_fills}"
        self.compare(place)
        self.statuses[f"{type(tx).__name__} {status.name}"] += 1
        self.fills += len(fills)
        if self.state.machine.steps_left <= 1:
            self.next_batch(0, 2**40 - 1)
        return status

    def next_batch(self, time_min: int, time_max: int) -> None:
        machine = self.state.machine
        self.state.apply(halt(self.state))
        header = BatchHeader(
            number=machine.batch + 1,
            parent=bytes(32),
            inbox_from=machine.inbox,
            inbox_to=machine.inbox,
            inbox_accumulator=bytes(32),
            origin_number=0,
            origin_hash=bytes(32),
            time_min=time_min,
            time_max=time_max,
        )
        self.state.apply(boot(self.state, header, keccak(b"batch"), void=False))
        self.state.apply(open_chunk(self.state, keccak(b"chunk")))
        self.model.boot(time_min, time_max)

    def compare(self, place: str) -> None:
        seen, expected = view_of_venue(self.state), view_of_model(self.model)
        if seen == expected:
            return
        differing = [
            (part, where, seen[part].get(where), expected[part].get(where))
            for part in expected
            for where in sorted(set(seen[part]) | set(expected[part]), key=repr)
            if seen[part].get(where) != expected[part].get(where)
        ]
        raise AssertionError(f"{place}: (part, where, venue, model) {differing}")


View = dict[str, dict[Any, Any]]


def _fill(fill: Any) -> tuple[object, ...]:
    return (
        *(fill.market, fill.taker_side, fill.ticks, fill.price, fill.lots, fill.taker),
        *(fill.maker, fill.taker_order, fill.maker_order, fill.taker_fee, fill.maker_fee),
    )


def view_of_venue(state: MemoryState) -> View:
    """Everything that the leaves and the machine hold and the model knows."""
    machine = state.machine
    return {
        "venue": {
            "time": machine.time,
            "deposited": machine.deposited,
            "withdrawn": machine.withdrawn,
            "cash": machine.sums.cash,
            "fees": machine.sums.fees,
            "longs": machine.sums.long_lots,
            "shorts": machine.sums.short_lots,
            "withdrawals": [(w.account, w.recipient, w.amount) for w in state.withdrawals],
        },
        "accounts": {
            number: (
                *(account.owner, account.cash, account.sequence_floor, account.owner_sequence),
                [(k.epoch, k.address, k.sequence, k.expiry, k.permissions) for k in account.keys],
                [(p.market, p.lots, p.bid_lots, p.ask_lots) for p in account.positions],
                [(o.epoch, o.sequence, o.market, o.side, o.key) for o in account.orders],
            )
            for number, account in state.accounts.items()
        },
        "markets": {
            number: (m.next_order, m.publishers[0].price, m.publishers[0].time)
            for number, m in state.markets.items()
        },
        "board": {
            row.market: (
                *(row.mark, row.slow_mark, row.index, row.time),
                *((row.long.lots, row.long.legs), (row.short.lots, row.short.legs)),
            )
            for row in state.rows.values()
        },
        "books": {
            (*place, *_of_order(order)): (rank, key_ticks(place[1], book_key), book_key)
            for place, book in state.books.items()
            for rank, (book_key, order) in enumerate(book)
        },
    }


def _of_order(order: Any) -> tuple[int, ...]:
    return order.account, order.epoch, order.sequence, order.lots, order.expiry, order.flags


def _key(order: Resting) -> int:
    rank = order.ticks if order.side else 2**24 - 1 - order.ticks
    return rank << 40 | order.number


def view_of_model(model: Model) -> View:
    """The same from the model, summed up afresh."""
    ledger = model.ledger
    held = [lots for holder in ledger.holders.values() for lots in holder.lots.values()]
    return {
        "venue": {
            "time": model.time,
            "deposited": model.deposited,
            "withdrawn": sum(micro * 1_000 for _, _, micro in model.withdrawals),
            "cash": sum(holder.cash for holder in ledger.holders.values()),
            "fees": ledger.fees,
            "longs": sum(lots for lots in held if lots > 0),
            "shorts": -sum(lots for lots in held if lots < 0),
            "withdrawals": model.withdrawals,
        },
        "accounts": {number: _of_holder(model, number) for number in ledger.holders},
        "markets": {
            number: (ledger.next_order.get(number, 0), market.mark, market.time)
            for number, market in model.markets.items()
        },
        "board": {
            number: (
                *(market.mark, market.slow_mark, market.mark, market.time),
                *(_side(model, number, 1), _side(model, number, -1)),
            )
            for number, market in model.markets.items()
        },
        "books": {
            (number, side, *_of_order(order)): (rank, order.ticks, _key(order))
            for number in model.markets
            for side in (0, 1)
            for rank, order in enumerate(ledger.book(number, side))
        },
    }


def _of_holder(model: Model, number: int) -> tuple[object, ...]:
    ledger, holder = model.ledger, model.ledger.holders[number]
    orders = sorted(ledger.orders_of(number), key=lambda o: (o.epoch, o.sequence))
    keys = [
        (epoch, address, holder.last[epoch], expiry, permissions)
        for epoch, (address, expiry, permissions) in sorted(holder.keys.items())
    ]
    positions = [
        (m, ledger.lots(number, m), *(ledger.resting_lots(number, m, side) for side in (0, 1)))
        for m in ledger.markets_of(number)
    ]
    references = [(o.epoch, o.sequence, o.market, o.side, _key(o)) for o in orders]
    return holder.owner, holder.cash, holder.floor, holder.last[0], keys, positions, references


def _side(model: Model, market: int, way: int) -> tuple[int, int]:
    lots = [way * model.ledger.lots(account, market) for account in model.ledger.holders]
    return sum(x for x in lots if x > 0), sum(x > 0 for x in lots)
