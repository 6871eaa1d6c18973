"""Block trade: two accounts exchange lots at prices they agreed on, every leg or none."""

from msgspec import Struct

from state.crypto import keccak
from state.eip712 import BLOCK_TRADE_TYPE_HASH, LEG_TYPE_HASH, SIDES, Domain, digest, word
from state.limits import BLOCK_LEGS_MAX
from state.packing import Reader, u


class Leg(Struct, frozen=True, gc=False):
    """One market's part: the taker's side, the price in ticks, the lots."""

    market: int = 0
    taker_side: int = 0
    ticks: int = 0
    lots: int = 0


NO_LEG = Leg()


class BlockTrade(Struct, frozen=True, gc=False):
    """The first `count` of `legs` count; there are always `BLOCK_LEGS_MAX` places."""

    maker: int
    maker_epoch: int
    maker_sequence: int
    taker: int
    taker_epoch: int
    taker_sequence: int
    expiry: int
    count: int
    legs: tuple[Leg, ...]


def encode_legs(legs: tuple[Leg, ...]) -> bytes:
    assert len(legs) == BLOCK_LEGS_MAX
    return b"".join(
        u(leg.market, 16) + u(leg.taker_side, 8) + u(leg.ticks, 24) + u(leg.lots, 48)
        for leg in legs
    )


def decode_legs(r: Reader) -> tuple[Leg, ...]:
    return tuple(Leg(r.u(16), r.u(8), r.u(24), r.u(48)) for _ in range(BLOCK_LEGS_MAX))


def encode_block_trade(tx: BlockTrade) -> bytes:
    return b"".join(
        [
            u(tx.maker, 32) + u(tx.maker_epoch, 32) + u(tx.maker_sequence, 64),
            u(tx.taker, 32) + u(tx.taker_epoch, 32) + u(tx.taker_sequence, 64),
            u(tx.expiry, 40) + u(tx.count, 8) + encode_legs(tx.legs),
        ]
    )


def decode_block_trade(row: bytes) -> BlockTrade:
    r = Reader(row)
    parties = (r.u(32), r.u(32), r.u(64), r.u(32), r.u(32), r.u(64))
    return BlockTrade(*parties, r.u(40), r.u(8), decode_legs(r))


def block_trade_digest(domain: Domain, tx: BlockTrade) -> bytes:
    """What both parties sign; the legs that count, each hashed as a struct of its own."""
    legs = b"".join(
        keccak(
            LEG_TYPE_HASH
            + word(leg.market)
            + keccak(SIDES[leg.taker_side].encode())
            + word(leg.ticks)
            + word(leg.lots)
        )
        for leg in tx.legs[: tx.count]
    )
    return digest(
        domain,
        BLOCK_TRADE_TYPE_HASH,
        word(tx.maker) + word(tx.maker_epoch) + word(tx.maker_sequence),
        word(tx.taker) + word(tx.taker_epoch) + word(tx.taker_sequence),
        keccak(legs) + word(tx.expiry),
    )
