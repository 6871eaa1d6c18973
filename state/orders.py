"""Resting orders: their leaf, their key in the book, and the flags of an order."""

import struct
from enum import IntEnum

from msgspec import Struct

from state.limits import ORDER_NUMBER_MAX, TICKS_MAX
from state.packing import NotCanonical, Reader

DOMAIN = 4
BUY, SELL = 0, 1
REDUCE_ONLY_BIT = 1 << 4


class Life(IntEnum):
    """How long an order may live."""

    GTC = 0
    IOC = 1
    FOK = 2
    POST_ONLY = 3


_RESTING = (Life.GTC, Life.POST_ONLY)


class SelfTrade(IntEnum):
    """What happens when an order meets one of its own account."""

    CANCEL_RESTING = 0
    CANCEL_TAKING = 1
    CANCEL_BOTH = 2


class Flags(Struct, frozen=True, gc=False):
    """The flag byte of an order, taken apart."""

    side: int
    is_market: bool = False
    life: Life = Life.GTC
    reduce_only: bool = False
    self_trade: SelfTrade = SelfTrade.CANCEL_RESTING

    @property
    def may_rest(self) -> bool:
        """Whether what is left of such an order joins the book."""
        return self.life in _RESTING


def encode_flags(flags: Flags) -> int:
    """The flag byte: side, type, life, reduce-only, self-trade from the lowest bit."""
    return (
        flags.side
        | flags.is_market << 1
        | flags.life << 2
        | flags.reduce_only << 4
        | flags.self_trade << 5
    )


_FLAGS: dict[int, Flags] = {
    encode_flags(flags): flags
    for side in (BUY, SELL)
    for is_market in (False, True)
    for life in Life
    for reduce_only in (False, True)
    for self_trade in SelfTrade
    # A market order names no price at which it could rest.
    if not (is_market and life in (Life.GTC, Life.POST_ONLY))
    for flags in [Flags(side, is_market, life, reduce_only, self_trade)]
}


def decode_flags(byte: int) -> Flags | None:
    """The flags of `byte`, or None for a byte that says nothing sensible."""
    return _FLAGS.get(byte)


class RestingOrder(Struct, frozen=True, gc=False):
    """An order in the book; its price and time priority are its key."""

    account: int
    epoch: int
    sequence: int
    lots: int
    expiry: int
    flags: int

    @property
    def reduce_only(self) -> bool:
        return bool(self.flags & REDUCE_ONLY_BIT)


def rank(side: int, ticks: int) -> int:
    """What the book sorts by: lower is better on both sides."""
    return ticks if side == SELL else TICKS_MAX - ticks


def order_key(side: int, ticks: int, number: int) -> int:
    """rank u24 | order number u40."""
    assert 0 < ticks <= TICKS_MAX and 0 <= number <= ORDER_NUMBER_MAX
    return rank(side, ticks) << 40 | number


def key_ticks(side: int, key: int) -> int:
    """The price, in ticks, of the order with this key."""
    return rank(side, key >> 40)


def crosses(taker_side: int, limit: int, maker_ticks: int) -> bool:
    """Whether a resting order at `maker_ticks` is within the taker's limit."""
    return maker_ticks <= limit if taker_side == BUY else maker_ticks >= limit


_LEAF = struct.Struct(">BIIQQQB")


def encode_order(order: RestingOrder) -> bytes:
    """The leaf of a resting order."""
    return _LEAF.pack(
        *(DOMAIN, order.account, order.epoch, order.sequence),
        *(order.lots, order.expiry, order.flags),
    )


def decode_order(leaf: bytes) -> RestingOrder:
    """The order of `leaf`. NotCanonical for anything `encode_order` never writes."""
    r = Reader(leaf)
    if r.u(8) != DOMAIN:
        raise NotCanonical("not an order leaf")
    order = RestingOrder(r.u(32), r.u(32), r.u(64), r.u(64), r.u(64), r.u(8))
    r.end()
    flags = decode_flags(order.flags)
    if order.lots == 0 or flags is None or not flags.may_rest:
        raise NotCanonical("no such order can rest")
    return order
