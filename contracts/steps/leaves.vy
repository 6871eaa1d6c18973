# pragma version 0.4.3
"""
@title Leaves: a witness holds nothing that is no leaf
@notice Rule WTN-6 of docs/step.md: every leaf is one that its encoding can be, whether the step reads
        it or not. Whoever decodes a leaf behind this contract need not look twice.
"""

from ..state import canonical
from ..state import limits
from ..state import packing
from ..state import witness


@external
@pure
def check(leaves: Bytes[limits.LEAVES_BYTES_MAX]) -> bool:
    """
    @notice True, or a revert that names what is wrong with a leaf, or with the lists of leaves.
    """
    places: witness.Places = witness._places(leaves)
    for list: uint256 in range(witness.WITHDRAWALS):
        for i: uint256 in range(places.counts[list], bound=limits.WITNESS_ROWS_MAX):
            at: uint256 = places.leaves[witness.FIRSTS[list] + i]
            size: uint256 = convert(slice(leaves, at, 2), uint256)
            assert size <= packing.LEAF_BYTES_MAX, "leaves: too long"
            leaf: Bytes[packing.LEAF_BYTES_MAX] = convert(
                slice(leaves, at + 2, size), Bytes[packing.LEAF_BYTES_MAX]
            )
            if list == witness.ACCOUNTS:
                canonical._check_account(leaf)
            elif list == witness.MARKETS:
                canonical._check_market(leaf)
            elif list == witness.ROWS:
                canonical._check_board_row(leaf)
            else:
                canonical._check_order(leaf)
    return True
