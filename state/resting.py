"""Resting lots: what open orders add to an account's risk, and whether there is room for more."""

from msgspec.structs import replace

from state.accounts import Account, OrderReference, Position, with_position, without_order
from state.margin import health, worst_lots
from state.markets import BoardRow, Market
from state.orders import BUY, RestingOrder
from state.status import Status
from state.store import PreState
from state.units import notional, share_up


def lots_of(account: Account, market: int) -> int:
    """The account's signed lots in `market`."""
    position = account.position(market)
    return position.lots if position else 0


def with_resting_lots(account: Account, market: int, side: int, lots: int) -> Account:
    """`account` with its resting lots on `side` moved by `lots`."""
    position = account.position(market) or Position(market)
    resting = (position.bid_lots if side == BUY else position.ask_lots) + lots
    assert resting >= 0, "all that rests is counted"
    if side == BUY:
        return with_position(account, replace(position, bid_lots=resting))
    return with_position(account, replace(position, ask_lots=resting))


def without_resting(account: Account, market: int, side: int, resting: RestingOrder) -> Account:
    """`account` without one of its resting orders: neither the reference nor the lots."""
    account = without_order(account, resting.epoch, resting.sequence)
    return with_resting_lots(account, market, side, -resting.lots)


def resting_at(state: PreState, account: int, place: OrderReference) -> RestingOrder:
    """The order that a reference of `account` leads to."""
    resting = state.order(place.market, place.side, place.key)
    assert resting is not None, "a reference leads to a resting order"
    name = resting.account, resting.epoch, resting.sequence
    assert name == (account, place.epoch, place.sequence), "a reference leads to its own order"
    return resting


def reducible_lots(lots: int, side: int) -> int:
    """How many lots an order on `side` can take off a position before it is flat."""
    return max(0, -lots if side == BUY else lots)


def dearer_fee(market: Market, lots: int, ticks: int) -> int:
    """The larger of the two fees on `lots` at `ticks`: who makes and who takes is not known yet."""
    value = notional(lots, ticks * market.tick)
    return share_up(value, max(market.taker_fee, market.maker_fee))


def distance_cost(market: Market, row: BoardRow, side: int, lots: int, ticks: int) -> int:
    """What a fill at `ticks` takes off equity because that price is worse than the mark."""
    value, at_mark = notional(lots, ticks * market.tick), notional(lots, row.mark)
    return max(0, value - at_mark if side == BUY else at_mark - value)


def room_status(
    state: PreState, account: Account, market: Market, *, side: int, lots: int, cost: int
) -> Status:
    """Whether `account` may have `lots` more open on `side`, which will cost it `cost`.

    MARGIN_TOO_LOW unless equity less the cost covers initial margin with these lots at
    their worst case, or initial margin does not rise. POSITION_LIMIT where they could take
    the position past the market's maximum.
    """
    resting = with_resting_lots(account, market.market, side, lots)
    after = health(state, resting)
    # Hardly ever short of margin: only then what it was before is worth its price.
    if after.equity - cost < after.initial and after.initial > health(state, account).initial:
        return Status.MARGIN_TOO_LOW
    worst = _worst_of(resting, market.market)
    if worst > market.position_max and worst > _worst_of(account, market.market):
        return Status.POSITION_LIMIT
    return Status.OK


def _worst_of(account: Account, market: int) -> int:
    position = account.position(market)
    return worst_lots(position) if position else 0
