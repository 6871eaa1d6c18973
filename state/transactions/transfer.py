"""Transfer: cash moves between two subaccounts of one owner."""

from msgspec import Struct
from msgspec.structs import replace

from state.accounts import Account
from state.authentication import Verifier, authorise
from state.eip712 import TRANSFER_TYPE_HASH, Domain, digest, word
from state.packing import Reader, u
from state.status import Status
from state.store import Changes
from state.transactions.withdraw import may_leave


class Transfer(Struct, frozen=True, gc=False):
    """`amount` nano-USD to another subaccount of the same owner, opened if need be."""

    account: int
    sequence: int
    to_account: int
    amount: int
    expiry: int


def encode_transfer(tx: Transfer) -> bytes:
    return b"".join(
        [
            u(tx.account, 32) + u(tx.sequence, 64) + u(tx.to_account, 32),
            u(tx.amount, 80) + u(tx.expiry, 40),
        ]
    )


def decode_transfer(row: bytes) -> Transfer:
    r = Reader(row)
    return Transfer(r.u(32), r.u(64), r.u(32), r.u(80), r.u(40))


def transfer_digest(domain: Domain, tx: Transfer) -> bytes:
    return digest(
        domain,
        TRANSFER_TYPE_HASH,
        word(tx.account) + word(tx.sequence) + word(tx.to_account),
        word(tx.amount) + word(tx.expiry),
    )


def apply_transfer(changes: Changes, tx: Transfer, signature: bytes, verifier: Verifier) -> Status:
    """As a withdrawal for the account it leaves; the other one is opened if absent."""
    status = authorise(
        changes,
        verifier,
        tx,
        digest=transfer_digest(verifier.domain, tx),
        signature=signature,
    )
    if status:
        return status
    account = changes.account(tx.account)
    status = _refusal(changes, account, tx)
    if status:
        return status
    target = changes.account(tx.to_account)
    if target.is_absent:
        target = Account(owner=account.owner)
    changes.write_account(tx.account, replace(account, cash=account.cash - tx.amount))
    changes.write_account(tx.to_account, replace(target, cash=target.cash + tx.amount))
    return Status.OK


def _refusal(changes: Changes, account: Account, tx: Transfer) -> Status:
    if not may_leave(changes, account, tx.amount):
        return Status.MARGIN_TOO_LOW
    if tx.to_account == tx.account:
        return Status.SAME_ACCOUNT
    # After a rotation of one of them, subaccounts of a number can be two owners'.
    target = changes.account(tx.to_account)
    is_foreign = not target.is_absent and target.owner != account.owner
    if tx.to_account >> 8 != tx.account >> 8 or is_foreign:
        return Status.NOT_OWN_ACCOUNT
    if tx.amount == 0:
        return Status.AMOUNT_OUT_OF_RANGE
    return Status.OK
