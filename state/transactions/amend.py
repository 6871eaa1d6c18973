"""Amend: change price, size or expiry of a resting order; smaller keeps its priority."""

from msgspec import Struct

from state.eip712 import AMEND_TYPE_HASH, Domain, digest, word
from state.packing import Reader, u


class Amend(Struct, frozen=True, gc=False):
    """`lots` of the order (`order_epoch`, `order_sequence`) shall be open from now on."""

    account: int
    epoch: int
    sequence: int
    order_epoch: int
    order_sequence: int
    ticks: int
    lots: int
    expiry: int


def encode_amend(tx: Amend) -> bytes:
    return b"".join(
        [
            u(tx.account, 32) + u(tx.epoch, 32) + u(tx.sequence, 64),
            u(tx.order_epoch, 32) + u(tx.order_sequence, 64),
            u(tx.ticks, 24) + u(tx.lots, 48) + u(tx.expiry, 40),
        ]
    )


def decode_amend(row: bytes) -> Amend:
    r = Reader(row)
    return Amend(r.u(32), r.u(32), r.u(64), r.u(32), r.u(64), r.u(24), r.u(48), r.u(40))


def amend_digest(domain: Domain, tx: Amend) -> bytes:
    return digest(
        domain,
        AMEND_TYPE_HASH,
        word(tx.account) + word(tx.epoch) + word(tx.sequence),
        word(tx.order_epoch) + word(tx.order_sequence),
        word(tx.ticks) + word(tx.lots) + word(tx.expiry),
    )
