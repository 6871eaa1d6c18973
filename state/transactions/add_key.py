"""Add key: the owner lets another key trade, or only cancel, until an expiry."""

from msgspec import Struct

from state.accounts import PERMIT_CANCEL, PERMIT_TRADE
from state.eip712 import ADD_KEY_TYPE_HASH, Domain, address_word, digest, word
from state.packing import Reader, u


class AddKey(Struct, frozen=True, gc=False):
    """`key` is an address; it signs from the account's next key epoch on."""

    account: int
    sequence: int
    key: bytes
    key_expiry: int
    permissions: int
    expiry: int


def encode_add_key(tx: AddKey) -> bytes:
    return b"".join(
        [
            u(tx.account, 32) + u(tx.sequence, 64) + tx.key + u(tx.key_expiry, 40),
            u(tx.permissions, 16) + u(tx.expiry, 40),
        ]
    )


def decode_add_key(row: bytes) -> AddKey:
    r = Reader(row)
    return AddKey(r.u(32), r.u(64), r.raw(20), r.u(40), r.u(16), r.u(40))


def add_key_digest(domain: Domain, tx: AddKey) -> bytes:
    return digest(
        domain,
        ADD_KEY_TYPE_HASH,
        word(tx.account) + word(tx.sequence) + address_word(tx.key) + word(tx.key_expiry),
        word(tx.permissions & PERMIT_TRADE != 0) + word(tx.permissions & PERMIT_CANCEL != 0),
        word(tx.expiry),
    )
