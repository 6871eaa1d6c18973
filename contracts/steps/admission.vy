# pragma version 0.4.3
"""
@title Admission on L1: order and amend
@notice docs/step.md, section 3.
"""

from ..state import limits
from ..state import machine
from ..state import status
from ..state import store
from ..state import witness
from ..state.transactions import amend
from ..state.transactions import kinds
from ..state.transactions import order


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
    @notice The machine after a transaction of kind 3 or 8, and what else it writes.
    """
    admission: order.Admission = empty(order.Admission)
    places: witness.Places = witness._places(leaves)
    kind: uint256 = convert(slice(given, 0, kinds.ROW), uint256)
    if kind == kinds.ORDER:
        admission = order._admit_order(
            leaves, places, given, separator, m.time, m.steps_left + 1
        )
    else:
        assert kind == kinds.AMEND, "admission: not a kind of this contract"
        admission = amend._authorise_amend(
            leaves, places, given, separator, m.time, m.steps_left + 1
        )
        if admission.status == status.OK:
            admission = amend._apply_amend(
                leaves, places, admission.account, amend._decode_amend(given), m.time
            )
    written: machine.Machine = m
    written.status = admission.status
    written.order = admission.order
    changed: store.Changed = empty(store.Changed)
    if status._is_identity(admission.status):
        return written, store._changes(store.NO_REWIND, 0, b"", changed)
    changed.order = admission.resting
    number: uint256 = convert(slice(given, kinds.ROW, ACCOUNT_BYTES), uint256)
    entry: Bytes[store.ENTRY_BYTES_MAX] = store._account_entry(
        places, number, admission.account
    )
    return written, store._changes(store.NO_REWIND, 1, entry, changed)
