"""Roots and branches: the trees over a state in memory.

Trees are brought up to date on demand, each dirty leaf once, so an order that comes
and goes inside a batch costs no hash. A `Commitment` is one version: trees share
structure, so keeping the version of every batch is cheap.
"""

from typing import Any, Protocol

from msgspec import Struct

from state.accounts import encode_account
from state.batch import VERSION
from state.crypto import keccak
from state.limits import (
    ACCOUNTS_DEPTH,
    BOARD_DEPTH,
    BOOK_DEPTH,
    MARKETS_DEPTH,
    WITHDRAWALS_DEPTH,
)
from state.machine import NO_ROOTS, SavedRoots, Sums, encode_machine
from state.markets import BoardRow, encode_board_row, encode_market
from state.memory import MemoryState
from state.orders import BUY, SELL, encode_order
from state.packing import u
from state.store import PreState
from state.tree import Tree
from state.withdrawals import Withdrawal, encode_withdrawal

EMPTY_BOOK = Tree.empty(BOOK_DEPTH)


class Commitment(Struct, frozen=True):
    """The trees of one version of the state, and its machine's bytes."""

    accounts: Tree
    markets: Tree
    board: Tree
    withdrawals: Tree
    books: dict[tuple[int, int], Tree]
    machine: bytes

    @property
    def state_root(self) -> bytes:
        """keccak(version | accounts | markets | board | keccak(machine))."""
        return state_root(
            self.accounts.root, self.markets.root, self.board.root, keccak(self.machine)
        )

    def book(self, market: int, side: int) -> Tree:
        """The tree of one side of one market."""
        return self.books.get((market, side), EMPTY_BOOK)

    def leaf(self, name: str, key: Any) -> bytes:
        """The leaf at a place as states name it; b"" is absent."""
        if name == "orders":
            market, side, place = key
            return self.book(market, side).leaf(place)
        tree: Tree = self.board if name == "rows" else getattr(self, name)
        return tree.leaf(key)


def state_root(accounts: bytes, markets: bytes, board: bytes, machine_hash: bytes) -> bytes:
    """keccak(version u16 | accounts_root | markets_root | board_root | keccak(machine))."""
    return keccak(u(VERSION, 16) + accounts + markets + board + machine_hash)


class FollowedState(PreState, Protocol):
    """A state that says which of its leaves were written since it was last asked."""

    dirty: set[tuple[str, Any]]
    followed_by: object
    has_just_saved: bool

    def follow(self, follower: object) -> None: ...
    def row_at(self, key: int) -> BoardRow | None: ...
    def withdrawal(self, index: int) -> Withdrawal | None: ...


class Committer:
    """Follows one state and commits to it whenever asked."""

    def __init__(self, state: FollowedState) -> None:
        self.state = state
        self._accounts = Tree.empty(ACCOUNTS_DEPTH)
        self._markets = Tree.empty(MARKETS_DEPTH)
        self._board = Tree.empty(BOARD_DEPTH)
        self._withdrawals = Tree.empty(WITHDRAWALS_DEPTH)
        self._books: dict[tuple[int, int], Tree] = {}
        self._saved = NO_ROOTS
        self._saved_for: Sums | None = None
        # Whoever followed this state before has taken what was dirty: begin with everything.
        state.follow(self)

    def commit(self) -> Commitment:
        """The commitment to the state as it stands."""
        assert self.state.followed_by is self, "another committer follows this state now"
        self._update()
        machine = self.state.machine
        if machine.saved is None:
            self._saved, self._saved_for = NO_ROOTS, None
        elif self._saved_for is not machine.saved:
            # Right after SAVE, what is saved is what stands.
            assert self.state.has_just_saved, "ask for roots inside a batch after every step"
            self._saved = SavedRoots(self._accounts.root, self._markets.root, self._board.root)
            self._saved_for = machine.saved
        return Commitment(
            accounts=self._accounts,
            markets=self._markets,
            board=self._board,
            withdrawals=self._withdrawals,
            books=dict(self._books),
            machine=encode_machine(machine, self._withdrawals.root, self._saved),
        )

    def _update(self) -> None:
        """Write every dirty leaf, books first: a market's leaf holds their roots."""
        state = self.state
        changed: dict[str, dict[int, bytes]] = {
            name: {} for name in ("accounts", "markets", "rows", "withdrawals")
        }
        books: dict[tuple[int, int], dict[int, bytes]] = {}
        for name, key in state.dirty:
            if name == "orders":
                market, side, place = key
                books.setdefault((market, side), {})[place] = leaf_of(state, name, key)
            elif name != "markets":
                changed[name][key] = leaf_of(state, name, key)
        for book, leaves in books.items():
            self._books[book] = self._books.get(book, EMPTY_BOOK).update(leaves)
        touched = {market for market, _ in books}
        touched |= {key for name, key in state.dirty if name == "markets"}
        changed["markets"] = {market: self._market_leaf(market) for market in touched}
        state.dirty.clear()
        self._accounts = self._accounts.update(changed["accounts"])
        self._markets = self._markets.update(changed["markets"])
        self._board = self._board.update(changed["rows"])
        self._withdrawals = self._withdrawals.update(changed["withdrawals"])

    def _market_leaf(self, number: int) -> bytes:
        market = self.state.market(number)
        if market is None:
            return b""
        bids, asks = (self._books.get((number, side), EMPTY_BOOK).root for side in (BUY, SELL))
        return encode_market(market, bids, asks)


def leaf_of(state: FollowedState, name: str, key: Any) -> bytes:
    """The leaf at a place; b"" is absent. A market's also needs the roots of its books."""
    if name == "accounts":
        return encode_account(state.account(key))
    if name == "rows":
        row = state.row_at(key)
        return encode_board_row(row) if row else b""
    if name == "orders":
        order = state.order(*key)
        return encode_order(order) if order else b""
    assert name == "withdrawals"
    withdrawal = state.withdrawal(key)
    return encode_withdrawal(withdrawal) if withdrawal else b""


def genesis_root() -> bytes:
    """The state root of a venue in which nothing has happened."""
    return Committer(MemoryState()).commit().state_root
