"""Price-time matching by the book: docs/protocol.md 5.2, one front at a time."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from reference_ledger import BUY, SELL, Ledger, Markets, Resting
from reference_listing import ONE
from reference_margin import equity, initial_margin, is_healthy

from state.status import Status

GTC, IOC, FOK, POST_ONLY = range(4)
CANCEL_RESTING, CANCEL_TAKING, CANCEL_BOTH = range(3)
CASH_MAX = 2**111
FRONTS_MAX = 256
ORDER_NUMBER_MAX = 2**40 - 1

Fill = tuple[int, int, int, int, int, int, int, tuple[int, int], tuple[int, int], int, int]
"""Market, taker's side, ticks, price, lots, taker, maker, their orders, their fees."""


class Outcome(NamedTuple):
    """What became of a transaction, and how many steps it took."""

    status: Status
    fills: list[Fill]
    steps: int = 1


Party = tuple[int, int, int]
"""Account, and epoch and sequence number of what it signed."""


@dataclass
class Taker:
    """An admitted order; `limit` is the band's edge for a market order."""

    account: int
    epoch: int
    sequence: int
    market: int
    side: int
    life: int
    reduce_only: bool
    self_trade: int
    limit: int
    lots: int
    expiry: int
    flags: int

    @property
    def party(self) -> Party:
        return self.account, self.epoch, self.sequence

    @property
    def may_rest(self) -> bool:
        return self.life in (GTC, POST_ONLY)


def taker_of(
    account: int,
    name: tuple[int, int],
    market: int,
    flags: int,
    *,
    ticks: int,
    lots: int,
    expiry: int,
) -> Taker:
    """The flags read bit by bit."""
    side, life, reduce_only, self_trade = flags & 1, flags >> 2 & 3, flags >> 4 & 1, flags >> 5 & 3
    return Taker(
        *(account, *name, market, side, life, bool(reduce_only)),
        *(self_trade, ticks, lots, expiry, flags),
    )


def fee(notional: int, rate: int) -> int:
    return ceil(Fraction(notional * rate, ONE))


def exchange(
    ledger: Ledger,
    markets: Markets,
    market: int,
    taker: Party,
    maker: Party,
    *,
    side: int,
    ticks: int,
    lots: int,
) -> tuple[Ledger, Fill]:
    """What the ledger would be once lots, cash and fees have moved; `side` is the taker's."""
    terms = markets[market].terms
    price = ticks * terms.tick
    notional = lots * price
    taker_fee, maker_fee = fee(notional, terms.taker_fee), fee(notional, terms.maker_fee)
    after = ledger.copied()
    way = 1 if side == BUY else -1
    after.move(taker[0], market, way * lots, -way * notional - taker_fee)
    after.move(maker[0], market, -way * lots, way * notional - maker_fee)
    after.fees += taker_fee + maker_fee
    return after, (
        *(market, side, ticks, price, lots, taker[0], maker[0]),
        *(taker[1:], maker[1:], taker_fee, maker_fee),
    )


def is_too_large(
    before: Ledger, after: Ledger, markets: Markets, account: int, market: int
) -> bool:
    """Cash without bounds, or a position that grew past its limit."""
    old, new = abs(before.lots(account, market)), abs(after.lots(account, market))
    cash_fits = abs(after.holders[account].cash) <= CASH_MAX
    return not cash_fits or new > max(old, markets[market].terms.position_max)


def is_too_much_interest(before: Ledger, after: Ledger, markets: Markets, market: int) -> bool:
    interest = after.open_interest(market)
    return interest > max(markets[market].terms.open_interest_max, before.open_interest(market))


def room(ledger: Ledger, markets: Markets, order: Resting, cost: int) -> tuple[bool, bool]:
    """Whether margin, and whether the position limit, leave room for `order` to rest."""
    after = ledger.copied()
    after.resting.append(order)
    account, number = order.account, order.market
    needed = initial_margin(after, markets, account)
    covered = equity(ledger, markets, account) - cost >= needed or needed <= initial_margin(
        ledger, markets, account
    )
    # The page says "or"; the venue takes the farther of the two, as margin does.
    before_reach = max(abs(lots) for lots in ledger.reach(account, number))
    after_reach = max(abs(lots) for lots in after.reach(account, number))
    within = after_reach <= max(markets[number].terms.position_max, before_reach)
    return covered, within


def execute(ledger: Ledger, markets: Markets, taker: Taker, now: int) -> tuple[Ledger, Outcome]:
    """The ledger after the order: ADMIT, perhaps SAVE, a step per front, one that ends it."""
    run = _Run(ledger.copied() if taker.life == FOK else ledger, markets, taker, now)
    status = run.to_the_end()
    steps = 1 + (taker.life == FOK) + run.met + 1
    if taker.life == FOK and status != Status.OK:
        return ledger, Outcome(Status.KILLED, [], steps)
    return run.ledger, Outcome(status, run.fills, steps)


