"""The figures of margin on L1 are Python's, a unit to either side of every boundary."""

from itertools import product
from typing import Any

import pytest
from builders import listing
from mock_contract import harness
from msgspec.structs import replace

from state.accounts import Position
from state.limits import CASH_MAX, LOTS_MAX, PRICE_MAX, TICK_MAX, TICKS_MAX, TIME_MAX
from state.margin import (
    Health,
    initial_margin,
    interest_scale,
    is_fresh,
    may_stand,
    worst_lots,
)
from state.markets import (
    BoardRow,
    Market,
    Mode,
    Publisher,
    Side,
    Tier,
    encode_board_row,
    encode_market,
)
from state.orders import BUY, SELL
from state.resting import dearer_fee, distance_cost, reducible_lots
from state.units import RATE_ONE, ratio_down, ratio_up, share_up

NOTIONAL_MAX = LOTS_MAX * PRICE_MAX
ROOT = bytes(32)


def on_l1(name: str, *given: object) -> Any:
    return harness("margin_rules").call(name, *given)[0]


def around(*values: int) -> list[int]:
    """Each of them, and a unit to either side, none below zero."""
    return sorted({max(0, value + by) for value in values for by in (-1, 0, 1)})


def row(**changed: Any) -> BoardRow:
    fields: dict[str, Any] = {"mark": 100, "tiers": (Tier(0, 50_000, 30_000),)}
    return BoardRow(0, Mode.LIVE, price_age_max=60, **(fields | changed))


def market(**changed: Any) -> Market:
    x = listing()
    fixed = (x.lot_exponent, x.symbol.ljust(16, b"\0"), x.tick, 0, 1, 1)
    whole = Market(0, 1, *fixed, 500, 100, 1, 1, 1, (Publisher(b"\1" * 20, 1, 1),))
    return replace(whole, **changed)


