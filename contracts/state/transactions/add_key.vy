# pragma version 0.4.3
"""
@title Add key: the owner lets another key trade, cancel or block trade until an expiry
@notice As state/transactions/add_key.py.
"""

from . import kinds
from .. import accounts
from .. import authentication
from .. import eip712
from .. import limits
from .. import packing
from .. import status
from .. import store
from .. import witness


# u32 account | u64 sequence | address key | u40 key expiry | u16 permissions | u40 expiry
ADD_KEY_LAYOUT: constant(bytes32) = (
    0x0408140502050000000000000000000000000000000000000000000000000000
)
ADD_KEY_BYTES: constant(uint256) = 44


struct AddKey:
    account: uint256
    sequence: uint256
    key: uint256  # its address; it signs from the account's next key epoch on
    key_expiry: uint256
    permissions: uint256
    expiry: uint256


@internal
@pure
def _decode_add_key(given: Bytes[limits.GIVEN_BYTES_MAX]) -> AddKey:
    """
    @notice The new key in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, ADD_KEY_LAYOUT), AddKey)


@internal
@pure
def _add_key_digest(separator: bytes32, transaction: AddKey) -> bytes32:
    """
    @notice What is signed: the fields of the row, a word each, and one for each permission.
    """
    return eip712._digest(
        separator,
        eip712.ADD_KEY_TYPE_HASH,
        abi_encode(
            transaction.account,
            transaction.sequence,
            transaction.key,
            transaction.key_expiry,
            transaction.permissions & accounts.PERMIT_TRADE != 0,
            transaction.permissions & accounts.PERMIT_CANCEL != 0,
            transaction.permissions & accounts.PERMIT_BLOCK != 0,
            transaction.expiry,
        ),
    )


@internal
@pure
def _apply_add_key(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
    now: uint256,
) -> (uint256, accounts.Account):
    """
    @notice The key gets the account's next epoch, and its sequence numbers begin above 0.
    @return Status, and the account after it: of MALFORMED none.
    """
    transaction: AddKey = self._decode_add_key(given)
    account: accounts.Account = empty(accounts.Account)
    if transaction.permissions > accounts.PERMISSIONS_ALL:
        return status.MALFORMED, account
    found: uint256 = 0
    found, account = authentication._authorise_owner(
        leaves,
        places,
        slice(given, kinds.ROW + ADD_KEY_BYTES, authentication.SIGNATURE_BYTES),
        self._add_key_digest(separator, transaction),
        authentication.Signed(
            account=transaction.account,
            sequence=transaction.sequence,
            expiry=transaction.expiry,
        ),
        now,
    )
    if found == status.OK:
        found = self._refusal(account, transaction, now)
    if found == status.OK:
        account.head.key_epoch += 1
        account.keys[account.key_count] = accounts.SessionKey(
            epoch=account.head.key_epoch,
            key=transaction.key,
            sequence=0,
            expiry=transaction.key_expiry,
            permissions=transaction.permissions,
        )
        account.key_count += 1
    return found, account


@internal
@pure
def _refusal(account: accounts.Account, transaction: AddKey, now: uint256) -> uint256:
    """
    @notice OK, or why the account gets no such key.
    """
    if (
        account.key_count == limits.ACCOUNT_KEYS_MAX
        or account.head.key_epoch == limits.KEY_EPOCH_MAX
    ):
        return status.TOO_MANY_KEYS
    if transaction.key == 0 or transaction.permissions == 0 or transaction.key_expiry < now:
        return status.BAD_KEY
    return status.OK