class _Run:
    def __init__(self, ledger: Ledger, markets: Markets, taker: Taker, now: int) -> None:
        self.ledger, self.markets, self.taker, self.now = ledger, markets, taker, now
        self.left, self.met = taker.lots, 0
        self.fills: list[Fill] = []

    def to_the_end(self) -> Status:
        for _ in range(FRONTS_MAX):
            front = self.front()
            if front is None or self.left == 0:
                break
            status = self.meet(front)
            if status is not None:
                return status
            self.met += 1
        if self.left == 0:
            return Status.OK
        if self.front() is not None:
            return Status.FRONTS_EXHAUSTED
        return self.rest() if self.taker.may_rest else Status.REMAINDER_DROPPED

    def front(self) -> Resting | None:
        """The best order of the other side, if it crosses."""
        taker = self.taker
        for order in self.ledger.book(taker.market, SELL if taker.side == BUY else BUY):
            crosses = order.ticks <= taker.limit
            if taker.side == SELL:
                crosses = order.ticks >= taker.limit
            return order if crosses else None
        return None

    def meet(self, front: Resting) -> Status | None:
        """Sweep or match one front; a status where the taker ends."""
        taker, ledger = self.taker, self.ledger
        if front.expiry < self.now:
            self.sweep(front)
            return None
        if front.account == taker.account:
            if taker.self_trade != CANCEL_TAKING:
                self.sweep(front)
            return None if taker.self_trade == CANCEL_RESTING else Status.SELF_TRADE
        offered = front.lots
        if front.reduce_only:
            offered = min(offered, ledger.reducible(front.account, front.market, front.side))
        if offered == 0:
            self.sweep(front)
            return None
        wanted = self.left
        if taker.reduce_only:
            wanted = min(wanted, ledger.reducible(taker.account, taker.market, taker.side))
        if wanted == 0:
            return Status.NOTHING_LEFT_TO_REDUCE
        return self.trade(front, min(offered, wanted))

    def trade(self, front: Resting, lots: int) -> Status | None:
        after, fill = self.filled(front, lots)
        if self.faults(after, front.account):
            self.sweep(front)
            return None
        if self.taker.life == POST_ONLY:
            return Status.WOULD_TRADE
        faults = self.faults(after, self.taker.account)
        if is_too_much_interest(self.ledger, after, self.markets, front.market):
            faults.append(Status.OPEN_INTEREST_TOO_LARGE)
        if faults:
            # Open interest, then position, then margin: the largest number.
            return max(faults)
        self.ledger = after
        self.left -= lots
        self.fills.append(fill)
        return None

    def filled(self, front: Resting, lots: int) -> tuple[Ledger, Fill]:
        """What the ledger would be after the fill."""
        taker, maker = self.taker.party, (front.account, front.epoch, front.sequence)
        after, fill = exchange(
            *(self.ledger, self.markets, front.market, taker, maker),
            side=self.taker.side,
            ticks=front.ticks,
            lots=lots,
        )
        place = after.resting.index(front)
        less = replace(front, lots=front.lots - lots)
        after.resting[place : place + 1] = [less] if less.lots else []
        return after, fill

    def faults(self, after: Ledger, account: int) -> list[Status]:
        """Why `account` may not be left as `after` has it; empty if it may."""
        before, number = self.ledger, self.taker.market
        old, new = before.lots(account, number), after.lots(account, number)
        faults = []
        smaller = abs(new) < abs(old) and new * old >= 0
        no_riskier = equity(after, self.markets, account) * initial_margin(
            before, self.markets, account
        ) >= equity(before, self.markets, account) * initial_margin(after, self.markets, account)
        sound = is_healthy(after, self.markets, account) or (smaller and no_riskier)
        if not sound:
            faults.append(Status.TAKER_MARGIN_TOO_LOW)
        if is_too_large(before, after, self.markets, account, number):
            faults.append(Status.POSITION_TOO_LARGE)
        return faults

    def sweep(self, front: Resting) -> None:
        self.ledger.resting.remove(front)

    def rest(self) -> Status:
        taker, ledger, market = self.taker, self.ledger, self.markets[self.taker.market]
        lots = self.left
        if taker.reduce_only:
            lots = min(lots, ledger.reducible(taker.account, taker.market, taker.side))
        if lots == 0:
            return Status.NOTHING_LEFT_TO_REDUCE
        number = ledger.next_order.get(taker.market, 0)
        order = Resting(
            *(taker.account, taker.epoch, taker.sequence, taker.market, taker.side),
            *(taker.limit, number, lots, taker.expiry, taker.flags),
        )
        price = taker.limit * market.terms.tick
        worse = price - market.mark if taker.side == BUY else market.mark - price
        cost = fee(lots * price, market.terms.dearer_fee) + lots * max(0, worse)
        covered, within = room(ledger, self.markets, order, cost)
        if not within:
            return Status.POSITION_TOO_LARGE
        if not covered:
            return Status.REST_MARGIN_TOO_LOW
        if number > ORDER_NUMBER_MAX:
            return Status.BOOK_FULL
        ledger.resting.append(order)
        ledger.next_order[taker.market] = number + 1
        return Status.OK
