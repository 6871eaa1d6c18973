"""Revoke key: a session key of the account ends; its resting orders stay."""

from msgspec import Struct

from state.eip712 import REVOKE_KEY_TYPE_HASH, Domain, digest, word
from state.packing import Reader, u


class RevokeKey(Struct, frozen=True, gc=False):
    """Ends the session key of `key_epoch`."""

    account: int
    sequence: int
    key_epoch: int
    expiry: int


def encode_revoke_key(tx: RevokeKey) -> bytes:
    return u(tx.account, 32) + u(tx.sequence, 64) + u(tx.key_epoch, 32) + u(tx.expiry, 40)


def decode_revoke_key(row: bytes) -> RevokeKey:
    r = Reader(row)
    return RevokeKey(r.u(32), r.u(64), r.u(32), r.u(40))


def revoke_key_digest(domain: Domain, tx: RevokeKey) -> bytes:
    return digest(
        domain,
        REVOKE_KEY_TYPE_HASH,
        word(tx.account) + word(tx.sequence) + word(tx.key_epoch) + word(tx.expiry),
    )
