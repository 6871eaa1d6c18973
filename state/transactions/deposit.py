"""Deposit: credit cash that L1 has already taken in. None that L1 makes can fail.

Only the owner of a number deposits for it on L1, so a leaf of another owner is behind.
"""

from msgspec import Struct
from msgspec.structs import replace

from state.accounts import handed_to
from state.crypto import ZERO_ADDRESS
from state.packing import NotCanonical, Reader, u
from state.status import Status
from state.store import Changes
from state.units import nano


class Deposit(Struct, frozen=True, gc=False):
    """`amount` micro-USDC for `account`, which is `owner`'s from now on."""

    account: int
    owner: bytes
    amount: int


def encode_deposit(item: Deposit) -> bytes:
    return u(item.account, 32) + item.owner + u(item.amount, 64)


def decode_deposit(payload: bytes) -> Deposit:
    r = Reader(payload)
    deposit = Deposit(r.u(32), r.raw(20), r.u(64))
    r.end()
    return deposit


def apply_deposit(changes: Changes, payload: bytes) -> Status:
    """cash and the sum of deposits rise by the same amount.

    An account that is another's, or nobody's yet, is handed to the item's owner.
    """
    try:
        item = decode_deposit(payload)
    except NotCanonical:
        return Status.BAD_ITEM
    if item.owner == ZERO_ADDRESS:
        return Status.BAD_ITEM
    account = handed_to(changes.account(item.account), item.owner)
    amount = nano(item.amount)
    changes.write_account(item.account, replace(account, cash=account.cash + amount))
    changes.machine.deposited += amount
    return Status.OK
