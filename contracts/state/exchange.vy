# pragma version 0.4.3
"""
@title Exchange: two accounts exchange lots for cash at a price
@notice As state/exchange.py: what would stand, and writing it. Nothing rounds but the fees. Fills
        are for readers, so there are none here. The accounts of both sides stay with the caller:
        copied about they would not fit a contract.
"""

from . import accounts
from . import limits
from . import machine
from . import markets
from . import orders
from . import status
from . import store
from . import units


# The parties, as they index a caller's accounts.
TAKER: constant(uint256) = 0
MAKER: constant(uint256) = 1
PARTIES: constant(uint256) = 2


struct Exchange:
    market: markets.Market
    # Of the market's row; nothing else of it changes.
    sides: markets.Sides
    sides_after: markets.Sides
    taker_side: uint256
    price: uint256
    lots: uint256
    fees: uint256[PARTIES]


@internal
@pure
def _exchange(
    market: markets.Market, sides: markets.Sides, taker_side: uint256, ticks: uint256
) -> Exchange:
    """
    @notice Of no lots yet, at `ticks`.
    """
    assert market.domain > 0  # who trades asked before, as for its row
    return Exchange(
        market=market,
        sides=sides,
        sides_after=sides,
        taker_side=taker_side,
        price=ticks * market.tick,
        lots=0,
        fees=[0, 0],
    )


@internal
@pure
def _move(exchange: Exchange, lots: uint256) -> Exchange:
    """
    @notice The exchange of `lots`, with the fees of both sides. `_moved` of the taker and then of
            the maker follows.
    """
    value: uint256 = units._notional(lots, exchange.price)
    moved: Exchange = exchange
    moved.lots = lots
    moved.fees = [
        units._share_up(value, exchange.market.taker_fee),
        units._share_up(value, exchange.market.maker_fee),
    ]
    return moved


@internal
@pure
def _moved(
    exchange: Exchange, account: accounts.Account, party: uint256
) -> (markets.Sides, accounts.Account):
    """
    @notice The account of TAKER or MAKER after it: lots one way, cash the other, the fee on top;
            and the sides of the board row, which follow.
    """
    before: int256 = accounts._position(account, exchange.market.market).lots
    sides: markets.Sides = self._sides_with_lots(
        exchange.sides_after, before, before + self._signed_lots(exchange, party)
    )
    return sides, self._account_moved(exchange, account, party)


@internal
@pure
def _account_moved(
    exchange: Exchange, account: accounts.Account, party: uint256
) -> accounts.Account:
    """
    @notice `_moved` without the sides.
    """
    signed: int256 = self._signed_lots(exchange, party)
    position: accounts.Position = accounts._position(account, exchange.market.market)
    after: accounts.Account = accounts._with_position(
        account, self._with_lots(position, exchange.sides, position.lots + signed)
    )
    paid: int256 = signed * convert(exchange.price, int256)
    after.head.cash -= paid + convert(exchange.fees[party], int256)
    return after


@internal
@pure
def _signed_lots(exchange: Exchange, party: uint256) -> int256:
    """
    @notice What the exchange adds to the lots of TAKER or MAKER.
    """
    signed: int256 = convert(exchange.lots, int256)
    if (exchange.taker_side == orders.BUY) == (party == MAKER):
        return -signed
    return signed


@internal
@pure
def _interest_status(exchange: Exchange) -> uint256:
    """
    @notice OK, or OPEN_INTEREST_TOO_LARGE where it grew past the market's maximum.
    """
    longs: uint256 = exchange.sides_after.long.lots
    if longs > exchange.sides.long.lots and longs > exchange.market.open_interest_max:
        return status.OPEN_INTEREST_TOO_LARGE
    return status.OK


@internal
@pure
def _size_status(
    market: markets.Market, lots_before: int256, lots: int256, cash: int256
) -> uint256:
    """
    @notice OK, or POSITION_TOO_LARGE where a position grew past its maximum or cash past its own.
    @param cash Of the account after it.
    """
    size: int256 = abs(lots)
    if size > convert(market.position_max, int256) and size > abs(lots_before):
        return status.POSITION_TOO_LARGE
    if abs(cash) > limits.CASH_MAX:
        return status.POSITION_TOO_LARGE
    return status.OK


@internal
@pure
def _write(m: machine.Machine, exchange: Exchange) -> machine.Machine:
    """
    @notice The sums. What one side pays the other gets: that of cash moves by the fees alone.
    """
    fees: uint256 = exchange.fees[TAKER] + exchange.fees[MAKER]
    written: machine.Machine = store._write_row(m, exchange.sides, exchange.sides_after)
    written.sums.cash -= convert(fees, int256)
    written.sums.fees += fees
    return written


# --- positions and the board ---


@internal
@pure
def _with_lots(
    position: accounts.Position, sides: markets.Sides, lots: int256
) -> accounts.Position:
    """
    @notice `position` holding `lots`; its index snapshots are its side's, and none when flat.
    """
    after: accounts.Position = position
    after.lots = lots
    side: markets.Side = empty(markets.Side)
    side.a = units.INDEX_ONE
    if lots > 0:
        side = sides.long
    elif lots < 0:
        side = sides.short
    after.a = side.a
    after.k = side.k
    after.f = side.f
    return after


@internal
@pure
def _sides_with_lots(sides: markets.Sides, before: int256, after: int256) -> markets.Sides:
    """
    @notice `sides` after one holder went from `before` to `after` lots.
    """
    return markets.Sides(
        long=self._with_holder(sides.long, max(before, 0), max(after, 0)),
        short=self._with_holder(sides.short, max(-before, 0), max(-after, 0)),
    )


@internal
@pure
def _with_holder(side: markets.Side, before: int256, after: int256) -> markets.Side:
    """
    @notice `side` after one of its holders went from `before` to `after` lots, zero for none.
    """
    held: markets.Side = side
    held.lots = side.lots + convert(after, uint256) - convert(before, uint256)
    held.legs = side.legs + convert(after > 0, uint256) - convert(before > 0, uint256)
    return held
