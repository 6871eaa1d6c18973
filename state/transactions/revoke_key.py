"""Revoke key: a session key of the account ends; its resting orders stay.

The owner signs for it on L2, or asks for it through L1's inbox.
"""

from msgspec import Struct

from state.accounts import without_key
from state.authentication import Verifier, authorise
from state.eip712 import REVOKE_KEY_TYPE_HASH, Domain, digest, word
from state.packing import NotCanonical, Reader, u
from state.status import Status
from state.store import Changes


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


def apply_revoke_key(
    changes: Changes, tx: RevokeKey, signature: bytes, verifier: Verifier
) -> Status:
    """The account is without the key; its epoch is not given out again."""
    status = authorise(
        changes,
        verifier,
        tx,
        digest=revoke_key_digest(verifier.domain, tx),
        signature=signature,
    )
    if status:
        return status
    account = changes.account(tx.account)
    if account.key(tx.key_epoch) is None:
        return Status.NO_SUCH_KEY
    changes.write_account(tx.account, without_key(account, tx.key_epoch))
    return Status.OK


class KeyRevocation(Struct, frozen=True):
    """The inbox item: what `RevokeKey` says, from the owner's address on L1."""

    account: int
    key_epoch: int


def encode_key_revocation(item: KeyRevocation) -> bytes:
    return u(item.account, 32) + u(item.key_epoch, 32)


def decode_key_revocation(payload: bytes) -> KeyRevocation:
    r = Reader(payload)
    item = KeyRevocation(r.u(32), r.u(32))
    r.end()
    return item


def apply_key_revocation(changes: Changes, payload: bytes, sender: bytes) -> Status:
    """As `apply_revoke_key`; L1 says who asks, and anybody may."""
    try:
        item = decode_key_revocation(payload)
    except NotCanonical:
        return Status.BAD_ITEM
    account = changes.account(item.account)
    if account.is_absent:
        return Status.UNKNOWN_ACCOUNT
    if account.key(item.key_epoch) is None:
        return Status.NO_SUCH_KEY
    if sender != account.owner:
        return Status.NOT_OWNER
    changes.write_account(item.account, without_key(account, item.key_epoch))
    return Status.OK
