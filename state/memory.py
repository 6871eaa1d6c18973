"""The state in memory, with an undo log: for tests, the sequencer and the follower."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from state.accounts import ABSENT, Account
from state.limits import MARKETS_MAX
from state.machine import Machine
from state.markets import BoardRow, Market
from state.orders import RestingOrder
from state.undo import Place, UndoableState
from state.withdrawals import Withdrawal


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


class MemoryState(UndoableState):
    """A `PreState` that steps are applied to. Every write can be undone."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine()
        self.accounts: dict[int, Account] = {}
        self.markets: dict[int, Market] = {}
        self.rows: dict[int, BoardRow] = {}
        self.books: dict[tuple[int, int], Book] = {}
        self.withdrawals: list[Withdrawal] = []

    # --- PreState ---

    def account(self, number: int) -> Account:
        return self.accounts.get(number, ABSENT)

    def market(self, number: int) -> Market | None:
        return self.markets.get(number)

    def row(self, market: int) -> BoardRow | None:
        return self.rows.get(market % MARKETS_MAX)

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        book = self.books.get((market, side))
        return book.orders.get(key) if book is not None else None

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        book = self.books.get((market, side))
        return book.front() if book is not None else None

    def row_at(self, key: int) -> BoardRow | None:
        """The row at a key of the board, whichever market it is of."""
        return self.rows.get(key)

    def withdrawal(self, index: int) -> Withdrawal | None:
        """None for one that is still to come."""
        return self.withdrawals[index] if index < len(self.withdrawals) else None

    def book(self, market: int, side: int) -> Book:
        """One side of one market, for readers."""
        return self.books.get((market, side)) or Book()

    def follow(self, follower: object) -> None:
        """From here on `follower` takes what is dirty, and everything is, once."""
        self.followed_by = follower
        self.dirty.update(self.places())

    def places(self) -> Iterator[Place]:
        """Every place that has a leaf."""
        for name in ("accounts", "markets", "rows"):
            yield from ((name, key) for key in getattr(self, name))
        yield from (("withdrawals", index) for index in range(len(self.withdrawals)))
        for place, book in self.books.items():
            yield from (("orders", (*place, key)) for key, _ in book)

    def snapshot(self) -> "MemoryState":
        """A copy that shares no mutable part with this state and that nobody follows."""
        follower, self.followed_by = self.followed_by, None
        try:
            return deepcopy(self)
        finally:
            self.followed_by = follower

    def _put(self, name: str, key: Any, value: Any) -> Any:
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
