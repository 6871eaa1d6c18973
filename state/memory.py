"""The state in memory, with an undo log: for tests, the sequencer and the follower."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from state.accounts import ABSENT, Account
from state.machine import Machine
from state.markets import BoardRow, Market, board_key
from state.orders import RestingOrder
from state.store import Changes
from state.withdrawals import Withdrawal

Undo = tuple[str, Any, Any]
"""What was written, its key, and the value before."""


class Book:
    """One side of one market. The best order has the smallest key."""

    __slots__ = ("keys", "orders")

    def __init__(self) -> None:
        self.orders: dict[int, RestingOrder] = {}
        # Negated and ascending, so that the best order is at the end, cheap to take.
        self.keys: list[int] = []

    def front(self) -> tuple[int, RestingOrder] | None:
        """The best order and its key."""
        if not self.keys:
            return None
        key = -self.keys[-1]
        return key, self.orders[key]

    def write(self, key: int, order: RestingOrder | None) -> None:
        """Replace, add or remove the order at `key`."""
        present = key in self.orders
        if order is not None:
            self.orders[key] = order
            if not present:
                insort(self.keys, -key)
        elif present:
            del self.orders[key]
            del self.keys[bisect_left(self.keys, -key)]

    def __iter__(self) -> Iterator[tuple[int, RestingOrder]]:
        """Orders from the best."""
        return ((-key, self.orders[-key]) for key in reversed(self.keys))

    def __len__(self) -> int:
        return len(self.keys)


class MemoryState:
    """A `PreState` that steps are applied to. Every write can be undone."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.accounts: dict[int, Account] = {}
        self.markets: dict[int, Market] = {}
        self.rows: dict[int, BoardRow] = {}
        self.books: dict[tuple[int, int], Book] = {}
        self.withdrawals: list[Withdrawal] = []
        self.dirty: set[tuple[str, Any]] = set()
        self.followed_by: object = None
        self.has_just_saved = False
        self._log: list[Undo] = []
        self._mark: int | None = None

    # --- PreState ---

    def account(self, number: int) -> Account:
        return self.accounts.get(number, ABSENT)

    def market(self, number: int) -> Market | None:
        return self.markets.get(number)

    def row(self, market: int) -> BoardRow | None:
        return self.rows.get(board_key(market))

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        book = self.books.get((market, side))
        return book.orders.get(key) if book else None

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        book = self.books.get((market, side))
        return book.front() if book else None

    def book(self, market: int, side: int) -> Book:
        """One side of one market, for readers."""
        return self.books.get((market, side)) or Book()

    def follow(self, follower: object) -> None:
        """From here on `follower` takes what is dirty, and everything is, once."""
        self.followed_by = follower
        for name in ("accounts", "markets", "rows"):
            self.dirty |= {(name, key) for key in getattr(self, name)}
        self.dirty |= {("withdrawals", index) for index in range(len(self.withdrawals))}
        for place, book in self.books.items():
            self.dirty |= {("orders", (*place, key)) for key, _ in book}

    # --- applying a step ---

    def apply(self, changes: Changes) -> None:
        """Write what a step wrote. SAVE marks the log, RESTORE rewinds to the mark."""
        if changes.rewind == "restore":
            assert self._mark is not None
            self._undo_to(self._mark)
        for number, account in changes.accounts.items():
            self._write("accounts", number, account)
        for number, market in changes.markets.items():
            self._write("markets", number, market)
        for key, row in changes.rows.items():
            self._write("rows", key, row)
        for place, order in changes.orders.items():
            self._write("orders", place, order)
        for withdrawal in changes.withdrawals:
            self._write("withdrawals", withdrawal.index, withdrawal)
        self._write("machine", None, changes.machine)
        self.has_just_saved = changes.rewind == "save"
        if changes.rewind is not None:
            self._mark = len(self._log) if self.has_just_saved else None

    def cut(self) -> list[Undo]:
        """What undoes everything since the last cut. Between batches only.

        The value before the first write is all it takes; what lies between needs much room.
        """
        assert self._mark is None
        oldest: dict[tuple[str, Any], Undo] = {}
        for entry in self._log:
            oldest.setdefault(entry[:2], entry)
        self._log = []
        return list(oldest.values())

    def undo(self, log: list[Undo]) -> None:
        """Take back what `log` says was written, the latest first."""
        assert not self._log, "cut and undo the newer log first"
        self._log = log
        self._undo_to(0)

    def snapshot(self) -> "MemoryState":
        """A copy that shares no mutable part with this state and that nobody follows."""
        follower, self.followed_by = self.followed_by, None
        try:
            return deepcopy(self)
        finally:
            self.followed_by = follower

    def _undo_to(self, mark: int) -> None:
        while len(self._log) > mark:
            self._put(*self._log.pop())

    def _write(self, name: str, key: Any, value: Any) -> None:
        self._log.append((name, key, self._put(name, key, value)))

    def _put(self, name: str, key: Any, value: Any) -> Any:
        """Set (or with None remove) one thing; returns what was there before."""
        if name == "machine":
            before, self.machine = self.machine, value
            return before
        self.dirty.add((name, key))
        if name == "orders":
            return self._put_order(key, value)
        if name == "withdrawals":
            return self._put_withdrawal(key, value)
        table: dict[int, Any] = getattr(self, name)
        old = table.get(key)
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
        return old

    def _put_order(self, place: tuple[int, int, int], value: RestingOrder | None) -> Any:
        market, side, key = place
        book = self.books.get((market, side))
        if book is None:
            book = self.books[market, side] = Book()
        old = book.orders.get(key)
        book.write(key, value)
        return old

    def _put_withdrawal(self, index: int, value: Withdrawal | None) -> Any:
        if value is None:
            assert index == len(self.withdrawals) - 1
            return self.withdrawals.pop()
        assert index == len(self.withdrawals)
        self.withdrawals.append(value)
        return None
