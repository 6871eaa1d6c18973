"""Withdraw: cash leaves an account for an L1 address."""

from msgspec import Struct
from msgspec.structs import replace

from state.accounts import Account
from state.authentication import Verifier, authorise
from state.crypto import ZERO_ADDRESS
from state.eip712 import WITHDRAW_TYPE_HASH, Domain, address_word, digest, word
from state.limits import WITHDRAWALS_MAX
from state.margin import cautious_health, has_fresh_marks
from state.packing import Reader, u
from state.status import Status
from state.store import Changes
from state.units import nano
from state.withdrawals import Withdrawal


class Withdraw(Struct, frozen=True, gc=False):
    """`amount` micro-USDC to `recipient` on L1. Only the owner's own key may sign it."""

    account: int
    sequence: int
    recipient: bytes
    amount: int
    expiry: int


def encode_withdraw(tx: Withdraw) -> bytes:
    return b"".join(
        [
            u(tx.account, 32) + u(tx.sequence, 64) + tx.recipient,
            u(tx.amount, 64) + u(tx.expiry, 40),
        ]
    )


def decode_withdraw(row: bytes) -> Withdraw:
    r = Reader(row)
    return Withdraw(r.u(32), r.u(64), r.raw(20), r.u(64), r.u(40))


def withdraw_digest(domain: Domain, tx: Withdraw) -> bytes:
    return digest(
        domain,
        WITHDRAW_TYPE_HASH,
        word(tx.account) + word(tx.sequence) + address_word(tx.recipient),
        word(tx.amount) + word(tx.expiry),
    )


def apply_withdraw(changes: Changes, tx: Withdraw, signature: bytes, verifier: Verifier) -> Status:
    """The rest of the account must stay healthy at the worse of mark and slow mark."""
    status = authorise(
        changes,
        verifier,
        tx,
        digest=withdraw_digest(verifier.domain, tx),
        signature=signature,
    )
    if status:
        return status
    account = changes.account(tx.account)
    machine = changes.machine
    amount = nano(tx.amount)
    if not may_leave(changes, account, amount):
        return Status.MARGIN_TOO_LOW
    if tx.amount == 0:
        return Status.AMOUNT_OUT_OF_RANGE
    if machine.withdrawals == WITHDRAWALS_MAX:
        return Status.WITHDRAWALS_FULL
    if tx.recipient == ZERO_ADDRESS:
        return Status.NO_RECIPIENT
    changes.write_account(tx.account, replace(account, cash=account.cash - amount))
    machine.withdrawn += amount
    changes.append_withdrawal(Withdrawal(machine.withdrawals, tx.account, tx.recipient, tx.amount))
    return Status.OK


def may_leave(changes: Changes, account: Account, amount: int) -> bool:
    """Whether `account` stays healthy without `amount` nano-USD of its cash.

    At the worse of mark and slow mark, none of them stale.
    """
    after = replace(account, cash=account.cash - amount)
    return has_fresh_marks(changes, account) and cautious_health(changes, after).is_healthy
