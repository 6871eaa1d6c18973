# pragma version 0.4.3
"""
@title Units: the one module that divides
@notice As state/units.py. Only numbers that are not negative: Vyper rounds toward zero, Python
        down. The names say which way; the caller chooses the way that is against the account.
"""

RATE_ONE: constant(uint256) = 1_000_000
INDEX_ONE: constant(uint256) = 10**15
NANO_PER_MICRO: constant(uint256) = 1_000


@internal
@pure
def _notional(lots: uint256, price: uint256) -> uint256:
    """
    @notice lots x price: exact, because prices are per lot.
    """
    return lots * price


@internal
@pure
def _share_up(amount: uint256, rate: uint256) -> uint256:
    """
    @notice `rate` ppm of `amount`, rounded up: what the venue charges or requires.
    """
    return (amount * rate + RATE_ONE - 1) // RATE_ONE


@internal
@pure
def _ratio_up(amount: uint256, numerator: uint256, denominator: uint256) -> uint256:
    """
    @notice amount x numerator / denominator, rounded up.
    """
    return (amount * numerator + denominator - 1) // denominator


@internal
@pure
def _ratio_down(amount: uint256, numerator: uint256, denominator: uint256) -> uint256:
    """
    @notice amount x numerator / denominator, rounded down.
    """
    return amount * numerator // denominator


@internal
@pure
def _nano(amount: uint256) -> uint256:
    """
    @notice Micro-USDC as nano-USD, exactly.
    """
    return amount * NANO_PER_MICRO
