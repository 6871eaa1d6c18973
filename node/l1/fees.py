"""What a transaction should pay: EIP-1559's base fee and what was paid before."""

from collections.abc import Sequence

from node.l1.blocks import Block, Header

PRIORITY_FEE = 10**9
"""Wei per gas we suggest as a tip: on a devnet nobody competes."""

BLOB_BASE_FEE = 1
"""Wei per gas of blobs where nobody posts any (EIP-4844)."""

_ELASTICITY = 2
_CHANGE_DENOMINATOR = 8


def next_base_fee(header: Header) -> int:
    """The base fee of the block after: +-1/8 at a full or empty block, in proportion between."""
    target = header.gas_limit // _ELASTICITY
    change = header.base_fee * abs(header.gas_used - target) // target // _CHANGE_DENOMINATOR
    if header.gas_used > target:
        return header.base_fee + max(change, 1)
    return header.base_fee - change


def rewards(block: Block, percentiles: Sequence[float]) -> list[int]:
    """Tips paid in `block` at each percentile of its gas; zeros where it is empty."""
    base_fee = block.header.base_fee
    paid = sorted((receipt.gas_price - base_fee, receipt.gas_used) for receipt in block.receipts)
    if not paid:
        return [0] * len(percentiles)
    thresholds = [block.header.gas_used * percentile / 100 for percentile in percentiles]
    return [_tip_at(paid, threshold) for threshold in thresholds]


def _tip_at(paid: Sequence[tuple[int, int]], threshold: float) -> int:
    gas = 0
    for tip, used in paid:
        gas += used
        if gas >= threshold:
            return tip
    return paid[-1][0]
