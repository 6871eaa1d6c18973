# pragma version 0.4.3
"""
@title Items: every kind of L1's inbox
@notice docs/step.md, section 3.
"""

from ..state import inbox
from ..state import limits
from ..state import machine


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
    @notice The machine after an item, and what else it writes. Any payload has an answer.
    """
    return inbox._apply_item(m, leaves, given)
