# pragma version 0.4.3
"""
@title Cash on L1: what an owner signs for alone, withdraw, transfer, add key and revoke key
@notice docs/step.md, section 3.
"""

from ..state import accounts
from ..state import limits
from ..state import machine
from ..state import status
from ..state import store
from ..state import witness
from ..state.transactions import add_key
from ..state.transactions import kinds
from ..state.transactions import revoke_key
from ..state.transactions import transfer
from ..state.transactions import withdraw


# Every row of these kinds begins with its account.
ACCOUNT_BYTES: constant(uint256) = 4


@external
@pure
def apply(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    fronts: uint256,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice The machine after a transaction of kind 5, 6, 9 or 10, and what else it writes.
    """
    written: machine.Machine = m
    account: accounts.Account = empty(accounts.Account)
    target: accounts.Account = empty(accounts.Account)
    other: uint256 = 0
    changed: store.Changed = empty(store.Changed)
    places: witness.Places = witness._places(leaves)
    number: uint256 = convert(slice(given, kinds.ROW, ACCOUNT_BYTES), uint256)
    kind: uint256 = convert(slice(given, 0, kinds.ROW), uint256)
    if kind == kinds.WITHDRAW:
        written, account, changed.withdrawal = withdraw._apply_withdraw(
            m, leaves, places, given, separator
        )
    elif kind == kinds.TRANSFER:
        written, account, other, target = transfer._apply_transfer(
            m, leaves, places, given, separator
        )
    elif kind == kinds.ADD_KEY:
        written.status, account = add_key._apply_add_key(
            leaves, places, given, separator, m.time
        )
    else:
        assert kind == kinds.REVOKE_KEY, "cash: not a kind of this contract"
        written.status, account = revoke_key._apply_revoke_key(
            leaves, places, given, separator, m.time
        )

    count: uint256 = 0
    entries: Bytes[store.ACCOUNT_ENTRIES_BYTES_MAX] = b""
    if not status._is_identity(written.status):
        count = 1
        entries = store._account_entry(places, number, account)
    if kind == kinds.TRANSFER and written.status == status.OK:
        count = 2
        first: Bytes[store.ENTRY_BYTES_MAX] = convert(entries, Bytes[store.ENTRY_BYTES_MAX])
        second: Bytes[store.ENTRY_BYTES_MAX] = store._account_entry(places, other, target)
        entries = concat(first, second) if number < other else concat(second, first)
    return written, store._changes(store.NO_REWIND, count, entries, changed)
