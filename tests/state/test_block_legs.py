"""Legs of a block trade: the order of their checks, all or nothing, limits and margin of both."""

from collections.abc import Callable
from typing import Any

import pytest
from block_world import (
    AROUND,
    VALUE,
    block,
    block_venue,
    change_account,
    change_market,
    change_row,
    leg,
    roots,
    signed,
    trade,
)
from builders import NOW, Venue, key, listing
from msgspec.structs import replace

from state.accounts import Position
from state.commitment import Committer
from state.execution import Receipt
from state.invariants import check_invariants
from state.legs import Leg
from state.limits import ACCOUNT_POSITIONS_MAX, CASH_MAX, LOTS_MAX, TICKS_MAX
from state.markets import Mode
from state.orders import BUY, SELL, Life
from state.status import Status
from state.transactions import Header

ALICE, BOB = 1 << 8, 2 << 8


@pytest.fixture
def venue() -> Venue:
    """Every step of what it runs is held against the invariants."""
    venue = block_venue()
    venue.on_step = lambda *_: check_invariants(venue.state)
    return venue


def between(venue: Venue, maker: str, taker: str, *legs: Leg) -> Receipt:
    """A block trade of any two."""
    numbers = {"maker": venue.numbers[maker] << 8, "taker": venue.numbers[taker] << 8}
    tx = block(venue, *legs, **numbers)
    return venue.run(tx, signed(tx, maker=key(maker), taker=key(taker)))


def crowd(venue: Venue, name: str) -> None:
    """All sixteen slots taken, in markets that need not exist."""
    positions = tuple(Position(100 + at, lots=1) for at in range(ACCOUNT_POSITIONS_MAX))
    change_account(venue, name, positions=positions)


Fault = Callable[[Venue, Leg], Leg]


def fault(change: Callable[..., None], **changed: Any) -> Fault:
    def apply(venue: Venue, wanted: Leg) -> Leg:
        change(venue, **changed)
        return wanted

    return apply


def poor(venue: Venue, wanted: Leg) -> Leg:
    change_account(venue, "alice", cash=0)
    return wanted


def poor_taker(venue: Venue, wanted: Leg) -> Leg:
    change_account(venue, "bob", cash=0)
    return wanted


def crowded(venue: Venue, wanted: Leg) -> Leg:
    crowd(venue, "bob")
    return wanted


# In the order of the checks: the faults of a row and of all below it are there at once.
FAULTS: list[tuple[Status, Fault]] = [
    (Status.UNKNOWN_MARKET, lambda _, wanted: replace(wanted, market=9)),
    (Status.MARKET_CLOSED, fault(change_row, mode=Mode.HALTED)),
    (Status.PRICE_OUT_OF_BAND, lambda _, wanted: replace(wanted, ticks=0)),
    (Status.LOTS_OUT_OF_RANGE, lambda _, wanted: replace(wanted, lots=0)),
    (Status.NOTIONAL_TOO_SMALL, fault(change_market, min_notional=10 * VALUE + 1)),
    (Status.TOO_MANY_POSITIONS, crowded),
    (Status.OPEN_INTEREST_TOO_LARGE, fault(change_market, open_interest_max=9)),
    (Status.POSITION_TOO_LARGE, fault(change_market, position_max=9)),
    (Status.TAKER_MARGIN_TOO_LOW, poor_taker),
    (Status.MAKER_MARGIN_TOO_LOW, poor),
]


@pytest.mark.parametrize("first", range(len(FAULTS)), ids=[status.name for status, _ in FAULTS])
def test_the_first_fault_of_a_leg_is_the_answer_and_numbers_stay_consumed(first: int) -> None:
    venue = block_venue()
    wanted = leg()
    for _, apply in FAULTS[first:]:
        wanted = apply(venue, wanted)
    before = roots(venue)[1:]
    tx = block(venue, wanted)
    receipt = venue.run(tx, signed(tx))
    assert (receipt.status, receipt.fills) == (FAULTS[first][0], ())
    assert roots(venue)[1:] == before
    assert venue.state.account(ALICE).owner_sequence == tx.maker_sequence
    assert venue.state.account(BOB).owner_sequence == tx.taker_sequence


