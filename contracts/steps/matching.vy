# pragma version 0.4.3
"""
@title Matching on L1: what an order meets after its ADMIT and SAVE
@notice MATCH, SWEEP, REST and every other end of an order, as docs/step.md lays them out.
"""

from ..state import limits
from ..state import machine
from ..state import matching


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
    @notice The next step of the order in progress: the machine after it, and what it writes.
            Nothing is given to it.
    """
    return matching._order_step(m, leaves, fronts)
