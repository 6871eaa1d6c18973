"""Units of the venue. Every amount is an integer; its type names its scale.

Only this module divides, and only numbers that are not negative: Python rounds
-7 // 2 down to -4, Vyper toward zero to -3, and the two must never disagree.
The names say which way a division rounds; the caller chooses the way that is
against the account.
"""

from typing import NewType

Cash = NewType("Cash", int)
"""Nano-USD, signed."""

Lots = NewType("Lots", int)
"""A market's smallest size; negative is short."""

Price = NewType("Price", int)
"""Nano-USD per lot."""

Rate = NewType("Rate", int)
"""Parts per million."""

Seconds = NewType("Seconds", int)
"""Since 1970, or a duration."""

Micro = NewType("Micro", int)
"""Micro-USDC, the unit of L1."""

RATE_ONE = Rate(1_000_000)
INDEX_ONE = 10**15
NANO_PER_MICRO = 1_000


def notional(lots: int, price: int) -> Cash:
    """lots x price: exact, because prices are per lot. A trade never rounds."""
    return Cash(lots * price)


def share_up(amount: int, rate: int) -> Cash:
    """`rate` of `amount`, rounded up: what the venue charges or requires."""
    assert amount >= 0 and rate >= 0
    return Cash((amount * rate + RATE_ONE - 1) // RATE_ONE)


def share_down(amount: int, rate: int) -> Cash:
    """`rate` of `amount`, rounded down: what the venue grants."""
    assert amount >= 0 and rate >= 0
    return Cash(amount * rate // RATE_ONE)


def ratio_up(amount: int, numerator: int, denominator: int) -> int:
    """amount x numerator / denominator, rounded up."""
    assert amount >= 0 and numerator >= 0 and denominator > 0
    return (amount * numerator + denominator - 1) // denominator


def ratio_down(amount: int, numerator: int, denominator: int) -> int:
    """amount x numerator / denominator, rounded down."""
    assert amount >= 0 and numerator >= 0 and denominator > 0
    return amount * numerator // denominator


def micro_down(amount: int) -> Micro:
    """Nano-USD as whole micro-USDC; the remainder stays with its account."""
    assert amount >= 0
    return Micro(amount // NANO_PER_MICRO)


def nano(amount: int) -> Cash:
    """Micro-USDC as nano-USD, exactly."""
    return Cash(amount * NANO_PER_MICRO)
