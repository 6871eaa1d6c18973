"""Rotate owner: an account follows the owner number to whom L1 says has it.

Anybody may ask for that, since L1 lets nobody name another than the number's owner.
"""

from msgspec import Struct

from state.accounts import handed_to
from state.crypto import ZERO_ADDRESS
from state.packing import NotCanonical, Reader, u
from state.status import Status
from state.store import Changes


class RotateOwner(Struct, frozen=True):
    """`account` is `owner`'s from now on."""

    account: int
    owner: bytes


def encode_rotate_owner(item: RotateOwner) -> bytes:
    return u(item.account, 32) + item.owner


def decode_rotate_owner(payload: bytes) -> RotateOwner:
    r = Reader(payload)
    item = RotateOwner(r.u(32), r.raw(20))
    r.end()
    return item


def apply_rotate_owner(changes: Changes, payload: bytes) -> Status:
    """The owner changes and every session key ends; orders, positions and numbers stay.

    What the old owner has signed and nobody has sequenced yet is nobody's signature now.
    Nothing changes where the account has followed already, or a stranger could end its keys.
    """
    try:
        item = decode_rotate_owner(payload)
    except NotCanonical:
        return Status.BAD_ITEM
    account = changes.account(item.account)
    if account.is_absent:
        return Status.UNKNOWN_ACCOUNT
    if item.owner == ZERO_ADDRESS:
        return Status.BAD_ITEM
    changes.write_account(item.account, handed_to(account, item.owner))
    return Status.OK
