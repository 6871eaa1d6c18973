# pragma version 0.4.3
"""
@title Orders: the leaf of a resting order, its key in the book, and the flags of an order
@notice As state/orders.py. Leaves that come here have been proven and are canonical.
"""

from . import limits
from . import packing


DOMAIN: constant(uint256) = 4
BUY: constant(uint256) = 0
SELL: constant(uint256) = 1
REDUCE_ONLY_BIT: constant(uint256) = 16

# How long an order may live.
GTC: constant(uint256) = 0
IOC: constant(uint256) = 1
FOK: constant(uint256) = 2
POST_ONLY: constant(uint256) = 3

# What happens when an order meets one of its own account.
CANCEL_RESTING: constant(uint256) = 0
CANCEL_TAKING: constant(uint256) = 1
CANCEL_BOTH: constant(uint256) = 2

ORDER_LAYOUT: constant(bytes32) = (
    0x0104040808080100000000000000000000000000000000000000000000000000
)
ORDER_BYTES: constant(uint256) = 34
NUMBER_BITS: constant(uint256) = 40


struct Flags:
    side: uint256
    is_market: bool
    life: uint256
    reduce_only: bool
    self_trade: uint256
    may_rest: bool  # whether what is left of such an order joins the book


struct RestingOrder:
    domain: uint256  # zero where there is none
    account: uint256
    epoch: uint256
    sequence: uint256
    lots: uint256
    expiry: uint256
    flags: uint256


@internal
@pure
def _decode_flags(flags: uint256) -> (bool, Flags):
    """
    @notice Whether the flag byte says something sensible, and what: side, type, life,
            reduce-only, self-trade from the lowest bit. A market order names no price
            at which it could rest.
    """
    life: uint256 = (flags >> 2) & 3
    decoded: Flags = Flags(
        side=flags & 1,
        is_market=(flags >> 1) & 1 == 1,
        life=life,
        reduce_only=(flags >> 4) & 1 == 1,
        self_trade=(flags >> 5) & 3,
        may_rest=life == GTC or life == POST_ONLY,
    )
    is_sensible: bool = (
        flags >> 7 == 0
        and decoded.self_trade <= CANCEL_BOTH
        and not (decoded.is_market and decoded.may_rest)
    )
    return is_sensible, decoded


@internal
@pure
def _decode_order(leaf: Bytes[packing.LEAF_BYTES_MAX]) -> RestingOrder:
    """
    @notice The order of a canonical leaf.
    """
    if len(leaf) == 0:
        return empty(RestingOrder)
    return abi_decode(packing._unpack(leaf, 0, ORDER_LAYOUT), RestingOrder)


@internal
@pure
def _encode_order(order: RestingOrder) -> Bytes[packing.PACKED_BYTES_MAX]:
    """
    @notice The leaf of a resting order.
    """
    return packing._pack(abi_encode(order), ORDER_LAYOUT)


@internal
@pure
def _rank(side: uint256, ticks: uint256) -> uint256:
    """
    @notice What the book sorts by: lower is better on both sides.
    """
    if side == SELL:
        return ticks
    return limits.TICKS_MAX - ticks


@internal
@pure
def _order_key(side: uint256, ticks: uint256, number: uint256) -> uint256:
    """
    @notice rank u24 | order number u40.
    """
    return self._rank(side, ticks) << NUMBER_BITS | number


@internal
@pure
def _key_ticks(side: uint256, key: uint256) -> uint256:
    """
    @notice The price, in ticks, of the order with this key.
    """
    return self._rank(side, key >> NUMBER_BITS)


@internal
@pure
def _crosses(taker_side: uint256, limit: uint256, maker_ticks: uint256) -> bool:
    """
    @notice Whether a resting order at `maker_ticks` is within the taker's limit.
    """
    if taker_side == BUY:
        return maker_ticks <= limit
    return maker_ticks >= limit