@pytest.mark.parametrize("rate", [0, 1, 2, 3, 333_333, 500_000, 999_999, RATE_ONE])
def test_a_share_is_rounded_up_alike(rate: int) -> None:
    """Where `amount x rate` reaches whole units, and at the largest notional of all."""
    steps = around(1, RATE_ONE, 2 * RATE_ONE, NOTIONAL_MAX, CASH_MAX, *(10**e for e in range(12)))
    if rate:
        steps += around(RATE_ONE // rate, -(-RATE_ONE // rate), 7 * RATE_ONE // rate)
    for amount in steps:
        assert on_l1("share_up", amount, rate) == share_up(amount, rate)


@pytest.mark.parametrize("denominator", [1, 2, 3, 7, 600, RATE_ONE, RATE_ONE * TICK_MAX])
def test_units_divide_alike_around_every_whole_number(denominator: int) -> None:
    """Up and down: at a multiple both are exact, a unit beside it they differ by one."""
    numerators = [0, 1, 2, RATE_ONE, 2 * RATE_ONE - 1]
    amounts = around(0, denominator, 2 * denominator, 99 * denominator, PRICE_MAX)
    for amount, numerator in product(amounts, numerators):
        up = on_l1("ratio_up", amount, numerator, denominator)
        down = on_l1("ratio_down", amount, numerator, denominator)
        assert up == ratio_up(amount, numerator, denominator)
        assert down == ratio_down(amount, numerator, denominator)
        assert up - down == (amount * numerator % denominator > 0)


LOTS = [-LOTS_MAX, -2, -1, 0, 1, 2, LOTS_MAX]


@pytest.mark.parametrize("lots", LOTS)
def test_the_worst_case_of_open_orders_is_the_same(lots: int) -> None:
    for bids, asks in product([0, 1, 2, 3, 64 * LOTS_MAX], repeat=2):
        expected = worst_lots(Position(0, lots, bids, asks))
        assert on_l1("worst_lots", lots, bids, asks) == expected


@pytest.mark.parametrize("side", [BUY, SELL])
def test_what_may_be_reduced_is_the_same(side: int) -> None:
    for lots in LOTS:
        assert on_l1("reducible_lots", lots, side) == reducible_lots(lots, side)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("mark", [0, 1])
def test_a_mark_is_fresh_up_to_the_same_second(mode: Mode, mark: int) -> None:
    one = replace(row(mark=mark, time=1_000), mode=mode)
    for now in [*around(1_000, 1_060), TIME_MAX]:
        assert on_l1("is_fresh", encode_board_row(one), now) == is_fresh(one, now)


BOUNDS = [(0, 0), (0, 1), (700, 700), (700, 1_400), (0, 3), (10**15, 10**15 + 10**9)]


@pytest.mark.parametrize(("lower", "upper"), BOUNDS)
def test_the_scale_of_interest_is_the_same_at_both_of_its_bounds(lower: int, upper: int) -> None:
    """Of the larger side; rounded up between the two."""
    middle = (lower + upper) // 2
    for lots in [*around(lower, middle, upper), LOTS_MAX]:
        for long, short in ((lots, 0), (0, lots), (lots, lots)):
            sides = {"long": Side(long), "short": Side(short)}
            one = row(mark=1, interest_lower=lower, interest_upper=upper, **sides)
            found = on_l1("interest_scale", encode_board_row(one))
            assert found == interest_scale(one)
            assert 0 <= found <= RATE_ONE


FOUR = (
    Tier(0, 1, 1),
    Tier(1_000_000, 20_001, 1),
    Tier(1_000_001, 333_333, 1),
    Tier(10**30, RATE_ONE, 1),
)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("interest", [0, 1, 500_000, 1_000_000])
def test_initial_margin_is_the_same_around_the_start_of_every_tier(
    count: int, interest: int
) -> None:
    """With the rate as it is, a millionth of the way up, halfway and at one."""
    scaled = {"interest_upper": 1_000_000, "long": Side(interest)}
    one = row(mark=1, tiers=FOUR[:count], **scaled)
    starts = [tier.start for tier in FOUR]
    for exposure in [*around(*starts, RATE_ONE), NOTIONAL_MAX, 16 * NOTIONAL_MAX]:
        found = on_l1("initial_margin", encode_board_row(one), exposure)
        assert found == initial_margin(one, exposure)


EQUITIES = [-(2**111), -3, -2, -1, 0, 1, 2, 3, 2**111]
INITIALS = [0, 1, 2, 3, 2**111]


@pytest.mark.parametrize("lots", [(2, 1), (1, 1), (1, 2), (1, 0), (1, -1), (-2, -1), (0, 0)])
def test_whether_a_change_may_stand_is_the_same_at_equality(lots: tuple[int, int]) -> None:
    """Equity against margin, and risk before against risk after, a nano to either side."""
    seen = set()
    for equity, initial, equity_after, initial_after in product(
        [-2, -1, 0, 2, -(2**111)], INITIALS[1:], EQUITIES, INITIALS
    ):
        before, after = (equity, initial), (equity_after, initial_after)
        expected = may_stand(Health(*before), Health(*after), *lots)
        assert on_l1("may_stand", before, after, *lots) == expected
        seen.add(expected)
    assert seen == {True, False}


@pytest.mark.parametrize("tick", [1, 100, TICK_MAX])
@pytest.mark.parametrize("lots", [1, 7, LOTS_MAX])
def test_fee_and_distance_of_a_quote_cost_the_same(tick: int, lots: int) -> None:
    """At the mark, a tick to either side, and at both ends of the price."""
    for fees in ((500, 100), (100, 500), (0, 0), (1, 1)):
        one = market(tick=tick, taker_fee=fees[0], maker_fee=fees[1])
        leaf = encode_market(one, ROOT, ROOT)
        for ticks in (1, 499, 500, 501, TICKS_MAX):
            assert on_l1("dearer_fee", leaf, lots, ticks) == dearer_fee(one, lots, ticks)
            for side, off in product((BUY, SELL), (-1, 0, 1)):
                board = row(mark=max(1, 500 * tick + off))
                found = on_l1("distance_cost", leaf, encode_board_row(board), side, lots, ticks)
                assert found == distance_cost(one, board, side, lots, ticks)
