"""Margin: published vectors of another venue, and the properties a requirement must have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from shared_files import shared_json

from state.accounts import Account, Position
from state.limits import LOTS_MAX, PRICE_MAX
from state.margin import (
    Health,
    cautious_health,
    health,
    initial_margin,
    interest_scale,
    is_fresh,
    may_stand,
    worst_lots,
)
from state.markets import BoardRow, Mode, Side, Tier
from state.memory import MemoryState
from state.units import RATE_ONE, ratio_down, ratio_up, share_down, share_up


def row(initial: int = 50_000, lower: int = 0, upper: int = 0, interest: int = 0) -> BoardRow:
    """A row whose open interest is worth `interest` nano-USD."""
    side = Side(lots=interest)
    return BoardRow(
        market=0,
        mode=Mode.LIVE,
        tiers=(Tier(0, initial, initial),),
        price_age_max=10,
        interest_lower=lower,
        interest_upper=upper,
        mark=1,
        long=side,
        short=side,
    )


def test_rates_rise_with_open_interest_as_published_by_dydx() -> None:
    vectors = [v for v in shared_json("vectors/risk/risk_vectors.json") if v["fn"] == "dx_adj_imf"]
    assert len(vectors) == 6
    for vector in vectors:
        initial, lower, upper, interest = vector["input"]
        the_row = row(initial, lower, upper, interest)
        rate = initial + share_up(RATE_ONE - initial, interest_scale(the_row))
        assert rate == vector["expected"], vector["id"]


def test_initial_margins_are_those_published_by_dydx() -> None:
    vectors = [v for v in shared_json("vectors/risk/risk_vectors.json") if v["fn"] == "dx_im"]
    assert len(vectors) == 7
    for vector in vectors:
        initial, lower, upper, interest, exposure = vector["input"]
        assert (
            initial_margin(row(initial, lower, upper, interest), exposure) == (vector["expected"])
        ), vector["id"]


def test_a_tier_charges_only_the_slice_above_it() -> None:
    tiers = (Tier(0, 50_000, 1), Tier(1_000, 100_000, 1), Tier(2_000, 500_000, 1))
    the_row = BoardRow(market=0, mode=Mode.LIVE, tiers=tiers, price_age_max=1, mark=1)
    margins = {0: 0, 1: 1, 1_000: 50, 1_001: 51, 2_000: 150, 2_002: 151, 4_000: 1_150}
    for exposure, margin in margins.items():
        assert initial_margin(the_row, exposure) == margin, exposure


@given(
    exposure=st.integers(0, LOTS_MAX * PRICE_MAX),
    more=st.integers(0, PRICE_MAX),
    initial=st.integers(1, RATE_ONE),
    interest=st.integers(0, 2**60),
)
def test_more_exposure_never_needs_less_margin_nor_more_than_itself(
    exposure: int, more: int, initial: int, interest: int
) -> None:
    the_row = row(initial, 2**40, 2**50, interest)
    margin = initial_margin(the_row, exposure)
    assert margin <= initial_margin(the_row, exposure + more)
    assert margin <= exposure


@pytest.mark.parametrize(
    ("lots", "bids", "asks", "worst"),
    [(0, 0, 0, 0), (5, 0, 3, 5), (5, 0, 12, 7), (5, 2, 12, 7), (-5, 3, 0, 5), (-5, 12, 1, 7)],
)
def test_open_orders_count_at_their_worst_case(lots: int, bids: int, asks: int, worst: int) -> None:
    assert worst_lots(Position(0, lots, bids, asks)) == worst


@pytest.mark.parametrize(
    ("before", "after", "lots", "allowed"),
    [
        ((100, 50), (50, 50), (0, 10), True),
        ((100, 50), (49, 50), (0, 10), False),
        ((40, 50), (39, 45), (10, 9), True),
        ((40, 50), (35, 45), (10, 9), False),
        ((40, 50), (40, 40), (10, 10), True),
        ((30, 50), (30, 40), (10, 10), False),
        ((30, 50), (36, 40), (10, -5), False),
        ((30, 50), (30, 0), (10, 0), True),
        ((30, 50), (30, 45), (10, 0), True),
        ((30, 50), (30, 45), (-10, 0), True),
        ((30, 50), (20, 45), (10, 0), False),
        ((-5, 50), (-5, 40), (10, 8), False),
        ((-5, 50), (-4, 40), (10, 8), True),
        ((-5, 50), (-5, 50), (-10, -9), True),
    ],
)
def test_a_change_stands_when_healthy_or_strictly_smaller_and_no_riskier(
    before: tuple[int, int], after: tuple[int, int], lots: tuple[int, int], allowed: bool
) -> None:
    assert may_stand(Health(*before), Health(*after), *lots) == allowed


@pytest.mark.parametrize("lots", [1, 7, -1, -7])
@pytest.mark.parametrize("marks", [(1_000, 900), (900, 1_000), (1_000, 1_000)])
def test_caution_takes_the_worse_mark_of_every_position_whatever_its_size(
    lots: int, marks: tuple[int, int]
) -> None:
    state = MemoryState()
    for market in (0, 1):
        state.rows[market] = replace(row(), market=market, mark=marks[0], slow_mark=marks[1])
    positions = (Position(0, lots), Position(1, lots))
    account = Account(owner=b"\1" * 20, cash=50_000, positions=positions)
    worse = min(marks) if lots > 0 else max(marks)
    required = 2 * share_up(abs(lots) * max(marks), 50_000)
    assert cautious_health(state, account) == Health(50_000 + 2 * lots * worse, required)
    required = 2 * share_up(abs(lots) * marks[0], 50_000)
    assert health(state, account) == Health(50_000 + 2 * lots * marks[0], required)


def test_health_is_asked_only_where_every_position_has_a_row() -> None:
    account = Account(owner=b"\1" * 20, positions=(Position(0, 1),))
    for ask in (health, cautious_health):
        with pytest.raises(AssertionError, match=r"^a position's market has a row$"):
            ask(MemoryState(), account)


@pytest.mark.parametrize(("mark", "fresh"), [(0, False), (1, True), (2, True)])
def test_a_mark_of_one_nano_is_a_mark(mark: int, fresh: bool) -> None:
    assert is_fresh(replace(row(), mark=mark), now=10) == fresh


@given(st.integers(0, 2**120), st.integers(0, RATE_ONE))
def test_the_two_roundings_of_a_share_enclose_it(amount: int, rate: int) -> None:
    exact = amount * rate
    assert share_down(amount, rate) * RATE_ONE <= exact <= share_up(amount, rate) * RATE_ONE
    assert share_up(amount, rate) - share_down(amount, rate) in (0, 1)
    assert ratio_up(amount, rate, RATE_ONE) == share_up(amount, rate)
    assert ratio_down(amount, rate, RATE_ONE) == share_down(amount, rate)


@pytest.mark.parametrize("divide", [share_up, share_down])
def test_nothing_negative_is_ever_divided(divide: object) -> None:
    for pair in ((-1, 5), (5, -1)):
        with pytest.raises(AssertionError):
            divide(*pair)  # type: ignore[operator]
