# pragma version 0.4.3
"""
@title Cancel: take one resting order of the account off the book
@notice As state/transactions/cancel.py.
"""

from . import kinds
from .. import accounts
from .. import authentication
from .. import eip712
from .. import limits
from .. import orders
from .. import packing
from .. import removal
from .. import resting
from .. import status
from .. import store
from .. import witness


# u32 account | u32 epoch | u64 sequence | u32 order epoch | u64 order sequence | u40 expiry
CANCEL_LAYOUT: constant(bytes32) = (
    0x0404080408050000000000000000000000000000000000000000000000000000
)
CANCEL_BYTES: constant(uint256) = 33


struct Cancel:
    account: uint256
    epoch: uint256
    sequence: uint256
    order_epoch: uint256
    order_sequence: uint256
    expiry: uint256


@internal
@pure
def _decode_cancel(given: Bytes[limits.GIVEN_BYTES_MAX]) -> Cancel:
    """
    @notice The cancel in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, CANCEL_LAYOUT), Cancel)


@internal
@pure
def _cancel_digest(separator: bytes32, transaction: Cancel) -> bytes32:
    """
    @notice What is signed: the fields of the row, a word each.
    """
    return eip712._digest(separator, eip712.CANCEL_TYPE_HASH, abi_encode(transaction))


@internal
@pure
def _apply_cancel(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
    now: uint256,
) -> (uint256, accounts.Account, Bytes[store.OTHER_ENTRY_BYTES_MAX]):
    """
    @notice Any key that may cancel, cancels any order of its account.
    @return Status, the account after it and, where the status is OK, the entry of the order that left.
    """
    transaction: Cancel = self._decode_cancel(given)
    found: uint256 = 0
    account: accounts.Account = empty(accounts.Account)
    found, account = authentication._authorise(
        store._account(leaves, places, transaction.account),
        self._cancel_digest(separator, transaction),
        slice(given, kinds.ROW + CANCEL_BYTES, authentication.SIGNATURE_BYTES),
        transaction.epoch,
        transaction.sequence,
        transaction.expiry,
        accounts.PERMIT_TRADE | accounts.PERMIT_CANCEL,
        now,
    )
    if found != status.OK:
        return found, account, b""
    is_there: bool = False
    reference: accounts.OrderReference = empty(accounts.OrderReference)
    is_there, reference = accounts._order(
        account, transaction.order_epoch, transaction.order_sequence
    )
    if not is_there:
        return status.UNKNOWN_ORDER, account, b""
    order: orders.RestingOrder = resting._resting_at(
        leaves, places, transaction.account, reference
    )
    after: accounts.Account = removal._remove_order(
        account, reference.market, reference.side, order
    )
    removed: Bytes[store.OTHER_ENTRY_BYTES_MAX] = removal._removed(
        places, reference.market, reference.side, reference.key
    )
    return status.OK, after, removed