# The last of these legs is refused: by itself, or because of what all of them together cost.
LAST_LEGS: list[tuple[str, Leg, Status]] = [
    ("an unknown market", leg(market=7), Status.UNKNOWN_MARKET),
    ("a closed market", leg(market=3), Status.MARKET_CLOSED),
    ("a price beyond the band", leg(ticks=AROUND * 2, market=2), Status.PRICE_OUT_OF_BAND),
    ("no lots", leg(lots=0, market=2), Status.LOTS_OUT_OF_RANGE),
    ("all the lots there are", leg(lots=LOTS_MAX, market=2), Status.POSITION_TOO_LARGE),
    ("more than their margin", leg(lots=10**8, market=2), Status.TAKER_MARGIN_TOO_LOW),
]


@pytest.mark.parametrize(
    ("last", "status"), [row[1:] for row in LAST_LEGS], ids=[row[0] for row in LAST_LEGS]
)
def test_when_the_last_leg_fails_none_was_traded(venue: Venue, last: Leg, status: Status) -> None:
    trade(venue, leg(SELL, 5), leg(BUY, 5, market=1))
    venue.sell("alice", 3, AROUND + 1)
    venue.buy("bob", 3, AROUND - 1, market=1)
    change_row(venue, 3, mode=Mode.REDUCE_ONLY)
    legs = (leg(BUY, 10, AROUND + 3), leg(SELL, 5, AROUND - 9, market=1), last)
    tx = block(venue, *legs)

    untouched = venue.state.snapshot()
    for number, sequence in ((ALICE, tx.maker_sequence), (BOB, tx.taker_sequence)):
        account = untouched.account(number)
        untouched.accounts[number] = replace(account, owner_sequence=sequence)
    traded: list[int] = []
    venue.on_step = lambda _, changes: traded.extend(fill.market for fill in changes.events)
    receipt = venue.run(tx, signed(tx))

    assert (receipt.status, receipt.fills) == (status, ())
    assert traded[:2] == [0, 1]
    assert venue.state.accounts == untouched.accounts
    assert (venue.state.markets, venue.state.rows) == (untouched.markets, untouched.rows)
    after, before = venue.committer.commit(), Committer(untouched).commit()
    assert after.accounts.root == before.accounts.root
    assert after.markets.root == before.markets.root
    assert after.board.root == before.board.root
    cursor = {"step": 0, "steps_left": 0, "row": 0, "status": 0}
    assert replace(venue.state.machine, **cursor) == replace(untouched.machine, **cursor)
    check_invariants(venue.state)


CLOSED: list[tuple[str, dict[str, Any]]] = [
    ("never priced", {"mark": 0}),
    ("stale", {"time": NOW - 3_601}),
    *((mode.name.lower(), {"mode": mode}) for mode in Mode if mode != Mode.LIVE),
]


@pytest.mark.parametrize("changed", [row[1] for row in CLOSED], ids=[row[0] for row in CLOSED])
def test_a_leg_needs_a_live_market_with_a_fresh_mark(changed: dict[str, Any]) -> None:
    venue = block_venue()
    change_row(venue, 1, **changed)
    assert trade(venue, leg(), leg(market=1)).status == Status.MARKET_CLOSED
    assert trade(venue, leg(), leg(market=2)).status == Status.OK


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("mark", "lowest", "highest"),
    [(50_000_000, 450_000, 550_000), (50_000_050, 450_001, 550_000), (100, 1, 1)],
)
def test_the_price_is_inside_the_band_on_both_sides(
    venue: Venue, side: int, mark: int, lowest: int, highest: int
) -> None:
    change_row(venue, mark=mark)
    for ticks in (lowest, highest):
        assert trade(venue, leg(side, ticks=ticks)).status == Status.OK
    for ticks in (lowest - 1, highest + 1, TICKS_MAX):
        assert trade(venue, leg(side, ticks=ticks)).status == Status.PRICE_OUT_OF_BAND


def test_a_band_that_no_price_reaches_takes_no_trade() -> None:
    venue = block_venue(markets=(listing(tick=1),), mark=2 * TICKS_MAX)
    assert trade(venue, leg(ticks=TICKS_MAX)).status == Status.PRICE_OUT_OF_BAND


