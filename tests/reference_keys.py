"""Who may sign what: docs/protocol.md 5.1, signed kinds, add key and revoke key."""

from reference_ledger import ZERO, Holder, Key

from state.status import Status
from state.transactions.add_key import AddKey

SESSION_KEYS_MAX, KEY_EPOCH_MAX = 4, 2**32 - 1


def stranger(holder: Holder | None, epoch: int, sequence: int, signer: bytes) -> Status:
    """Why this is not the account's own word; OK if it is. Nothing is consumed."""
    if holder is None:
        return Status.UNKNOWN_ACCOUNT
    if epoch not in holder.keys:
        return Status.UNKNOWN_KEY
    if signer == ZERO or signer != holder.keys[epoch].address:
        return Status.BAD_SIGNATURE
    if sequence <= max(holder.keys[epoch].last, holder.floor):
        return Status.SEQUENCE_USED
    return Status.OK


def may(key: Key, any_of: int, now: int) -> bool:
    """Whether the key has one of these permissions, and still has it."""
    return now <= key.expiry and bool(key.permissions & any_of)


def add_key(holder: Holder, tx: AddKey, now: int) -> Status:
    if len(holder.keys) - 1 >= SESSION_KEYS_MAX or holder.key_epoch == KEY_EPOCH_MAX:
        return Status.TOO_MANY_KEYS
    if tx.key == ZERO or tx.permissions == 0 or tx.key_expiry < now:
        return Status.BAD_KEY
    holder.key_epoch += 1
    holder.keys[holder.key_epoch] = Key(tx.key, tx.key_expiry, tx.permissions)
    return Status.OK


def revoke_key(holder: Holder, epoch: int) -> Status:
    """The key of this epoch ends; the owner's own is no session key."""
    if epoch == 0 or epoch not in holder.keys:
        return Status.NO_SUCH_KEY
    del holder.keys[epoch]
    return Status.OK
