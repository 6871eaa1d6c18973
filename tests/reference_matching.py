"""Price-time matching by the book: docs/protocol.md 5.2, one front at a time."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from reference_margin import (
    BUY,
    ONE,
    SELL,
    Ledger,
    Market,
    Markets,
    Resting,
    equity,
    initial_margin,
    is_healthy,
)

from state.status import Status

GTC, IOC, FOK, POST_ONLY = range(4)
CANCEL_RESTING, CANCEL_TAKING, CANCEL_BOTH = range(3)
CASH_MAX = 2**111
FRONTS_MAX = 256
ORDER_NUMBER_MAX = 2**40 - 1

Fill = tuple[int, int, int, int, int, int, int, tuple[int, int], tuple[int, int], int, int]
"""Market, taker's side, ticks, price, lots, taker, maker, their orders, their fees."""


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
    def may_rest(self) -> bool:
        return self.life in (GTC, POST_ONLY)


def fee(notional: int, rate: int) -> int:
    return ceil(Fraction(notional * rate, ONE))


def room(ledger: Ledger, markets: Markets, order: Resting, cost: int) -> tuple[bool, bool]:
    """Whether margin, and whether the position limit, leave room for `order` to rest."""
    after = ledger.copied()
    after.resting.append(order)
    account, number = order.account, order.market
    needed = initial_margin(after, markets, account)
    covered = equity(ledger, markets, account) - cost >= needed or needed <= initial_margin(
        ledger, markets, account
    )
    side = order.side
    before_reach = abs(ledger.reach(account, number)[side])
    after_reach = abs(after.reach(account, number)[side])
    within = after_reach <= max(markets[number].position_max, before_reach)
    return covered, within


def execute(
    ledger: Ledger, markets: Markets, taker: Taker, now: int
) -> tuple[Ledger, Status, list[Fill]]:
    """The ledger after the order, what became of it, and its fills."""
    run = _Run(ledger.copied() if taker.life == FOK else ledger, markets, taker, now)
    status = run.to_the_end()
    if taker.life == FOK and status != Status.OK:
        return ledger, Status.KILLED, []
    return run.ledger, status, run.fills


class _Run:
    def __init__(self, ledger: Ledger, markets: Markets, taker: Taker, now: int) -> None:
        self.ledger, self.markets, self.taker, self.now = ledger, markets, taker, now
        self.market: Market = markets[taker.market]
        self.left = taker.lots
        self.fills: list[Fill] = []

    def to_the_end(self) -> Status:
        for _ in range(FRONTS_MAX):
            front = self.front()
            if front is None or self.left == 0:
                break
            status = self.meet(front)
            if status is not None:
                return status
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
        interest = after.open_interest(front.market)
        if interest > max(self.market.open_interest_max, self.ledger.open_interest(front.market)):
            faults.append(Status.OPEN_INTEREST_TOO_LARGE)
        if faults:
            # The page's order of numbers would name the smallest of several; the venue the largest.
            return max(faults)
        self.ledger = after
        self.left -= lots
        self.fills.append(fill)
        return None

    def filled(self, front: Resting, lots: int) -> tuple[Ledger, Fill]:
        """What the ledger would be after the fill."""
        taker, market = self.taker, self.market
        price = front.ticks * market.tick
        notional = lots * price
        taker_fee, maker_fee = fee(notional, market.taker_fee), fee(notional, market.maker_fee)
        after = self.ledger.copied()
        way = 1 if taker.side == BUY else -1
        after.move(taker.account, taker.market, way * lots, -way * notional - taker_fee)
        after.move(front.account, taker.market, -way * lots, way * notional - maker_fee)
        after.fees += taker_fee + maker_fee
        place = after.resting.index(front)
        less = replace(front, lots=front.lots - lots)
        after.resting[place : place + 1] = [less] if less.lots else []
        return after, (
            *(taker.market, taker.side, front.ticks, price, lots, taker.account, front.account),
            *((taker.epoch, taker.sequence), (front.epoch, front.sequence), taker_fee, maker_fee),
        )

    def faults(self, after: Ledger, account: int) -> list[Status]:
        """Why `account` may not be left as `after` has it; empty if it may."""
        before, number = self.ledger, self.taker.market
        old, new = before.lots(account, number), after.lots(account, number)
        faults = []
        cash_fits = abs(after.holders[account].cash) <= CASH_MAX
        smaller = abs(new) < abs(old) and new * old >= 0
        no_riskier = equity(after, self.markets, account) * initial_margin(
            before, self.markets, account
        ) >= equity(before, self.markets, account) * initial_margin(after, self.markets, account)
        sound = is_healthy(after, self.markets, account) or (smaller and no_riskier)
        if not sound:
            faults.append(Status.TAKER_MARGIN_TOO_LOW)
        if not cash_fits or abs(new) > max(abs(old), self.market.position_max):
            faults.append(Status.POSITION_TOO_LARGE)
        return faults

    def sweep(self, front: Resting) -> None:
        self.ledger.resting.remove(front)

    def rest(self) -> Status:
        taker, ledger, market = self.taker, self.ledger, self.market
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
        price = taker.limit * market.tick
        worse = price - market.mark if taker.side == BUY else market.mark - price
        cost = fee(lots * price, market.dearer_fee) + lots * max(0, worse)
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
