# pragma version 0.4.3
"""
@title Inbox items: what L1 makes the venue do, in L1's order
@notice As state/inbox.py. An item is u8 kind | u64 index | u64 time | address sender | payload.
"""

from . import limits
from . import machine
from . import status
from . import store
from .transactions import deposit
from .transactions import key_revocation
from .transactions import kinds
from .transactions import list_market
from .transactions import rotate_owner
from .transactions import set_parameters


SENDER: constant(uint256) = 17
PAYLOAD: constant(uint256) = 37


@internal
@pure
def _apply_item(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    item: Bytes[limits.GIVEN_BYTES_MAX],
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice One item. BAD_ITEM, and nothing else, for what the contract never makes.
    """
    kind: uint256 = convert(slice(item, 0, 1), uint256)
    payload: Bytes[limits.GIVEN_BYTES_MAX] = slice(item, PAYLOAD, len(item) - PAYLOAD)
    if kind == kinds.ITEM_DEPOSIT:
        return deposit._apply_deposit(m, leaves, payload)
    if kind == kinds.ITEM_REVOKE_KEY:
        sender: uint256 = convert(slice(item, SENDER, 20), uint256)
        return key_revocation._apply_key_revocation(m, leaves, payload, sender)
    if kind == kinds.ITEM_ROTATE_OWNER:
        return rotate_owner._apply_rotate_owner(m, leaves, payload)

    after: machine.Machine = m
    changed: store.Changed = empty(store.Changed)
    if kind == kinds.ITEM_LIST_MARKET:
        after, changed = list_market._apply_list_market(m, leaves, payload)
    elif kind == kinds.ITEM_SET_PARAMETERS:
        after, changed = set_parameters._apply_set_parameters(m, leaves, payload)
    else:
        after.status = status.BAD_ITEM
    return after, store._changes(store.NO_REWIND, 0, b"", changed)
