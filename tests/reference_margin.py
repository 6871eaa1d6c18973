"""The venue's margin by the book: docs/protocol.md 5.1 and 5.2 over plain dicts and lists.

Nothing is kept that can be recomputed: resting lots, open interest and every sum are
added up from the orders and holdings each time. Ratios are `Fraction`s.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil

from state.markets import Tier

BUY, SELL = 0, 1
ONE = 1_000_000
"""A rate of one, in parts per million."""


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
class Holder:
    """An account: cash, lots by market, and the last sequence number by key epoch."""

    owner: bytes
    cash: int = 0
    lots: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=lambda: {0: 0})
    floor: int = 0
    keys: dict[int, tuple[bytes, int, int]] = field(default_factory=dict)
    """By epoch: address, expiry, permissions."""


@dataclass
class Market:
    """What was listed, and the prices that stand."""

    tick: int
    min_notional: int
    order_lots_max: int
    band: int
    taker_fee: int
    maker_fee: int
    order_life_max: int
    open_interest_max: int
    position_max: int
    price_age_max: int
    interest_lower: int
    interest_upper: int
    tiers: tuple[Tier, ...]
    publisher: bytes
    mark: int = 0
    slow_mark: int = 0
    time: int = 0

    @property
    def dearer_fee(self) -> int:
        return max(self.taker_fee, self.maker_fee)


@dataclass
class Ledger:
    """Everything a SAVE keeps: who holds what, what rests, what was charged."""

    holders: dict[int, Holder] = field(default_factory=dict)
    resting: list[Resting] = field(default_factory=list)
    next_order: dict[int, int] = field(default_factory=dict)
    fees: int = 0

    def copied(self) -> "Ledger":
        holders = {
            number: replace(holder, lots=dict(holder.lots), last=dict(holder.last))
            for number, holder in self.holders.items()
        }
        return Ledger(holders, list(self.resting), dict(self.next_order), self.fees)

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


Markets = dict[int, Market]


def scale(value: int, lower: int, upper: int) -> Fraction:
    """How far open interest worth `value` has gone from `lower` to `upper`, in whole ppm."""
    if upper == 0 or value <= lower:
        return Fraction(0)
    if value >= upper:
        return Fraction(1)
    return Fraction(ceil(Fraction(value - lower, upper - lower) * ONE), ONE)


def requirement(notional: int, tiers: tuple[Tier, ...], scaled: Fraction) -> int:
    """Initial margin of one position: tier by tier, each rounded up."""
    total = 0
    for place, tier in enumerate(tiers):
        end = tiers[place + 1].start if place + 1 < len(tiers) else notional
        part = max(0, min(notional, end) - tier.start)
        rate = tier.initial + ceil((ONE - tier.initial) * scaled)
        total += ceil(Fraction(part * rate, ONE))
    return total


def equity(ledger: Ledger, markets: Markets, account: int) -> int:
    """Cash and every lot at its mark."""
    holder = ledger.holders[account]
    return holder.cash + sum(lots * markets[m].mark for m, lots in holder.lots.items())


def initial_margin(
    ledger: Ledger, markets: Markets, account: int, *, at_higher: bool = False
) -> int:
    """At the mark, or at the higher of mark and slow mark."""
    total = 0
    for number in ledger.markets_of(account):
        market = markets[number]
        price = max(market.mark, market.slow_mark) if at_higher else market.mark
        # Read to the letter: open interest counts at the mark, even where the rest does not.
        interest = ledger.open_interest(number) * market.mark
        scaled = scale(interest, market.interest_lower, market.interest_upper)
        worst = max(abs(lots) for lots in ledger.reach(account, number))
        total += requirement(worst * price, market.tiers, scaled)
    return total


def is_healthy(ledger: Ledger, markets: Markets, account: int) -> bool:
    return equity(ledger, markets, account) >= initial_margin(ledger, markets, account)


def spare(ledger: Ledger, markets: Markets, account: int) -> int:
    """What may leave while every position is worth the less favourable price."""
    holder = ledger.holders[account]
    worth = holder.cash
    for number, lots in holder.lots.items():
        prices = markets[number].mark, markets[number].slow_mark
        worth += min(lots * price for price in prices)
    return worth - initial_margin(ledger, markets, account, at_higher=True)
