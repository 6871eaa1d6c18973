# pragma version 0.4.3
"""
@title Withdraw: cash leaves an account for an L1 address
@notice As state/transactions/withdraw.py.
"""

from . import kinds
from .. import accounts
from .. import authentication
from .. import eip712
from .. import limits
from .. import machine
from .. import margin
from .. import packing
from .. import status
from .. import store
from .. import units
from .. import withdrawals
from .. import witness


# u32 account | u64 sequence | address recipient | u64 amount | u40 expiry
WITHDRAW_LAYOUT: constant(bytes32) = (
    0x0408140805000000000000000000000000000000000000000000000000000000
)
WITHDRAW_BYTES: constant(uint256) = 45


struct Withdraw:
    account: uint256
    sequence: uint256
    recipient: uint256
    amount: uint256  # micro-USDC
    expiry: uint256


@internal
@pure
def _decode_withdraw(given: Bytes[limits.GIVEN_BYTES_MAX]) -> Withdraw:
    """
    @notice The withdrawal in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, WITHDRAW_LAYOUT), Withdraw)


@internal
@pure
def _withdraw_digest(separator: bytes32, transaction: Withdraw) -> bytes32:
    """
    @notice What is signed: the fields of the row, a word each.
    """
    return eip712._digest(separator, eip712.WITHDRAW_TYPE_HASH, abi_encode(transaction))


@internal
@pure
def _apply_withdraw(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
) -> (machine.Machine, accounts.Account, Bytes[store.OTHER_ENTRY_BYTES_MAX]):
    """
    @notice The rest of the account must stay healthy at the worse of mark and slow mark.
    @return The machine with the status, the account after it and, where that is OK, the withdrawal.
    """
    written: machine.Machine = m
    transaction: Withdraw = self._decode_withdraw(given)
    account: accounts.Account = empty(accounts.Account)
    written.status, account = authentication._authorise_owner(
        leaves,
        places,
        slice(given, kinds.ROW + WITHDRAW_BYTES, authentication.SIGNATURE_BYTES),
        self._withdraw_digest(separator, transaction),
        authentication.Signed(
            account=transaction.account,
            sequence=transaction.sequence,
            expiry=transaction.expiry,
        ),
        m.time,
    )
    entry: Bytes[store.OTHER_ENTRY_BYTES_MAX] = b""
    if written.status == status.OK:
        written.status = self._refusal(m, store._rows(leaves, places), account, transaction)
    if written.status == status.OK:
        amount: uint256 = units._nano(transaction.amount)
        account.head.cash -= convert(amount, int256)
        written.sums.cash -= convert(amount, int256)
        written.withdrawn += amount
        written.withdrawals += 1
        entry = withdrawals._entry(
            withdrawals.Withdrawal(
                domain=withdrawals.DOMAIN,
                index=m.withdrawals,
                account=transaction.account,
                recipient=transaction.recipient,
                amount=transaction.amount,
            )
        )
    return written, account, entry


@internal
@pure
def _refusal(
    m: machine.Machine, rows: store.Rows, account: accounts.Account, transaction: Withdraw
) -> uint256:
    """
    @notice OK, or why nothing leaves.
    """
    amount: uint256 = units._nano(transaction.amount)
    if not self._may_leave(rows, account, amount, m.time):
        return status.MARGIN_TOO_LOW
    if transaction.amount == 0:
        return status.AMOUNT_OUT_OF_RANGE
    if m.withdrawals == limits.WITHDRAWALS_MAX:
        return status.WITHDRAWALS_FULL
    if transaction.recipient == 0:
        return status.NO_RECIPIENT
    return status.OK


@internal
@pure
def _may_leave(
    rows: store.Rows, account: accounts.Account, amount: uint256, now: uint256
) -> bool:
    """
    @notice Whether `account` stays healthy without `amount` nano-USD of its cash. At the worse of
            mark and slow mark, none of them stale.
    """
    if not margin._has_fresh_marks(rows, account, now):
        return False
    health: margin.Health = margin._cautious_health(rows, account)
    health.equity -= convert(amount, int256)
    return margin._is_healthy(health)
