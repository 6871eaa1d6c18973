# pragma version 0.4.3
"""
@title Cancelling on L1: cancel, cancel all, and the steps that a cancel all takes
@notice docs/step.md, section 3.
"""

from ..state import accounts
from ..state import cancelling
from ..state import limits
from ..state import machine
from ..state import status
from ..state import store
from ..state import witness
from ..state.transactions import cancel
from ..state.transactions import cancel_all
from ..state.transactions import kinds


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
    @notice The machine after the step, and what else it writes. Where the phase is CANCEL the next
            order leaves; otherwise `given` is a transaction of kind 4 or 7.
    """
    written: machine.Machine = m
    account: accounts.Account = empty(accounts.Account)
    changed: store.Changed = empty(store.Changed)
    places: witness.Places = witness._places(leaves)
    number: uint256 = m.order.account
    if m.order.phase == machine.CANCEL:
        written, account, changed.order = cancelling._cancel_step(m, leaves, places)
    else:
        number = convert(slice(given, kinds.ROW, ACCOUNT_BYTES), uint256)
        kind: uint256 = convert(slice(given, 0, kinds.ROW), uint256)
        if kind == kinds.CANCEL:
            written.status, account, changed.order = cancel._apply_cancel(
                leaves, places, given, separator, m.time
            )
        else:
            assert kind == kinds.CANCEL_ALL, "cancelling: not a kind of this contract"
            written, account = cancel_all._apply_cancel_all(
                m, leaves, places, given, separator, m.steps_left + 1
            )
        if status._is_identity(written.status):
            return written, store._changes(store.NO_REWIND, 0, b"", changed)

    entry: Bytes[store.ENTRY_BYTES_MAX] = store._account_entry(places, number, account)
    return written, store._changes(store.NO_REWIND, 1, entry, changed)
