# pragma version 0.4.3
"""
@title Prices: a header, and a publisher's signed price
@notice docs/step.md, section 3.
"""

from ..state import limits
from ..state import machine
from ..state import store
from ..state.transactions import header
from ..state.transactions import kinds
from ..state.transactions import price


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
    @notice The machine after a transaction of either kind, and what else it writes.
    """
    after: machine.Machine = m
    changed: store.Changed = empty(store.Changed)
    kind: uint256 = convert(slice(given, 0, 1), uint256)
    if kind == kinds.HEADER:
        after = header._apply_header(m, header._decode_header(given))
    else:
        assert kind == kinds.PRICE, "prices: neither a header nor a price"
        after, changed = price._apply_price(m, leaves, given, separator)
    return after, store._changes(store.NO_REWIND, 0, b"", changed)