def test_a_block_has_no_least_or_largest_size_but_the_least_notional(venue: Venue) -> None:
    change_market(venue, order_lots_max=3, min_notional=2 * VALUE)
    assert trade(venue, leg(lots=4)).status == Status.OK
    assert trade(venue, leg(SELL, lots=2)).status == Status.OK
    assert trade(venue, leg(SELL, lots=2, ticks=AROUND - 1)).status == Status.NOTIONAL_TOO_SMALL
    assert trade(venue, leg(SELL, lots=2, ticks=AROUND + 1)).status == Status.OK


# --- limits of either party ---


def test_a_leg_needs_a_slot_of_either_party_and_one_that_closes_gives_its_own_up() -> None:
    markets = tuple(listing(number) for number in range(ACCOUNT_POSITIONS_MAX + 1))
    venue, last = block_venue(markets=markets), ACCOUNT_POSITIONS_MAX
    venue.open("carol", 10_000)
    for first in range(0, last, 4):
        assert trade(venue, *(leg(market=first + at) for at in range(4))).status == Status.OK
    for maker, taker in (("carol", "bob"), ("bob", "carol")):
        receipt = between(venue, maker, taker, leg(market=last))
        assert receipt.status == Status.TOO_MANY_POSITIONS
    assert between(venue, "carol", "bob", leg(market=3)).status == Status.OK
    assert between(venue, "carol", "bob", leg(SELL, 10, market=5), leg(market=last)).status == 0
    assert (venue.lots("bob", 5), venue.lots("bob", last)) == (0, 10)
    check_invariants(venue.state)


def test_open_interest_may_not_grow_past_its_maximum_but_may_change_hands(venue: Venue) -> None:
    venue.open("carol", 10_000)
    change_market(venue, open_interest_max=10)
    assert trade(venue, leg(lots=10)).status == Status.OK
    assert trade(venue, leg(lots=1)).status == Status.OPEN_INTEREST_TOO_LARGE
    change_market(venue, open_interest_max=5)
    assert between(venue, "bob", "carol", leg(lots=6)).status == Status.OK
    assert trade(venue, leg(SELL, 1)).status == Status.OK
    assert trade(venue, leg(BUY, 1)).status == Status.OPEN_INTEREST_TOO_LARGE


@pytest.mark.parametrize("bob_takes", [True, False])
def test_no_position_of_either_grows_past_its_maximum(venue: Venue, bob_takes: bool) -> None:
    venue.open("carol", 10_000)
    maker, taker = ("carol", "bob") if bob_takes else ("bob", "carol")
    more, less = (BUY, SELL) if bob_takes else (SELL, BUY)
    trade(venue, leg(lots=10))
    change_market(venue, position_max=10)
    assert between(venue, maker, taker, leg(more, 1)).status == Status.POSITION_TOO_LARGE
    assert between(venue, maker, taker, leg(less, 4)).status == Status.OK
    change_market(venue, position_max=4)
    assert between(venue, maker, taker, leg(less, 1)).status == Status.POSITION_TOO_LARGE
    # Carol is at her maximum; bob is past his, and shrinks.
    assert between(venue, maker, taker, leg(more, 1)).status == Status.POSITION_TOO_LARGE
    assert trade(venue, leg(SELL, 3)).status == Status.OK
    assert venue.lots("bob") == 3


def test_a_leg_turns_a_position_round_up_to_the_maximum(venue: Venue) -> None:
    trade(venue, leg(BUY, 10))
    change_market(venue, position_max=10)
    assert trade(venue, leg(SELL, 21)).status == Status.POSITION_TOO_LARGE
    assert trade(venue, leg(SELL, 20)).status == Status.OK
    assert (venue.lots("alice"), venue.lots("bob")) == (10, -10)


@pytest.mark.parametrize("name", ["alice", "bob"])
@pytest.mark.parametrize(("over", "status"), [(0, Status.OK), (1, Status.POSITION_TOO_LARGE)])
def test_no_cash_of_either_passes_its_bound(
    venue: Venue, name: str, over: int, status: Status
) -> None:
    rate, side = (100, BUY) if name == "alice" else (500, SELL)
    cash = CASH_MAX - 10 * VALUE + 10 * VALUE * rate // 10**6 + over
    change_account(venue, name, cash=cash)
    assert trade(venue, leg(side, 10)).status == status


# --- margin ---


