# pragma version 0.4.3
"""
@title Rotate owner: an account follows the owner number to whom L1 says has it
@notice As state/transactions/rotate_owner.py. Anybody may ask for that.
"""

from .. import accounts
from .. import limits
from .. import machine
from .. import packing
from .. import status
from .. import store
from .. import witness


# u32 account | address owner
ROTATE_OWNER_LAYOUT: constant(bytes32) = (
    0x0414000000000000000000000000000000000000000000000000000000000000
)
ROTATE_OWNER_BYTES: constant(uint256) = 24


struct RotateOwner:
    account: uint256
    owner: uint256


@internal
@pure
def _decode_rotate_owner(payload: Bytes[limits.GIVEN_BYTES_MAX]) -> (bool, RotateOwner):
    """
    @notice Whether these bytes are a rotation, and which.
    """
    if len(payload) != ROTATE_OWNER_BYTES:
        return False, empty(RotateOwner)
    return True, abi_decode(packing._unpack(payload, 0, ROTATE_OWNER_LAYOUT), RotateOwner)


@internal
@pure
def _apply_rotate_owner(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    payload: Bytes[limits.GIVEN_BYTES_MAX],
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice The owner changes and every session key ends; orders, positions and numbers stay.
            Nothing changes where the account has followed already.
    """
    after: machine.Machine = m
    is_rotation: bool = False
    item: RotateOwner = empty(RotateOwner)
    is_rotation, item = self._decode_rotate_owner(payload)
    if not is_rotation:
        after.status = status.BAD_ITEM
        return after, store._no_changes()
    places: witness.Places = witness._places(leaves)
    account: accounts.Account = store._account(leaves, places, item.account)
    if accounts._is_absent(account):
        after.status = status.UNKNOWN_ACCOUNT
        return after, store._no_changes()
    if item.owner == 0:
        after.status = status.BAD_ITEM
        return after, store._no_changes()
    after.status = status.OK
    return after, store._account_changes(
        places, item.account, accounts._handed_to(account, item.owner)
    )
