# pragma version 0.4.3
"""
@title Key revocation: a session key ends, asked for through L1's inbox
@notice As `apply_key_revocation` of state/transactions/revoke_key.py.
"""

from .. import accounts
from .. import limits
from .. import machine
from .. import packing
from .. import status
from .. import store
from .. import witness


# u32 account | u32 key epoch
KEY_REVOCATION_LAYOUT: constant(bytes32) = (
    0x0404000000000000000000000000000000000000000000000000000000000000
)
KEY_REVOCATION_BYTES: constant(uint256) = 8


struct KeyRevocation:
    account: uint256
    key_epoch: uint256


@internal
@pure
def _decode_key_revocation(payload: Bytes[limits.GIVEN_BYTES_MAX]) -> (bool, KeyRevocation):
    """
    @notice Whether these bytes are a revocation, and which.
    """
    if len(payload) != KEY_REVOCATION_BYTES:
        return False, empty(KeyRevocation)
    return True, abi_decode(packing._unpack(payload, 0, KEY_REVOCATION_LAYOUT), KeyRevocation)


@internal
@pure
def _apply_key_revocation(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    payload: Bytes[limits.GIVEN_BYTES_MAX],
    sender: uint256,
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice The account is without the key. L1 says who asks, and anybody may.
    """
    after: machine.Machine = m
    is_revocation: bool = False
    item: KeyRevocation = empty(KeyRevocation)
    is_revocation, item = self._decode_key_revocation(payload)
    if not is_revocation:
        after.status = status.BAD_ITEM
        return after, store._no_changes()
    places: witness.Places = witness._places(leaves)
    account: accounts.Account = store._account(leaves, places, item.account)
    after.status = self._revocation_status(account, item.key_epoch, sender)
    if after.status != status.OK:
        return after, store._no_changes()
    return after, store._account_changes(
        places, item.account, accounts._without_key(account, item.key_epoch)
    )


@internal
@pure
def _revocation_status(
    account: accounts.Account, key_epoch: uint256, sender: uint256
) -> uint256:
    """
    @notice Why `sender` cannot end the key, or OK.
    """
    if accounts._is_absent(account):
        return status.UNKNOWN_ACCOUNT
    is_there: bool = False
    session: accounts.SessionKey = empty(accounts.SessionKey)
    is_there, session = accounts._key(account, key_epoch)
    if not is_there:
        return status.NO_SUCH_KEY
    if sender != account.head.owner:
        return status.NOT_OWNER
    return status.OK
