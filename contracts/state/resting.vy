# pragma version 0.4.3
"""
@title Resting lots: what open orders add to an account's risk, and whether there is room for more
@notice As state/resting.py.
"""

from . import accounts
from . import limits
from . import margin
from . import markets
from . import orders
from . import status
from . import store
from . import units
from . import witness


@internal
@pure
def _lots_of(account: accounts.Account, market: uint256) -> int256:
    """
    @notice The account's signed lots in `market`.
    """
    return accounts._position(account, market).lots


@internal
@pure
def _with_resting_lots(
    account: accounts.Account, market: uint256, side: uint256, lots: int256
) -> accounts.Account:
    """
    @notice `account` with its resting lots on `side` moved by `lots`.
    """
    position: accounts.Position = accounts._position(account, market)
    if side == orders.BUY:
        position.bid_lots = convert(convert(position.bid_lots, int256) + lots, uint256)
    else:
        position.ask_lots = convert(convert(position.ask_lots, int256) + lots, uint256)
    return accounts._with_position(account, position)


@internal
@pure
def _without_resting(
    account: accounts.Account, market: uint256, side: uint256, resting: orders.RestingOrder
) -> accounts.Account:
    """
    @notice `account` without one of its resting orders: neither the reference nor the lots.
    """
    return self._with_resting_lots(
        accounts._without_order(account, resting.epoch, resting.sequence),
        market,
        side,
        -convert(resting.lots, int256),
    )


@internal
@pure
def _resting_at(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    account: uint256,
    place: accounts.OrderReference,
) -> orders.RestingOrder:
    """
    @notice The order that a reference of `account` leads to.
    """
    resting: orders.RestingOrder = store._order(
        leaves, places, store._order_place(places, place.market, place.side, place.key)
    )
    assert resting.domain > 0
    assert resting.account == account
    assert resting.epoch == place.epoch and resting.sequence == place.sequence
    return resting


@internal
@pure
def _reducible_lots(lots: int256, side: uint256) -> uint256:
    """
    @notice How many lots an order on `side` can take off a position of `lots`.
    """
    reducible: int256 = -lots if side == orders.BUY else lots
    return convert(max(reducible, 0), uint256)


@internal
@pure
def _dearer_fee(market: markets.Market, lots: uint256, ticks: uint256) -> uint256:
    """
    @notice What a fill of `lots` at `ticks` costs at most in fees.
    """
    value: uint256 = units._notional(lots, ticks * market.tick)
    return units._share_up(value, max(market.taker_fee, market.maker_fee))


@internal
@pure
def _distance_cost(
    market: markets.Market, row: markets.MarginRow, side: uint256, lots: uint256, ticks: uint256
) -> uint256:
    """
    @notice What a fill at `ticks` takes off equity because that price is worse than the mark.
    """
    value: uint256 = units._notional(lots, ticks * market.tick)
    at_mark: uint256 = units._notional(lots, row.mark)
    if side == orders.BUY:
        return max(value, at_mark) - at_mark
    return max(value, at_mark) - value


@internal
@pure
def _room_status(
    rows: store.Rows,
    account: accounts.Account,
    market: markets.Market,
    side: uint256,
    lots: uint256,
    cost: uint256,
) -> uint256:
    """
    @notice Whether `account` may have `lots` more open on `side`, which will cost it `cost`.
            MARGIN_TOO_LOW unless equity less the cost covers initial margin with these lots at
            their worst case, or initial margin does not rise. POSITION_LIMIT where they could
            take the position past the market's maximum.
    """
    resting: accounts.Account = self._with_resting_lots(
        account, market.market, side, convert(lots, int256)
    )
    after: margin.Health = margin._health(rows, resting, empty(markets.MarginRow))
    if after.equity - convert(cost, int256) < after.initial:
        before: margin.Health = margin._health(rows, account, empty(markets.MarginRow))
        if after.initial > before.initial:
            return status.MARGIN_TOO_LOW
    worst: uint256 = self._worst_of(resting, market.market)
    if worst > market.position_max and worst > self._worst_of(account, market.market):
        return status.POSITION_LIMIT
    return status.OK


@internal
@pure
def _worst_of(account: accounts.Account, market: uint256) -> uint256:
    """
    @notice The worst case of the account's slot in `market`, zero without one.
    """
    return margin._worst_lots(accounts._position(account, market))
