"""The whole venue and the whole model, laid out alike to be compared."""

from typing import Any

from reference_ledger import Resting
from reference_listing import HEAD, Terms
from reference_matching import Fill
from reference_model import Model

from state.machine import Machine
from state.memory import MemoryState
from state.orders import key_ticks

REGISTERS = set(Machine.__struct_fields__) - {
    *("batch", "batch_hash", "step", "steps_left", "status", "time", "time_min", "time_max"),
    *("inbox", "inbox_end", "chunk", "chunks", "row", "chunk_hash", "deposited", "withdrawn"),
    *("sums", "withdrawals"),
}
"""What is zero between transactions."""

IDLE = {name: getattr(Machine(), name) for name in sorted(REGISTERS)}

View = dict[str, dict[Any, Any]]
ELSEWHERE = ("pools", "insurance", "bad_debt", "dust")
"""Sums that no rule of today moves."""


def fill_of(fill: Any) -> Fill:
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
            "elsewhere": [getattr(machine.sums, name) for name in ELSEWHERE],
            "registers": {name: getattr(machine, name) for name in IDLE},
            "longs": machine.sums.long_lots,
            "shorts": machine.sums.short_lots,
            "withdrawals": [(w.account, w.recipient, w.amount) for w in state.withdrawals],
        },
        "accounts": {
            number: (
                *(account.owner, account.cash, account.sequence_floor),
                *(account.owner_sequence, account.key_epoch),
                [(k.epoch, k.address, k.sequence, k.expiry, k.permissions) for k in account.keys],
                [(p.market, p.lots, p.bid_lots, p.ask_lots) for p in account.positions],
                [(o.epoch, o.sequence, o.market, o.side, o.key) for o in account.orders],
            )
            for number, account in state.accounts.items()
        },
        "markets": {
            number: (
                *(m.next_order, [(p.price, p.time) for p in m.publishers]),
                _terms_of_venue(m, state.row(number)),
            )
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


def _terms_of_venue(market: Any, row: Any) -> dict[str, Any]:
    """By the names of a listing, wherever a value is kept."""
    head = {name: getattr(market if hasattr(market, name) else row, name) for name in HEAD}
    head["symbol"] = int.from_bytes(head["symbol"].ljust(16, b"\0"), "big")
    return {
        **head,
        "tiers": [(t.start, t.initial, t.maintenance) for t in row.tiers],
        "publishers": [(p.address, p.family, p.weight) for p in market.publishers],
    }


def _terms_of_model(terms: Terms) -> dict[str, Any]:
    return {
        **{name: getattr(terms, name) for name in HEAD},
        "tiers": [(t.start, t.initial, t.maintenance) for t in terms.tiers],
        "publishers": list(terms.publishers),
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
            "elsewhere": [0] * len(ELSEWHERE),
            "registers": IDLE,
            "longs": sum(lots for lots in held if lots > 0),
            "shorts": -sum(lots for lots in held if lots < 0),
            "withdrawals": model.withdrawals,
        },
        "accounts": {number: _of_holder(model, number) for number in ledger.holders},
        "markets": {
            number: (
                *(ledger.next_order.get(number, 0), [(market.signed_price, market.signed_time)]),
                _terms_of_model(market.terms),
            )
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
        (epoch, key.address, key.last, key.expiry, key.permissions)
        for epoch, key in sorted(holder.keys.items())
        if epoch
    ]
    positions = [
        (
            *(m, ledger.lots(number, m)),
            *(sum(o.lots for o in orders if (o.market, o.side) == (m, side)) for side in (0, 1)),
        )
        for m in ledger.markets_of(number)
    ]
    references = [(o.epoch, o.sequence, o.market, o.side, _key(o)) for o in orders]
    own = holder.owner, holder.cash, holder.floor, holder.keys[0].last, holder.key_epoch
    return *own, keys, positions, references


def _side(model: Model, market: int, way: int) -> tuple[int, int]:
    lots = [way * model.ledger.lots(account, market) for account in model.ledger.holders]
    return sum(x for x in lots if x > 0), sum(x > 0 for x in lots)
