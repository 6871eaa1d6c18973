# pragma version 0.4.3
"""
@title Cancel all: take the account's resting orders off the book, of one market or of every one
@notice As state/transactions/cancel_all.py.
"""

from . import kinds
from .. import accounts
from .. import authentication
from .. import cancelling
from .. import eip712
from .. import limits
from .. import machine
from .. import packing
from .. import status
from .. import store
from .. import witness


# u32 account | u32 epoch | u64 sequence | u8 every market | u16 market | u40 expiry
CANCEL_ALL_LAYOUT: constant(bytes32) = (
    0x0404080102050000000000000000000000000000000000000000000000000000
)
CANCEL_ALL_BYTES: constant(uint256) = 24


struct CancelAll:
    account: uint256
    epoch: uint256
    sequence: uint256
    every_market: uint256  # 0 or 1; where it is 1, `market` says nothing
    market: uint256
    expiry: uint256


@internal
@pure
def _decode_cancel_all(given: Bytes[limits.GIVEN_BYTES_MAX]) -> CancelAll:
    """
    @notice The cancel all in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, CANCEL_ALL_LAYOUT), CancelAll)


@internal
@pure
def _cancel_all_digest(separator: bytes32, transaction: CancelAll) -> bytes32:
    """
    @notice What is signed: the fields of the row, a word each.
    """
    return eip712._digest(separator, eip712.CANCEL_ALL_TYPE_HASH, abi_encode(transaction))


@internal
@pure
def _apply_cancel_all(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
    steps_left: uint256,
) -> (machine.Machine, accounts.Account):
    """
    @notice ADMIT: a CANCEL step for each order follows; with none, as in no market, it is done.
    @param steps_left The budget before this step; one of them is HALT's.
    @return The machine with the status, and the account after it: of an identity status none.
    """
    written: machine.Machine = m
    transaction: CancelAll = self._decode_cancel_all(given)
    if steps_left < limits.CANCEL_ALL_STEPS_MAX + 1:
        written.status = status.OUT_OF_STEPS
        return written, empty(accounts.Account)
    if transaction.every_market > cancelling.EVERY_MARKET:
        written.status = status.MALFORMED
        return written, empty(accounts.Account)
    account: accounts.Account = empty(accounts.Account)
    written.status, account = authentication._authorise(
        store._account(leaves, places, transaction.account),
        self._cancel_all_digest(separator, transaction),
        slice(given, kinds.ROW + CANCEL_ALL_BYTES, authentication.SIGNATURE_BYTES),
        transaction.epoch,
        transaction.sequence,
        transaction.expiry,
        accounts.PERMIT_TRADE | accounts.PERMIT_CANCEL,
        m.time,
    )
    if written.status != status.OK:
        return written, account
    registers: machine.OrderInProgress = empty(machine.OrderInProgress)
    registers.phase = machine.CANCEL
    registers.account = transaction.account
    registers.market = transaction.market
    registers.flags = transaction.every_market
    is_left: bool = False
    reference: accounts.OrderReference = empty(accounts.OrderReference)
    is_left, reference = cancelling._next_cancelled(account, registers)
    if is_left:
        written.order = registers
    return written, account
