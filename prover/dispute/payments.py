"""What everybody may withdraw of lost bonds, in wei; the twin of contracts/payments.vy.

    price = gas of the table x min(base fee of the block, cap)

Never what somebody actually paid: nobody can make a bond pay more than was foreseen.
"""

ADVANCE_GAS = 150_000
SETTLE_GAS = 4_500_000
REFUTE_GAS = 4_500_000
TIME_OUT_GAS = 400_000
REJECT_GAS = 200_000

COLLECT_GAS = 100_000
"""Nobody is paid for it: what is collected is worth more."""

ENTER_GAS = 1_000_000
"""Of a claim and an entry together."""

LEAF_GAS = 3_000
"""For every root that an entry publishes."""


def price(gas: int, base_fee: int, cap: int) -> int:
    """gas x min(base fee, cap), in wei."""
    return gas * min(base_fee, cap)


def moves_max(height: int) -> int:
    """The moves of the side that begins: ceil(height / 2)."""
    return (height + 1) // 2


def dearest_match(height: int, cap: int) -> int:
    """What a match can cost at most, in wei: the moves of one side, and its end."""
    return (moves_max(height) * ADVANCE_GAS + max(SETTLE_GAS, REFUTE_GAS)) * cap
