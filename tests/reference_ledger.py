"""What the reference venue holds: accounts with their keys, orders in plain lists, markets.

Nothing is kept that can be recomputed: resting lots, open interest and every sum are added
up from the orders and holdings each time.
"""

from dataclasses import dataclass, field, replace

from reference_listing import Terms

BUY, SELL = 0, 1
ZERO = bytes(20)
TRADE, CANCEL, BLOCK = 1, 2, 4
"""Permissions of a key."""

END_OF_TIME = 2**40 - 1


@dataclass(frozen=True)
class Resting:
    """One order in one book; `number` is its place in time within its market."""

    account: int
    epoch: int
    sequence: int
    market: int
    side: int
    ticks: int
    number: int
    lots: int
    expiry: int
    flags: int

    @property
    def reduce_only(self) -> bool:
        return bool(self.flags >> 4 & 1)


@dataclass
class Key:
    """Who may sign, what, until when; and the last sequence number signed with."""

    address: bytes
    expiry: int = END_OF_TIME
    permissions: int = TRADE | CANCEL | BLOCK
    last: int = 0


@dataclass
class Holder:
    """An account: keys by epoch, the owner's own at epoch 0; cash; lots by market."""

    keys: dict[int, Key]
    cash: int = 0
    lots: dict[int, int] = field(default_factory=dict)
    floor: int = 0
    key_epoch: int = 0

    @property
    def owner(self) -> bytes:
        return self.keys[0].address


@dataclass
class Market:
    """What its terms are, the prices that stand, and what its publisher last signed."""

    terms: Terms
    mark: int = 0
    slow_mark: int = 0
    time: int = 0
    signed_price: int = 0
    signed_time: int = 0


Markets = dict[int, Market]


@dataclass
class Ledger:
    """Everything a SAVE keeps: who holds what, what rests, what was charged."""

    holders: dict[int, Holder] = field(default_factory=dict)
    resting: list[Resting] = field(default_factory=list)
    next_order: dict[int, int] = field(default_factory=dict)
    fees: int = 0

    def copied(self) -> "Ledger":
        """Keys are shared: their sequence numbers are consumed before anything is saved."""
        holders = {
            number: replace(holder, lots=dict(holder.lots))
            for number, holder in self.holders.items()
        }
        return Ledger(holders, list(self.resting), dict(self.next_order), self.fees)

    def without(self, order: Resting) -> "Ledger":
        after = self.copied()
        after.resting.remove(order)
        return after

    def lots(self, account: int, market: int) -> int:
        return self.holders[account].lots.get(market, 0)

    def resting_lots(self, account: int, market: int, side: int) -> int:
        return sum(
            order.lots
            for order in self.resting
            if (order.account, order.market, order.side) == (account, market, side)
        )

    def reach(self, account: int, market: int) -> tuple[int, int]:
        """Where all bids, or all asks, would take the position: lots + bids, lots - asks."""
        lots = self.lots(account, market)
        bids = self.resting_lots(account, market, BUY)
        return lots + bids, lots - self.resting_lots(account, market, SELL)

    def markets_of(self, account: int) -> list[int]:
        """Where the account stands: with lots, or with orders alone."""
        held = {market for market, lots in self.holders[account].lots.items() if lots}
        return sorted(held | {o.market for o in self.resting if o.account == account})

    def orders_of(self, account: int) -> list[Resting]:
        return [order for order in self.resting if order.account == account]

    def named(self, account: int, epoch: int, sequence: int) -> Resting | None:
        """The resting order of this name."""
        for order in self.orders_of(account):
            if (order.epoch, order.sequence) == (epoch, sequence):
                return order
        return None

    def open_interest(self, market: int) -> int:
        return sum(max(0, self.lots(account, market)) for account in self.holders)

    def book(self, market: int, side: int) -> list[Resting]:
        """Price, then time."""
        orders = [o for o in self.resting if (o.market, o.side) == (market, side)]
        worse = -1 if side == BUY else 1
        return sorted(orders, key=lambda order: (worse * order.ticks, order.number))

    def reducible(self, account: int, market: int, side: int) -> int:
        """The lots an order of this side can take off the position."""
        lots = self.lots(account, market)
        return max(0, -lots if side == BUY else lots)

    def move(self, account: int, market: int, lots: int, cash: int) -> None:
        holder = self.holders[account]
        holder.lots[market] = holder.lots.get(market, 0) + lots
        holder.cash += cash
