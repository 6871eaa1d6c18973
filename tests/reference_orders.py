"""Admission of orders and amends: docs/protocol.md 5.1 and 5.3."""

from dataclasses import replace

from reference_ledger import BUY, Ledger, Markets, Resting
from reference_margin import TICKS_MAX, band_edges, is_fresh
from reference_matching import (
    FOK,
    IOC,
    Outcome,
    Taker,
    execute,
    fee,
    room,
    taker_of,
)

from state.status import Status
from state.transactions.amend import Amend
from state.transactions.order import NewOrder

ORDERS_MAX, POSITIONS_MAX = 64, 16

After = tuple[Ledger, Outcome]


def says_something(tx: NewOrder) -> bool:
    """Whether the flags mean an order, and its ticks are those of its type."""
    is_market, life, self_trade = tx.flags >> 1 & 1, tx.flags >> 2 & 3, tx.flags >> 5 & 3
    if tx.flags >> 7 or self_trade == 3 or is_market != (tx.ticks == 0):
        return False
    return not is_market or life in (IOC, FOK)


def place(ledger: Ledger, markets: Markets, tx: NewOrder, now: int) -> After:
    """An authenticated order from its market on."""
    taker = taker_of(
        *(tx.account, (tx.epoch, tx.sequence), tx.market, tx.flags),
        ticks=tx.ticks,
        lots=tx.lots,
        expiry=tx.expiry,
    )
    status = _refusal(ledger, markets, taker, now)
    if status != Status.OK:
        return ledger, Outcome(status, [])
    return execute(ledger, markets, taker, now)


def keeps_priority(tx: Amend, old: Resting) -> bool:
    """Whether the order is changed where it stands."""
    return tx.ticks == old.ticks and tx.lots <= old.lots and tx.expiry <= old.expiry


def amend(ledger: Ledger, markets: Markets, tx: Amend, old: Resting, now: int) -> After:
    """An authenticated amend of `old`: changed where it stands, or placed anew."""
    terms = markets[old.market].terms
    if keeps_priority(tx, old):
        if tx.lots == 0:
            return ledger, Outcome(Status.LOTS_OUT_OF_RANGE, [])
        if tx.lots * tx.ticks * terms.tick < terms.min_notional:
            return ledger, Outcome(Status.NOTIONAL_TOO_SMALL, [])
        after = ledger.copied()
        after.resting[after.resting.index(old)] = replace(old, lots=tx.lots, expiry=tx.expiry)
        return after, Outcome(Status.OK, [])
    taker = taker_of(
        *(old.account, (old.epoch, old.sequence), old.market, old.flags),
        ticks=tx.ticks,
        lots=tx.lots,
        expiry=tx.expiry,
    )
    without = ledger.without(old)
    status = _refusal(without, markets, taker, now)
    if status != Status.OK:
        return ledger, Outcome(status, [])
    return execute(without, markets, taker, now)


def _refusal(ledger: Ledger, markets: Markets, taker: Taker, now: int) -> Status:
    status = _price(markets, taker, now)
    if status == Status.OK:
        status = _size(ledger, markets, taker)
    if status == Status.OK:
        status = _places(ledger, taker)
    if status == Status.OK:
        status = _room(ledger, markets, taker)
    return status


def _price(markets: Markets, taker: Taker, now: int) -> Status:
    """Market, life and band; the limit of a market order becomes the band's edge."""
    market = markets.get(taker.market)
    if market is None:
        return Status.UNKNOWN_MARKET
    if taker.expiry > now + market.terms.order_life_max:
        return Status.EXPIRY_TOO_FAR
    if not is_fresh(market, now):
        return Status.MARKET_CLOSED
    lowest, highest = band_edges(market)
    edge = highest if taker.side == BUY else lowest
    if not 0 < edge <= TICKS_MAX:
        return Status.PRICE_OUT_OF_BAND
    if taker.flags >> 1 & 1:
        taker.limit = edge
    elif taker.limit > edge if taker.side == BUY else taker.limit < edge:
        return Status.PRICE_OUT_OF_BAND
    return Status.OK


def _counted(ledger: Ledger, taker: Taker) -> int:
    if not taker.reduce_only:
        return taker.lots
    return min(taker.lots, ledger.reducible(taker.account, taker.market, taker.side))


def _size(ledger: Ledger, markets: Markets, taker: Taker) -> Status:
    terms = markets[taker.market].terms
    if not 1 <= taker.lots <= terms.order_lots_max:
        return Status.LOTS_OUT_OF_RANGE
    counted = _counted(ledger, taker)
    held = abs(ledger.lots(taker.account, taker.market))
    closes = taker.reduce_only and 0 < counted == held
    small = counted * taker.limit * terms.tick < terms.min_notional
    if counted and small and not (closes and not taker.may_rest):
        return Status.NOTIONAL_TOO_SMALL
    return Status.OK


def _places(ledger: Ledger, taker: Taker) -> Status:
    if taker.may_rest and len(ledger.orders_of(taker.account)) >= ORDERS_MAX:
        return Status.TOO_MANY_ORDERS
    if not has_place(ledger, taker.account, taker.market):
        return Status.TOO_MANY_POSITIONS
    if _counted(ledger, taker) == 0:
        return Status.NOTHING_TO_REDUCE
    return Status.OK


def has_place(ledger: Ledger, account: int, market: int) -> bool:
    """Whether the account stands in `market`, or may."""
    stands_in = ledger.markets_of(account)
    return market in stands_in or len(stands_in) < POSITIONS_MAX


def _room(ledger: Ledger, markets: Markets, taker: Taker) -> Status:
    terms, lots = markets[taker.market].terms, _counted(ledger, taker)
    order = Resting(
        *(taker.account, taker.epoch, taker.sequence, taker.market, taker.side),
        *(taker.limit, 0, lots, taker.expiry, taker.flags),
    )
    cost = fee(lots * taker.limit * terms.tick, terms.dearer_fee)
    covered, within = room(ledger, markets, order, cost)
    if not covered:
        return Status.MARGIN_TOO_LOW
    return Status.OK if within else Status.POSITION_LIMIT
