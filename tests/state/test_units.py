"""Units: which way each division rounds, by hand, and that none takes what it must not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.units import (
    NANO_PER_MICRO,
    micro_down,
    nano,
    notional,
    ratio_down,
    ratio_up,
    share_down,
    share_up,
)

naturals = st.integers(0, 2**128)


@pytest.mark.parametrize(
    ("amount", "rate", "up", "down"),
    [
        (0, 500, 0, 0),
        (1, 0, 0, 0),
        (1, 1, 1, 0),
        (999_999, 1, 1, 0),
        (1_000_000, 1, 1, 1),
        (1_000_001, 1, 2, 1),
        (7, 1_000_000, 7, 7),
        (3, 2_500_000, 8, 7),
    ],
)
def test_a_share_is_rounded_up_or_down(amount: int, rate: int, up: int, down: int) -> None:
    assert (share_up(amount, rate), share_down(amount, rate)) == (up, down)


@pytest.mark.parametrize(
    ("amount", "numerator", "denominator", "up", "down"),
    [
        (0, 5, 1, 0, 0),
        (5, 0, 3, 0, 0),
        (1, 1, 3, 1, 0),
        (2, 3, 1, 6, 6),
        (2, 3, 6, 1, 1),
        (2, 3, 5, 2, 1),
        (7, 5, 2, 18, 17),
    ],
)
def test_a_ratio_is_rounded_up_or_down(
    amount: int, numerator: int, denominator: int, up: int, down: int
) -> None:
    assert ratio_up(amount, numerator, denominator) == up
    assert ratio_down(amount, numerator, denominator) == down


@given(naturals, naturals, st.integers(1, 2**128))
def test_up_and_down_are_the_nearest_integers_around_the_ratio(a: int, n: int, d: int) -> None:
    up, down = ratio_up(a, n, d), ratio_down(a, n, d)
    assert (up - 1) * d < a * n <= up * d
    assert down * d <= a * n < (down + 1) * d


@given(naturals)
def test_nothing_is_made_on_the_way_to_l1_and_back(amount: int) -> None:
    assert nano(amount) == amount * NANO_PER_MICRO
    assert micro_down(nano(amount)) == amount
    assert 0 <= amount - nano(micro_down(amount)) < NANO_PER_MICRO


def test_notional_is_signed_and_exact() -> None:
    assert (notional(3, 7), notional(-3, 7), notional(0, 7)) == (21, -21, 0)


@pytest.mark.parametrize(
    "divide",
    [
        lambda: share_up(-1, 1),
        lambda: share_up(1, -1),
        lambda: share_down(-1, 1),
        lambda: share_down(1, -1),
        lambda: ratio_up(-1, 1, 1),
        lambda: ratio_up(1, -1, 1),
        lambda: ratio_up(1, 1, 0),
        lambda: ratio_up(1, 1, -1),
        lambda: ratio_down(-1, 1, 1),
        lambda: ratio_down(1, -1, 1),
        lambda: ratio_down(1, 1, 0),
        lambda: ratio_down(1, 1, -1),
        lambda: micro_down(-1),
    ],
)
def test_what_is_negative_is_not_divided(divide: Callable[[], int]) -> None:
    with pytest.raises(AssertionError):
        divide()
