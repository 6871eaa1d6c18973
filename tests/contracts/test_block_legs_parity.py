"""Legs of a block trade on L1: every refusal of LEG and SETTLE, and what is written otherwise."""

from collections.abc import Callable
from typing import Any

import pytest
from block_contracts import block_venue, outcome, traded
from block_world import (
    AROUND,
    VALUE,
    block,
    change_account,
    change_market,
    change_row,
    leg,
    signed,
)
from builders import NOW, Venue, key, listing
from evm_engines import Pyrevm
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from step_contracts import Rules

from state.accounts import Position
from state.legs import Leg
from state.limits import ACCOUNT_POSITIONS_MAX, CASH_MAX, LOTS_MAX, TICKS_MAX
from state.markets import Mode, Tier
from state.orders import BUY, SELL
from state.status import Status


@pytest.fixture(scope="module")
def blocks() -> Rules:
    """The contract, on the quicker engine."""
    return Rules(Pyrevm(), "blocks")


# --- LEG ---

Fault = Callable[[Venue, Leg], Leg]


def fault(change: Callable[..., None], *where: Any, **changed: Any) -> Fault:
    """Changes the venue, and not what is traded."""

    def apply(venue: Venue, wanted: Leg) -> Leg:
        change(venue, *where, **changed)
        return wanted

    return apply


CROWD = tuple(Position(100 + at, lots=1) for at in range(ACCOUNT_POSITIONS_MAX))

# In the order of the checks: the faults of a row and of all below it are there at once.
FAULTS: list[tuple[Status, Fault]] = [
    (Status.UNKNOWN_MARKET, lambda _, wanted: replace(wanted, market=9)),
    (Status.MARKET_CLOSED, fault(change_row, mode=Mode.HALTED)),
    (Status.PRICE_OUT_OF_BAND, lambda _, wanted: replace(wanted, ticks=0)),
    (Status.LOTS_OUT_OF_RANGE, lambda _, wanted: replace(wanted, lots=0)),
    (Status.NOTIONAL_TOO_SMALL, fault(change_market, min_notional=10 * VALUE + 1)),
    (Status.TOO_MANY_POSITIONS, fault(change_account, "bob", positions=CROWD)),
    (Status.OPEN_INTEREST_TOO_LARGE, fault(change_market, open_interest_max=9)),
    (Status.POSITION_TOO_LARGE, fault(change_market, position_max=9)),
    (Status.TAKER_MARGIN_TOO_LOW, fault(change_account, "bob", cash=0)),
    (Status.MAKER_MARGIN_TOO_LOW, fault(change_account, "alice", cash=0)),
]


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("first", range(len(FAULTS)), ids=[status.name for status, _ in FAULTS])
def test_the_first_fault_of_a_leg_is_the_answer(blocks: Rules, first: int, side: int) -> None:
    venue = block_venue()
    wanted = leg(side)
    for _, apply in FAULTS[first:]:
        wanted = apply(venue, wanted)
    assert traded(blocks, venue, wanted) == FAULTS[first][0]


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_either_party_needs_a_slot(blocks: Rules, name: str) -> None:
    venue = block_venue()
    change_account(venue, name, positions=CROWD)
    change_market(venue, open_interest_max=1, position_max=1)
    assert traded(blocks, venue, leg()) == Status.TOO_MANY_POSITIONS
    held = (Position(0, bid_lots=3), *CROWD[1:])
    change_account(venue, name, positions=held)
    assert traded(blocks, venue, leg()) == Status.OPEN_INTEREST_TOO_LARGE


@pytest.mark.parametrize(
    "changed",
    [
        {"mark": 0},
        {"time": NOW - 3_601},
        {"time": NOW - 3_500},
        *({"mode": mode} for mode in Mode),
    ],
    ids=str,
)
def test_a_leg_needs_a_live_market_with_a_fresh_mark(
    blocks: Rules, changed: dict[str, Any]
) -> None:
    venue = block_venue()
    change_row(venue, 1, **changed)
    is_open = changed in ({"time": NOW - 3_500}, {"mode": Mode.LIVE})
    expected = Status.OK if is_open else Status.MARKET_CLOSED
    assert traded(blocks, venue, leg(), leg(market=1)) == expected


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("mark", "lowest", "highest"),
    [(50_000_000, 450_000, 550_000), (50_000_050, 450_001, 550_000), (100, 1, 1)],
)
def test_the_price_is_inside_the_band(
    blocks: Rules, side: int, mark: int, lowest: int, highest: int
) -> None:
    venue = block_venue()
    change_row(venue, mark=mark)
    for ticks in (lowest, highest):
        assert traded(blocks, venue, leg(side, ticks=ticks)) == Status.OK
    for ticks in (lowest - 1, highest + 1, TICKS_MAX):
        assert traded(blocks, venue, leg(side, ticks=ticks)) == Status.PRICE_OUT_OF_BAND


