# pragma version 0.4.3
"""
@title Blocks: a block trade's ADMIT, its LEGs and its SETTLE
@notice docs/step.md, section 3.
"""

from ..state import block as block_in_progress
from ..state import limits
from ..state import machine
from ..state.transactions import block_trade
from ..state.transactions import kinds


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
    @notice The machine after a block trade is admitted, or after the next step of the one in
            progress, and what else it writes.
    """
    if m.order.phase == machine.LEG:
        assert len(given) == 0, "blocks: a leg is given nothing"
        return block_in_progress._block_step(m, leaves)
    kind: uint256 = convert(slice(given, 0, 1), uint256)
    assert kind == kinds.BLOCK_TRADE, "blocks: no block trade"
    return block_trade._admit_block_trade(m, leaves, given, separator)
