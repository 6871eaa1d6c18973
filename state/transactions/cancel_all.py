"""Cancel all: take the account's resting orders off the book, of one market or of every one."""

from msgspec import Struct

from state.eip712 import CANCEL_ALL_TYPE_HASH, Domain, digest, word
from state.packing import Reader, u


class CancelAll(Struct, frozen=True, gc=False):
    """`every_market` is 0 or 1; where it is 1, `market` says nothing."""

    account: int
    epoch: int
    sequence: int
    every_market: int
    market: int
    expiry: int


def encode_cancel_all(tx: CancelAll) -> bytes:
    return b"".join(
        [
            u(tx.account, 32) + u(tx.epoch, 32) + u(tx.sequence, 64),
            u(tx.every_market, 8) + u(tx.market, 16) + u(tx.expiry, 40),
        ]
    )


def decode_cancel_all(row: bytes) -> CancelAll:
    r = Reader(row)
    return CancelAll(r.u(32), r.u(32), r.u(64), r.u(8), r.u(16), r.u(40))


def cancel_all_digest(domain: Domain, tx: CancelAll) -> bytes:
    return digest(
        domain,
        CANCEL_ALL_TYPE_HASH,
        word(tx.account) + word(tx.epoch) + word(tx.sequence),
        word(tx.every_market) + word(tx.market) + word(tx.expiry),
    )