def test_a_band_that_no_price_reaches_takes_no_trade(blocks: Rules) -> None:
    venue = block_venue(markets=(listing(tick=1),), mark=2 * TICKS_MAX)
    assert traded(blocks, venue, leg(ticks=TICKS_MAX)) == Status.PRICE_OUT_OF_BAND


@pytest.mark.parametrize("name", ["alice", "bob"])
@pytest.mark.parametrize("over", [0, 1])
def test_no_cash_of_either_passes_its_bound(blocks: Rules, name: str, over: int) -> None:
    venue = block_venue()
    rate, side = (100, BUY) if name == "alice" else (500, SELL)
    change_account(venue, name, cash=CASH_MAX - 10 * VALUE + 10 * VALUE * rate // 10**6 + over)
    expected = Status.POSITION_TOO_LARGE if over else Status.OK
    assert traded(blocks, venue, leg(side)) == expected


def test_a_position_shrinks_turns_round_and_closes_under_its_limits(blocks: Rules) -> None:
    venue = block_venue()
    for market in range(2):
        change_row(
            venue,
            market,
            long=replace(venue.state.rows[market].long, a=5, k=-(2**90), f=7),
            short=replace(venue.state.rows[market].short, a=6, k=2**90, f=-7),
        )
    assert traded(blocks, venue, leg(BUY, 10), leg(SELL, 3, market=1)) == Status.OK
    change_market(venue, position_max=10, open_interest_max=5)
    steps = [
        (leg(BUY, 1), Status.OPEN_INTEREST_TOO_LARGE),
        (leg(SELL, 21), Status.OPEN_INTEREST_TOO_LARGE),
        (leg(SELL, 20), Status.OK),
        (leg(BUY, 4), Status.OK),
        (leg(BUY, 6), Status.OK),
        (leg(BUY, LOTS_MAX), Status.OPEN_INTEREST_TOO_LARGE),
    ]
    for wanted, status in steps:
        assert traded(blocks, venue, wanted) == status
    assert (venue.lots("alice"), venue.lots("bob")) == (0, 0)


# --- SETTLE ---


@pytest.mark.parametrize("count", range(1, 5))
def test_of_one_to_four_legs_the_last_refusal_restores_them_all(blocks: Rules, count: int) -> None:
    venue = block_venue()
    legs = [leg(market % 2, 10 + market, AROUND - market, market) for market in range(count)]
    assert traded(blocks, venue, *legs) == Status.OK
    for last, status in (
        (leg(lots=0, market=3), Status.LOTS_OUT_OF_RANGE),
        (leg(lots=10**8, market=3), Status.TAKER_MARGIN_TOO_LOW),
        (leg(market=77), Status.UNKNOWN_MARKET),
    ):
        assert traded(blocks, venue, *legs[:3], last) == status


@pytest.mark.parametrize("name", ["alice", "bob"])
@pytest.mark.parametrize(
    "changed",
    [{"slow_mark": 1}, {"slow_mark": 2**50}, {"time": NOW - 9_000}, {"mode": Mode.HALTED}],
    ids=str,
)
def test_a_mark_elsewhere_unsettles_either_party(
    blocks: Rules, name: str, changed: dict[str, Any]
) -> None:
    venue = block_venue(100)
    venue.open("carol", 10_000)
    maker, taker = ("carol", name) if name == "bob" else (name, "carol")
    parties = {"maker": venue.numbers[maker] << 8, "taker": venue.numbers[taker] << 8}
    keys = {"maker": key(maker), "taker": key(taker)}
    for market, side in ((2, BUY), (3, SELL)):
        tx = block(venue, leg(side, market=market), **parties)
        assert outcome(blocks, venue, tx, signed(tx, **keys)) == Status.OK
    for market in (2, 3):
        change_row(venue, market, **changed)
    tx = block(venue, leg(market=1))
    refused = outcome(blocks, venue, tx, signed(tx))
    is_taker = name == "bob"
    expected = Status.TAKER_MARGIN_TOO_LOW if is_taker else Status.MAKER_MARGIN_TOO_LOW
    assert refused == (Status.OK if changed == {"slow_mark": 1} else expected)


@settings(deadline=None)
@given(
    cash=st.integers(-(10**10), 10**11),
    slow=st.integers(1, 10**8),
    scale=st.integers(0, 10**12),
    lots=st.lists(st.integers(1, 10**4), min_size=2, max_size=2),
    sides=st.lists(st.sampled_from((BUY, SELL)), min_size=2, max_size=2),
)
def test_margin_in_the_end_is_judged_alike(
    blocks: Rules, cash: int, slow: int, scale: int, lots: list[int], sides: list[int]
) -> None:
    venue = block_venue()
    venue.open("carol", 100)
    for name in ("alice", "bob"):
        change_account(venue, name, cash=cash)
    tiers = (Tier(0, 50_000, 30_000), Tier(10**9, 90_000, 60_000))
    change_row(venue, 0, slow_mark=slow, tiers=tiers, interest_upper=scale)
    legs = [leg(sides[at], lots[at], market=at) for at in range(2)]
    traded(blocks, venue, *legs)
