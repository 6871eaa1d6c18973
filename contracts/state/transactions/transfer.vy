# pragma version 0.4.3
"""
@title Transfer: cash moves between two subaccounts of one owner
@notice As state/transactions/transfer.py.
"""

from . import kinds
from . import withdraw
from .. import accounts
from .. import authentication
from .. import eip712
from .. import limits
from .. import machine
from .. import packing
from .. import status
from .. import store
from .. import witness


# u32 account | u64 sequence | u32 to account | u80 amount | u40 expiry
TRANSFER_LAYOUT: constant(bytes32) = (
    0x0408040a05000000000000000000000000000000000000000000000000000000
)
TRANSFER_BYTES: constant(uint256) = 31

SUBACCOUNT_BITS: constant(uint256) = 8


struct Transfer:
    account: uint256
    sequence: uint256
    to_account: uint256
    amount: uint256  # nano-USD
    expiry: uint256


@internal
@pure
def _decode_transfer(given: Bytes[limits.GIVEN_BYTES_MAX]) -> Transfer:
    """
    @notice The transfer in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, TRANSFER_LAYOUT), Transfer)


@internal
@pure
def _transfer_digest(separator: bytes32, transaction: Transfer) -> bytes32:
    """
    @notice What is signed: the fields of the row, a word each.
    """
    return eip712._digest(separator, eip712.TRANSFER_TYPE_HASH, abi_encode(transaction))


@internal
@pure
def _apply_transfer(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
) -> (machine.Machine, accounts.Account, uint256, accounts.Account):
    """
    @notice As a withdrawal for the account it leaves; the other one is opened if absent.
    @return The machine with the status, the account after it, the number of the other account and,
            where the status is OK, that one after it.
    """
    written: machine.Machine = m
    transaction: Transfer = self._decode_transfer(given)
    account: accounts.Account = empty(accounts.Account)
    target: accounts.Account = empty(accounts.Account)
    written.status, account = authentication._authorise_owner(
        leaves,
        places,
        slice(given, kinds.ROW + TRANSFER_BYTES, authentication.SIGNATURE_BYTES),
        self._transfer_digest(separator, transaction),
        authentication.Signed(
            account=transaction.account,
            sequence=transaction.sequence,
            expiry=transaction.expiry,
        ),
        m.time,
    )
    if written.status == status.OK:
        written.status, target = self._refusal(leaves, places, account, transaction, m.time)
    if written.status == status.OK:
        # It is another's only where it is absent: handed over, it is opened.
        target = accounts._handed_to(target, account.head.owner)
        account.head.cash -= convert(transaction.amount, int256)
        target.head.cash += convert(transaction.amount, int256)
    return written, account, transaction.to_account, target


@internal
@pure
def _refusal(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    account: accounts.Account,
    transaction: Transfer,
    now: uint256,
) -> (uint256, accounts.Account):
    """
    @notice OK and the other account, or why nothing moves. It is read only where it matters.
    """
    found: uint256 = status.OK
    target: accounts.Account = empty(accounts.Account)
    if not withdraw._may_leave(store._rows(leaves, places), account, transaction.amount, now):
        found = status.MARGIN_TOO_LOW
    elif transaction.to_account == transaction.account:
        found = status.SAME_ACCOUNT
    else:
        target = store._account(leaves, places, transaction.to_account)
        # After a rotation of one of them, subaccounts of a number can be two owners'.
        is_foreign: bool = (
            not accounts._is_absent(target) and target.head.owner != account.head.owner
        )
        number: uint256 = transaction.account >> SUBACCOUNT_BITS
        if transaction.to_account >> SUBACCOUNT_BITS != number or is_foreign:
            found = status.NOT_OWN_ACCOUNT
        elif transaction.amount == 0:
            found = status.AMOUNT_OUT_OF_RANGE
    return found, target
