"""Add key: the owner lets another key trade, cancel or block trade until an expiry."""

from msgspec import Struct
from msgspec.structs import replace

from state.accounts import (
    PERMISSIONS_ALL,
    PERMIT_BLOCK,
    PERMIT_CANCEL,
    PERMIT_TRADE,
    Account,
    SessionKey,
)
from state.authentication import Verifier, authorise
from state.crypto import ZERO_ADDRESS
from state.eip712 import ADD_KEY_TYPE_HASH, Domain, address_word, digest, word
from state.limits import ACCOUNT_KEYS_MAX, KEY_EPOCH_MAX
from state.packing import Reader, u
from state.status import Status
from state.store import Changes


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
        word(tx.permissions & PERMIT_BLOCK != 0) + word(tx.expiry),
    )


def apply_add_key(changes: Changes, tx: AddKey, signature: bytes, verifier: Verifier) -> Status:
    """The key gets the account's next epoch, and its sequence numbers begin above 0."""
    if tx.permissions > PERMISSIONS_ALL:
        return Status.MALFORMED
    status = authorise(
        changes,
        verifier,
        tx,
        digest=add_key_digest(verifier.domain, tx),
        signature=signature,
    )
    if status:
        return status
    account = changes.account(tx.account)
    status = _refusal(account, tx, changes.machine.time)
    if status:
        return status
    epoch = account.key_epoch + 1
    key = SessionKey(epoch, tx.key, 0, tx.key_expiry, tx.permissions)
    added = replace(account, key_epoch=epoch, keys=(*account.keys, key))
    changes.write_account(tx.account, added)
    return Status.OK


def _refusal(account: Account, tx: AddKey, now: int) -> Status:
    if len(account.keys) == ACCOUNT_KEYS_MAX or account.key_epoch == KEY_EPOCH_MAX:
        return Status.TOO_MANY_KEYS
    if tx.key == ZERO_ADDRESS or tx.permissions == 0 or tx.key_expiry < now:
        return Status.BAD_KEY
    return Status.OK
