"""Decimals in, whole lots, ticks and micro-dollars out, or a refusal that says the mend."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.quantities import (
    NotAQuantity,
    coin_price,
    coin_size,
    dollars,
    micro_dollars,
    money,
    plain,
    read_lots,
    read_micro,
    read_ticks,
)


@pytest.mark.parametrize(
    ("size", "exponent", "lots"),
    [("0.01", 6, 10_000), ("1", 0, 1), ("0.000001", 6, 1), ("2.50", 1, 25)],
)
def test_a_size_is_whole_lots(size: str, exponent: int, lots: int) -> None:
    assert read_lots(size, exponent) == lots


@pytest.mark.parametrize(
    ("price", "exponent", "tick", "ticks"),
    [("60000", 6, 100, 600_000), ("60000.1", 6, 100, 600_001), ("150.001", 4, 100, 150_001)],
)
def test_a_price_is_whole_ticks(price: str, exponent: int, tick: int, ticks: int) -> None:
    assert read_ticks(price, exponent, tick) == ticks


def test_a_price_between_ticks_is_refused_with_its_neighbour() -> None:
    with pytest.raises(NotAQuantity, match=r"60000\.15 is not a multiple of 0\.1.*60000\.1"):
        read_ticks("60000.15", 6, 100)


def test_a_fraction_of_a_lot_is_refused() -> None:
    with pytest.raises(NotAQuantity, match=r"size: 0\.0000001 is not a multiple of 0\.000001"):
        read_lots("0.0000001", 6)


@pytest.mark.parametrize(
    "text", ["", "-1", "1e5", "nan", "Infinity", "1,000", " 1", "0", "0.0", "1.", ".5", "٣", "0x10"]
)
def test_what_is_no_positive_decimal_is_refused(text: str) -> None:
    with pytest.raises(NotAQuantity, match="amount"):
        read_micro(text)


@given(st.integers(1, 2**48), st.integers(0, 18))
def test_sizes_read_back_as_they_are_shown(lots: int, exponent: int) -> None:
    assert read_lots(plain(coin_size(lots, exponent)), exponent) == lots


@given(st.integers(1, 2**24), st.integers(0, 18), st.integers(1, 2**32))
def test_prices_read_back_as_they_are_shown(ticks: int, exponent: int, tick: int) -> None:
    assert read_ticks(plain(coin_price(ticks * tick, exponent)), exponent, tick) == ticks


@given(st.integers(1, 2**64))
def test_dollars_read_back_as_they_are_shown(micro: int) -> None:
    assert read_micro(plain(micro_dollars(micro))) == micro


@given(st.integers(-(2**111), 2**111))
def test_no_digit_of_a_balance_is_lost(nano: int) -> None:
    shown = plain(dollars(nano))
    whole, _, fraction = shown.lstrip("-").partition(".")
    assert int(whole + fraction.ljust(9, "0")) == abs(nano)


def test_tables_group_thousands() -> None:
    assert money(Decimal("1234567.891")) == "1,234,567.89"
    assert money(Decimal("-0.5"), 1) == "-0.5"
