# pragma version 0.4.3
"""
@title Revoke key: a session key of the account ends; its resting orders stay
@notice As state/transactions/revoke_key.py. The owner signs for it on L2, or asks for it through L1's inbox.
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


# u32 account | u64 sequence | u32 key epoch | u40 expiry
REVOKE_KEY_LAYOUT: constant(bytes32) = (
    0x0408040500000000000000000000000000000000000000000000000000000000
)
REVOKE_KEY_BYTES: constant(uint256) = 21


struct RevokeKey:
    account: uint256
    sequence: uint256
    key_epoch: uint256
    expiry: uint256


@internal
@pure
def _decode_revoke_key(given: Bytes[limits.GIVEN_BYTES_MAX]) -> RevokeKey:
    """
    @notice The revocation in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, REVOKE_KEY_LAYOUT), RevokeKey)


@internal
@pure
def _revoke_key_digest(separator: bytes32, transaction: RevokeKey) -> bytes32:
    """
    @notice What is signed: the fields of the row, a word each.
    """
    return eip712._digest(separator, eip712.REVOKE_KEY_TYPE_HASH, abi_encode(transaction))


@internal
@pure
def _apply_revoke_key(
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
    now: uint256,
) -> (uint256, accounts.Account):
    """
    @notice The account is without the key; its epoch is not given out again.
    @return Status, and the account after it.
    """
    transaction: RevokeKey = self._decode_revoke_key(given)
    found: uint256 = 0
    account: accounts.Account = empty(accounts.Account)
    found, account = authentication._authorise_owner(
        leaves,
        places,
        slice(given, kinds.ROW + REVOKE_KEY_BYTES, authentication.SIGNATURE_BYTES),
        self._revoke_key_digest(separator, transaction),
        authentication.Signed(
            account=transaction.account,
            sequence=transaction.sequence,
            expiry=transaction.expiry,
        ),
        now,
    )
    if found == status.OK:
        is_there: bool = False
        key: accounts.SessionKey = empty(accounts.SessionKey)
        is_there, key = accounts._key(account, transaction.key_epoch)
        if is_there:
            account = accounts._without_key(account, transaction.key_epoch)
        else:
            found = status.NO_SUCH_KEY
    return found, account