@pytest.mark.parametrize("ticks", [AROUND, AROUND - 777, AROUND + 777])
@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("name", "rate", "status"),
    [("bob", 500, Status.TAKER_MARGIN_TOO_LOW), ("alice", 100, Status.MAKER_MARGIN_TOO_LOW)],
)
def test_what_is_left_covers_initial_margin_to_the_nano(
    venue: Venue, ticks: int, side: int, name: str, rate: int, status: Status
) -> None:
    lots, price = 1_000, ticks * 100
    sign = 1 if (side == BUY) == (name == "bob") else -1
    lost, fee = sign * lots * (price - VALUE), -(-lots * price * rate // 10**6)
    enough = lots * VALUE * 5 // 100 + lost + fee
    change_account(venue, name, cash=enough - 1)
    assert trade(venue, leg(side, lots, ticks)).status == status
    change_account(venue, name, cash=enough)
    assert trade(venue, leg(side, lots, ticks)).status == Status.OK


def test_the_taker_is_asked_for_margin_first(venue: Venue) -> None:
    for name in ("alice", "bob"):
        change_account(venue, name, cash=0)
    assert trade(venue, leg()).status == Status.TAKER_MARGIN_TOO_LOW


@pytest.mark.parametrize("bob_takes", [True, False])
def test_a_spread_passes_whose_first_leg_alone_does_not(venue: Venue, bob_takes: bool) -> None:
    venue.open("carol", 100)
    maker, taker = ("alice", "carol") if bob_takes else ("carol", "alice")
    buy, sell = (BUY, SELL) if bob_takes else (SELL, BUY)
    low = Status.TAKER_MARGIN_TOO_LOW if bob_takes else Status.MAKER_MARGIN_TOO_LOW
    assert between(venue, maker, taker, leg(buy, 38_000, market=1)).status == Status.OK
    open_more, close_other = leg(buy, 38_000, market=0), leg(sell, 38_000, market=1)
    assert between(venue, maker, taker, open_more).status == low
    assert between(venue, maker, taker, open_more, close_other).status == Status.OK
    assert (venue.lots("carol", 0), venue.lots("carol", 1)) == (38_000, 0)


def test_who_is_not_healthy_in_the_end_may_not_even_reduce(venue: Venue) -> None:
    trade(venue, leg(lots=1_000))
    needed = 1_000 * VALUE * 5 // 100
    change_account(venue, "bob", cash=needed // 2 - 1_000 * VALUE)
    assert trade(venue, leg(SELL, 100)).status == Status.TAKER_MARGIN_TOO_LOW
    assert venue.sell("bob", 100, 0, life=Life.IOC).status == Status.REMAINDER_DROPPED
    assert trade(venue, leg(SELL, 1_000)).status == Status.OK
    assert venue.lots("bob") == 0


def test_resting_orders_count_in_margin_and_stay_where_they_are(venue: Venue) -> None:
    change_account(venue, "bob", cash=1_100 * VALUE * 5 // 100)
    assert venue.buy("bob", 1_000, AROUND - 10).status == Status.OK
    before = venue.state.front(0, BUY)
    assert trade(venue, leg(BUY, 200)).status == Status.TAKER_MARGIN_TOO_LOW
    assert trade(venue, leg(SELL, 200)).status == Status.OK
    position = venue.state.account(BOB).position(0)
    assert position is not None and (position.lots, position.bid_lots) == (-200, 1_000)
    assert venue.state.front(0, BUY) == before


def test_a_mark_moved_for_a_moment_lifts_no_cash_out_by_a_block_trade() -> None:
    """At a mark that jumped, an account far from healthy at the slow one gives nothing away."""
    venue = block_venue()
    venue.open("carol", 1_000_000)
    venue.sell("carol", 1_500_000, AROUND)
    assert venue.buy("alice", 1_500_000, AROUND).status == Status.OK
    venue.run(Header(venue.state.machine.time + 10))
    assert venue.price(65_000_000) == Status.OK
    assert venue.withdraw("alice", 6_000 * 10**6).status == Status.MARGIN_TOO_LOW
    assert trade(venue, leg(BUY, 400_000, 585_000)).status == Status.OK
    assert trade(venue, leg(SELL, 400_000, 715_000)).status == Status.MAKER_MARGIN_TOO_LOW
