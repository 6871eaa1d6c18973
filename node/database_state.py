"""The state in a store: read leaf by leaf, so that it needs no more memory than was written.

What steps write stays in memory until `write_back`, which brings the store from one
commitment to the next in a single write: a crash leaves the one or the other.
"""

from typing import Any

from node.leaves import (
    book_prefix,
    leaf_changes,
    leaf_key,
    place_of,
    stored_machine,
    stored_places,
    stored_value,
)
from node.store import Store
from state.accounts import ABSENT, Account
from state.commitment import Commitment
from state.markets import BoardRow, Market, board_key
from state.memory import Book
from state.orders import RestingOrder
from state.undo import Place, UndoableState
from state.withdrawals import Withdrawal


class DatabaseState(UndoableState):
    """A `PreState` over the leaves in `store` that steps are applied to."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.machine = stored_machine(store)
        self._written: dict[Place, Any] = {}
        self._books: dict[tuple[int, int], Book] = {}
        """Of what was written, the orders that rest, by book."""

    # --- PreState ---

    def account(self, number: int) -> Account:
        account: Account | None = self._value("accounts", number)
        return ABSENT if account is None else account

    def market(self, number: int) -> Market | None:
        market: Market | None = self._value("markets", number)
        return market

    def row(self, market: int) -> BoardRow | None:
        return self.row_at(board_key(market))

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        order: RestingOrder | None = self._value("orders", (market, side, key))
        return order

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        """The best of what is stored and was not rewritten, and of what was written."""
        book = self._books.get((market, side))
        written = book.front() if book is not None else None
        for key, leaf in self.store.entries(book_prefix(market, side)):
            place = place_of(key)
            if place not in self._written:
                number = place[1][2]
                if written is not None and written[0] < number:
                    return written
                return number, stored_value(self.store, place, leaf)
        return written

    # --- a committer's ---

    def follow(self, follower: object) -> None:
        """From here on `follower` takes what is dirty, and everything is, once."""
        self.followed_by = follower
        self.dirty |= {place for place, _ in stored_places(self.store)}
        self.dirty |= self._written.keys()

    def row_at(self, key: int) -> BoardRow | None:
        """The row at a key of the board, whichever market it is of."""
        row: BoardRow | None = self._value("rows", key)
        return row

    def withdrawal(self, index: int) -> Withdrawal | None:
        """None for one that is still to come."""
        withdrawal: Withdrawal | None = self._value("withdrawals", index)
        return withdrawal

    # --- writing ---

    def write_back(self, commitment: Commitment) -> None:
        """Store what was written, whose commitment this is. Between batches only."""
        assert self.machine.saved is None, "what SAVE keeps is in memory alone"
        self.store.write(leaf_changes(commitment, self._written))
        self._written.clear()
        self._books.clear()

    def _value(self, name: str, key: Any) -> Any:
        place = (name, key)
        if place in self._written:
            return self._written[place]
        leaf = self.store.read(leaf_key(place))
        return None if leaf is None else stored_value(self.store, place, leaf)

    def _put(self, name: str, key: Any, value: Any) -> Any:
        if name == "machine":
            before, self.machine = self.machine, value
            return before
        old = self._value(name, key)
        self._written[name, key] = value
        self.dirty.add((name, key))
        if name == "orders":
            market, side, number = key
            self._books.setdefault((market, side), Book()).write(number, value)
        return old
