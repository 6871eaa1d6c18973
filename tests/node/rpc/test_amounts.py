"""Amounts as people write them: exact in both directions, or refused with what would do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.rpc.amounts import (
    MICRO_PLACES,
    NANO_PLACES,
    Grid,
    decimal,
    decimal_text,
    read_decimal,
    read_money,
    usd,
    usdc,
)
from node.rpc.errors import InvalidParams, Malformed
from state.limits import LOTS_MAX, PRICE_MAX, TICKS_MAX

BTC = Grid(lot_exponent=6, tick=100)
"""A lot is 0.000001 coin, a tick 0.1 USD per coin."""


@pytest.mark.parametrize(
    ("units", "places", "text"),
    [
        (0, 9, "0"),
        (1, 9, "0.000000001"),
        (-1, 9, "-0.000000001"),
        (1_500_000_000, 9, "1.5"),
        (-2_000_000_000, 9, "-2"),
        (10**9, 0, "1000000000"),
        (7, -3, "7000"),
        (-7, -3, "-7000"),
        (123_456, 6, "0.123456"),
        (2**111, 9, "2596148429267413814265248.164610048"),
    ],
)
def test_units_are_written_out_exactly(units: int, places: int, text: str) -> None:
    assert decimal_text(units, places) == text


def test_a_grid_knows_its_lot_and_its_tick() -> None:
    assert (BTC.lot_size, BTC.tick_size) == ("0.000001", "0.1")
    assert BTC.price(500_000) == "50000"
    assert BTC.price_of_nano(50_000_001) == "50000.001"
    # A market whose lot is a hundred-millionth: one nano-USD per lot is ten cents per coin.
    assert Grid(8, 1).tick_size == "0.1"
    assert Grid(12, 3).tick_size == "3000"
    assert Grid(0, 1).tick_size == "0.000000001"


@given(units=st.integers(1, TICKS_MAX), exponent=st.integers(0, 18), tick=st.integers(1, 2**32 - 1))
def test_every_tick_reads_back(units: int, exponent: int, tick: int) -> None:
    grid = Grid(exponent, tick)
    assert grid.read_price(grid.price(units)) == units


@given(lots=st.integers(1, LOTS_MAX), exponent=st.integers(0, 18))
def test_every_size_reads_back(lots: int, exponent: int) -> None:
    grid = Grid(exponent, 1)
    assert grid.read_size(grid.size(lots)) == lots


@given(nano=st.integers(1, PRICE_MAX), exponent=st.integers(0, 18))
def test_every_price_of_an_oracle_reads_back(nano: int, exponent: int) -> None:
    grid = Grid(exponent, 1)
    assert grid.read_nano_price(grid.price_of_nano(nano)) == nano


@given(
    whole=st.integers(0, 10**12),
    fraction=st.text("0123456789", max_size=20),
    exponent=st.integers(0, 18),
    tick=st.integers(1, 10**6),
)
def test_a_price_is_exact_or_its_neighbours_are(
    whole: int, fraction: str, exponent: int, tick: int
) -> None:
    """What is refused lies strictly between two valid prices, and those are accepted."""
    text = f"{whole}.{fraction}" if fraction else str(whole)
    grid = Grid(exponent, tick)
    scaled = int(f"{whole}{fraction}") * 10 ** (NANO_PLACES + 20)
    step = tick * 10 ** (exponent + 20 + len(fraction))
    try:
        ticks = grid.read_price(text)
    except InvalidParams as refused:
        if refused.reason == "price_out_of_range":
            assert scaled == 0 or scaled > TICKS_MAX * step
            return
        assert refused.reason == "off_tick"
        near = [grid.read_price(price) for price in refused.data["nearest"]]
        assert all(abs(ticks * step - scaled) < step for ticks in near) or near == [TICKS_MAX]
        assert near == sorted(set(near)) and len(near) in (1, 2)
    else:
        assert ticks * step == scaled


@pytest.mark.parametrize(
    ("text", "reason", "nearest"),
    [
        ("50000.05", "off_tick", ["50000", "50000.1"]),
        ("0.05", "off_tick", ["0.1"]),
        ("1677721.55", "off_tick", ["1677721.5"]),
        ("9999999999.05", "off_tick", ["1677721.5"]),
        ("0", "price_out_of_range", None),
        ("1677721.6", "price_out_of_range", None),
    ],
)
def test_a_price_off_the_tick_names_the_next_ones(
    text: str, reason: str, nearest: list[str] | None
) -> None:
    with pytest.raises(InvalidParams) as refused:
        BTC.read_price(text)
    assert refused.value.reason == reason
    assert refused.value.data.get("nearest") == nearest
    if nearest:
        assert refused.value.data["mend"] == "use " + " or ".join(nearest)


def test_a_size_off_the_lot_names_the_next_ones() -> None:
    with pytest.raises(InvalidParams) as refused:
        BTC.read_size("0.0000015")
    assert refused.value.reason == "off_lot"
    assert refused.value.data["nearest"] == ["0.000001", "0.000002"]
    assert "0.0000015" in refused.value.message


def test_money_has_the_units_of_its_side() -> None:
    assert read_money("1.5", MICRO_PLACES, 10**12) == 1_500_000
    assert read_money("0.000000001", NANO_PLACES, 10**12) == 1
    assert (usdc(1_500_000), usd(1)) == ("1.5", "0.000000001")
    with pytest.raises(InvalidParams, match=r"0\.0000001 is not a multiple of 0\.000001"):
        read_money("0.0000001", MICRO_PLACES, 10**12)
    with pytest.raises(InvalidParams, match="not within"):
        read_money("0", MICRO_PLACES, 10**12)
    with pytest.raises(InvalidParams, match="not within"):
        read_money("1000001", MICRO_PLACES, 10**12)


@pytest.mark.parametrize("value", ["0", "1", "0.5", "10.250", "1" * 40, 0, 7, 10**39])
def test_plain_decimals_are_read(value: object) -> None:
    assert read_decimal(value) == str(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (0.5, "float_not_exact"),
        (1e30, "float_not_exact"),
        (float("nan"), "float_not_exact"),
        (True, "not_a_decimal"),
        (None, "not_a_decimal"),
        ([], "not_a_decimal"),
        (-1, "not_a_decimal"),
        (10**40, "not_a_decimal"),
        *((text, "not_a_decimal") for text in ("", ".5", "5.", "-1", "+1", "1e3", "1_000", "1,0")),
        *(
            (text, "not_a_decimal")
            for text in ("01", " 1", "1 ", "0x10", "NaN", "1" * 41, "\u0661")
        ),
        *((text, "not_a_decimal") for text in ("1\n", "½", "1.2.3")),
    ],
)
def test_anything_else_is_no_decimal(value: object, reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_decimal(value)
    assert refused.value.reason == reason


def test_an_integer_too_long_to_print_is_refused_all_the_same() -> None:
    with pytest.raises(Malformed, match="too long to show"):
        read_decimal(10**5000)


def test_our_own_code_gets_the_error_of_a_param() -> None:
    with pytest.raises(InvalidParams) as refused:
        decimal("1e3")
    assert refused.value.reason == "not_a_decimal"
