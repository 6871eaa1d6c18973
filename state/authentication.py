"""Who signed: the same few checks in the same order for every signed kind.

Recovery itself is passed in, because it needs a curve library and this room holds
rules alone.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from state.accounts import (
    OWNER_KEY,
    PERMIT_BLOCK,
    PERMIT_CANCEL,
    PERMIT_TRADE,
    Account,
    last_sequence,
    with_sequence,
)
from state.crypto import ZERO_ADDRESS
from state.eip712 import Domain
from state.status import Status
from state.store import Changes

Recover = Callable[[bytes, bytes], bytes]
"""Digest and 64-byte signature to the signer's address; the zero address for a signature
that is not one (r or s zero or too large, s in the upper half, no such point)."""


Permission = Callable[[Account, int, int], bool]
"""Whether the key of an epoch may do something now: `may_trade` and its like."""


class Signed(Protocol):
    """A transaction that one key signed."""

    @property
    def account(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def expiry(self) -> int: ...


class Verifier(Struct, frozen=True):
    """What a signature is checked against: the deployment, and a way to recover a signer."""

    domain: Domain
    recover: Recover


def key_address(account: Account, epoch: int) -> bytes | None:
    """The address of the key of `epoch`, or None where the account has no such key."""
    if epoch == OWNER_KEY:
        return account.owner
    key = account.key(epoch)
    return key.address if key is not None else None


def signer_status(
    account: Account,
    verifier: Verifier,
    *,
    epoch: int,
    sequence: int,
    digest: bytes,
    signature: bytes,
) -> Status:
    """OK, or why what was signed is not `account`'s; nothing is consumed.

    Account, key, signature and sequence number are looked at in turn.
    """
    if account.is_absent:
        return Status.UNKNOWN_ACCOUNT
    address = key_address(account, epoch)
    if address is None:
        return Status.UNKNOWN_KEY
    signer = verifier.recover(digest, signature)
    # Zero never authorises: a failed recovery is zero, and so is an absent owner.
    if signer == ZERO_ADDRESS or signer != address:
        return Status.BAD_SIGNATURE
    if sequence <= last_sequence(account, epoch):
        return Status.SEQUENCE_USED
    return Status.OK


def may_trade(account: Account, epoch: int, now: int) -> bool:
    """The owner always; a session key until its expiry, if it was permitted to trade."""
    return _is_permitted(account, epoch, now, PERMIT_TRADE)


def may_cancel(account: Account, epoch: int, now: int) -> bool:
    """As `may_trade`; the permission to trade or the one to cancel will do."""
    return _is_permitted(account, epoch, now, PERMIT_TRADE | PERMIT_CANCEL)


def may_block_trade(account: Account, epoch: int, now: int) -> bool:
    """As `may_trade`, by a permission of its own: the one to trade will not do."""
    return _is_permitted(account, epoch, now, PERMIT_BLOCK)


def _is_permitted(account: Account, epoch: int, now: int, permissions: int) -> bool:
    if epoch == OWNER_KEY:
        return True
    key = account.key(epoch)
    return key is not None and now <= key.expiry and bool(key.permissions & permissions)


def authorise(
    changes: Changes,
    verifier: Verifier,
    tx: Signed,
    *,
    digest: bytes,
    signature: bytes,
    epoch: int = OWNER_KEY,
    may: Permission = may_trade,
) -> Status:
    """What every kind with one signer asks first. OK, or why `tx` is nobody's or is refused.

    Once it is somebody's the sequence number is consumed; then NOT_PERMITTED unless `may`
    says yes to its key, and EXPIRED.
    """
    account = changes.account(tx.account)
    status = signer_status(
        account, verifier, epoch=epoch, sequence=tx.sequence, digest=digest, signature=signature
    )
    if status:
        return status
    changes.write_account(tx.account, with_sequence(account, epoch, tx.sequence))
    now = changes.machine.time
    if not may(account, epoch, now):
        return Status.NOT_PERMITTED
    return Status.EXPIRED if now > tx.expiry else Status.OK
