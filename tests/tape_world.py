"""A random history that is told to a tape, and the money that came in and went out of it."""

from collections import defaultdict
from typing import Any
from unittest.mock import patch

from builders import Venue
from histories import History

from node.tape.records import Limits
from node.tape.tape import Tape
from node.view import Executed
from sequencer.draft import is_included
from state.book_changes import BookChange
from state.execution import Receipt
from state.status import Status
from state.transactions import Header, Transaction, Transfer, Withdraw, encode_transaction
from state.units import NANO_PER_MICRO


class Told:
    """`banked` is what each account was paid in, less what it took out or gave away."""

    def __init__(self, seed: int, count: int, limits: Limits | None = None) -> None:
        self.tape = Tape(limits)
        self.banked: dict[int, int] = defaultdict(int)
        self.ran: list[Executed] = []
        open_with = Venue.open_with

        def deposit(venue: Venue, name: str, micro: int, subaccount: int = 0) -> int:
            number = open_with(venue, name, micro, subaccount)
            self.banked[number] += micro * NANO_PER_MICRO
            return number

        self._venue: Venue | None = None
        with patch.object(Venue, "open_with", deposit):
            self.history = History(seed, on_run=self._hear)
            self._venue = self.history.venue
            self.history.run(count)
        self.state = self.history.venue.state
        assert sum(self.banked.values()) == (
            self.state.machine.deposited - self.state.machine.withdrawn
        )

    def _hear(self, tx: Transaction, receipt: Receipt, book: tuple[BookChange, ...]) -> None:
        if self._venue is None or isinstance(tx, Header):
            return
        if not is_included(encode_transaction(tx)[0], receipt.status):
            return
        machine = self._venue.state.machine
        # A batch now and then, so that there is something to take back.
        batch = 1 + len(self.ran) // 40
        ran = Executed(batch=batch, time=machine.time, receipt=receipt, tx=tx, book=book)
        self.ran.append(ran)
        self.tape.take(ran)
        if receipt.status == Status.OK and isinstance(tx, Withdraw):
            self.banked[tx.account] -= tx.amount * NANO_PER_MICRO
        elif receipt.status == Status.OK and isinstance(tx, Transfer):
            self.banked[tx.account] -= tx.amount
            self.banked[tx.to_account] += tx.amount


def contents(tape: Tape, *, names: bool = True) -> dict[str, Any]:
    """All that a tape says; without `names` not which client order ids it knows."""
    tape.settle()
    rows = {table: dict(sorted(rows.items())) for table, rows in tape.tables.rows.items()}
    if not names:
        rows["orders"] = {number: _unnamed(order) for number, order in rows["orders"].items()}
    accounts = sorted({account for account, _ in rows["holdings"]})
    return {
        "rows": rows,
        "since": tape.since_batch,
        "trades": {m: [t.number for t in tape.trades(m, None, 10**6)] for m in range(3)},
        "fills": {a: [t.number for t in tape.fills_of(a, None, None, 10**6)] for a in accounts},
        "orders": {a: [o.number for o in tape.orders_of(a, count=10**6)] for a in accounts},
        "candles": {i: len(tape.candles(0, i, None, 10**6)) for i in ("1m", "1h", "1d")},
    }


def _unnamed(order: Any) -> tuple[Any, ...]:
    return tuple(
        getattr(order, name) for name in order.__struct_fields__ if name != "client_order_id"
    )
