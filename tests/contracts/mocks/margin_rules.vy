# pragma version 0.4.3
"""
@title Margin rules: the functions of contracts/state/units.vy, margin.vy and resting.vy, from figures and leaves
"""

from contracts.state import accounts
from contracts.state import limits
from contracts.state import margin
from contracts.state import markets
from contracts.state import packing
from contracts.state import resting
from contracts.state import units


@external
@pure
def share_up(amount: uint256, rate: uint256) -> uint256:
    return units._share_up(amount, rate)


@external
@pure
def ratio_up(amount: uint256, numerator: uint256, denominator: uint256) -> uint256:
    return units._ratio_up(amount, numerator, denominator)


@external
@pure
def ratio_down(amount: uint256, numerator: uint256, denominator: uint256) -> uint256:
    return units._ratio_down(amount, numerator, denominator)


@external
@pure
def worst_lots(lots: int256, bid_lots: uint256, ask_lots: uint256) -> uint256:
    position: accounts.Position = empty(accounts.Position)
    position.lots = lots
    position.bid_lots = bid_lots
    position.ask_lots = ask_lots
    return margin._worst_lots(position)


@external
@pure
def is_fresh(row: Bytes[limits.LEAVES_BYTES_MAX], now: uint256) -> bool:
    return margin._is_fresh(markets._decode_margin_row(row, 0), now)


@external
@pure
def interest_scale(row: Bytes[limits.LEAVES_BYTES_MAX]) -> uint256:
    return margin._interest_scale(markets._decode_margin_row(row, 0))


@external
@pure
def initial_margin(row: Bytes[limits.LEAVES_BYTES_MAX], exposure: uint256) -> int256:
    return margin._initial_margin(markets._decode_margin_row(row, 0), exposure)


@external
@pure
def may_stand(
    before: margin.Health, after: margin.Health, lots_before: int256, lots_after: int256
) -> bool:
    return margin._may_stand(before, after, lots_before, lots_after)


@external
@pure
def reducible_lots(lots: int256, side: uint256) -> uint256:
    return resting._reducible_lots(lots, side)


@external
@pure
def dearer_fee(
    market: Bytes[packing.LEAF_BYTES_MAX], lots: uint256, ticks: uint256
) -> uint256:
    return resting._dearer_fee(markets._decode_market(market), lots, ticks)


@external
@pure
def distance_cost(
    market: Bytes[packing.LEAF_BYTES_MAX],
    row: Bytes[limits.LEAVES_BYTES_MAX],
    side: uint256,
    lots: uint256,
    ticks: uint256,
) -> uint256:
    return resting._distance_cost(
        markets._decode_market(market), markets._decode_margin_row(row, 0), side, lots, ticks
    )
