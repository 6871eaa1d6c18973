"""Reading the state before a step, and collecting what a step writes.

Rules read a `PreState` and write a `Changes` layer over it. Memory, a database and a
fraud-proof witness stand behind the same protocol, so all of them run the same rules;
a refused transaction is undone by dropping its layer.
"""

from typing import Protocol

from msgspec import Struct

from state.accounts import Account
from state.crypto import ZERO_ADDRESS
from state.machine import Machine
from state.markets import BoardRow, Market, board_key
from state.orders import RestingOrder
from state.withdrawals import Withdrawal

BookKey = tuple[int, int, int]
"""Market, side, order key."""


class PreState(Protocol):
    """The state a step starts from. Absent accounts read as `ABSENT`, others as None."""

    machine: Machine

    def account(self, number: int) -> Account: ...
    def market(self, number: int) -> Market | None: ...
    def row(self, market: int) -> BoardRow | None: ...
    def order(self, market: int, side: int, key: int) -> RestingOrder | None: ...
    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None: ...


class Fill(Struct, frozen=True, gc=False, kw_only=True):
    """One match, or leg of a `block` trade, for readers: nothing in the state depends on it.

    Orders, and a party's consent to a block trade, are named by (epoch, sequence) within
    their account.
    """

    market: int
    taker_side: int
    ticks: int
    price: int
    lots: int
    taker: int
    maker: int
    taker_order: tuple[int, int]
    maker_order: tuple[int, int]
    taker_fee: int
    maker_fee: int
    block: bool = False


class Changes:
    """What one step writes on top of `base`. The venue's sums follow every write."""

    __slots__ = (
        "accounts",
        "base",
        "events",
        "machine",
        "markets",
        "orders",
        "rewind",
        "rows",
        "withdrawals",
    )

    def __init__(self, base: PreState) -> None:
        self.base = base
        self.machine = base.machine.copied()
        self.accounts: dict[int, Account] = {}
        self.markets: dict[int, Market] = {}
        self.rows: dict[int, BoardRow] = {}
        self.orders: dict[BookKey, RestingOrder | None] = {}
        self.withdrawals: list[Withdrawal] = []
        self.events: list[Fill] = []
        self.rewind: str | None = None

    # --- reads ---

    def account(self, number: int) -> Account:
        written = self.accounts.get(number)
        return self.base.account(number) if written is None else written

    def market(self, number: int) -> Market | None:
        written = self.markets.get(number)
        return self.base.market(number) if written is None else written

    def row(self, market: int) -> BoardRow | None:
        row = self.rows.get(board_key(market)) if self.rows else None
        if row is None:
            row = self.base.row(market)
        return row if row is not None and row.market == market else None

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        place = (market, side, key)
        if place in self.orders:
            return self.orders[place]
        return self.base.order(market, side, key)

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        """The best resting order: the leftmost leaf of its book."""
        # A step reads the front before it writes that book; a layer never merges two.
        assert not self.orders or all(place[:2] != (market, side) for place in self.orders)
        return self.base.front(market, side)

    # --- writes ---

    def write_account(self, number: int, account: Account) -> None:
        """Replace an account; the sum of cash moves by the difference."""
        assert account.owner != ZERO_ADDRESS, "an account is never closed"
        moved = account.cash - self.account(number).cash
        if moved:
            self.machine.sums.cash += moved
        self.accounts[number] = account

    def write_market(self, market: Market) -> None:
        """Replace a market; pools, insurance, bad debt and dust follow."""
        old, sums = self.market(market.market), self.machine.sums
        sums.pools += market.pool - (old.pool if old else 0)
        sums.insurance += market.insurance - (old.insurance if old else 0)
        sums.bad_debt += market.bad_debt - (old.bad_debt if old else 0)
        sums.dust += market.dust - (old.dust if old else 0)
        self.markets[market.market] = market

    def write_row(self, row: BoardRow) -> None:
        """Replace a market's row; the sums of long and short lots follow."""
        old, sums = self.row(row.market), self.machine.sums
        sums.long_lots += row.long.lots - (old.long.lots if old else 0)
        sums.short_lots += row.short.lots - (old.short.lots if old else 0)
        self.rows[board_key(row.market)] = row

    def write_order(self, market: int, side: int, key: int, order: RestingOrder | None) -> None:
        """Replace, add or (None) remove a resting order."""
        self.orders[market, side, key] = order

    def append_withdrawal(self, withdrawal: Withdrawal) -> None:
        """The next leaf of the withdrawals tree."""
        assert withdrawal.index == self.machine.withdrawals
        self.machine.withdrawals += 1
        self.withdrawals.append(withdrawal)

    # --- SAVE, KEEP, RESTORE ---

    def save(self) -> None:
        """Keep the four components as they are now, for `restore`."""
        self.machine.saved = self.machine.copied().sums
        self.rewind = "save"

    def keep(self) -> None:
        """Forget what was saved."""
        self.machine.saved = None
        self.rewind = "keep"

    def restore(self) -> None:
        """Bring back what was saved, less step, cursors and clock."""
        saved = self.machine.saved
        assert saved is not None
        assert not (self.accounts or self.markets or self.rows or self.orders)
        self.machine.sums, self.machine.saved = saved, None
        self.rewind = "restore"
