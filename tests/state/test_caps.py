"""Caps and margin at their exact boundaries: room for orders, fills, and cash that leaves."""

from typing import Any

import pytest
from builders import NOW, Venue, listing
from msgspec.structs import replace

from state.accounts import Account, Position
from state.invariants import check_invariants
from state.margin import cautious_health, health
from state.markets import Tier
from state.orders import BUY, SELL, Life
from state.resting import dearer_fee, distance_cost, reducible_lots, room_status
from state.status import Status
from state.transactions import Header

MARK = 500_000
VALUE = MARK * 100
"""Nano-USD per lot at the mark; initial margin is a twentieth of it."""


def venue_of(*names: str, dollars: int = 10_000, **changed: Any) -> Venue:
    venue = Venue(markets=(listing(**changed),))
    for name in names:
        venue.open(name, dollars)
    return venue


def lower(venue: Venue, **changed: int) -> None:
    """Set figures of the market by hand, as a governor would."""
    venue.state.markets[0] = replace(venue.state.markets[0], **changed)


def held(cash: int, lots: int, bids: int = 0, asks: int = 0) -> Account:
    position = Position(0, lots, bids, asks)
    return Account(b"\1" * 20, cash=cash, positions=() if position.is_empty else (position,))


EACH = VALUE // 20
"""Initial margin per lot."""


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("cash", "cost", "status"),
    [
        (10 * EACH, 0, Status.OK),
        (10 * EACH - 1, 0, Status.MARGIN_TOO_LOW),
        (10 * EACH + 7, 7, Status.OK),
        (10 * EACH + 6, 7, Status.MARGIN_TOO_LOW),
    ],
)
def test_room_takes_margin_and_cost_to_the_last_nano(
    side: int, cash: int, cost: int, status: Status
) -> None:
    venue = Venue()
    market = venue.state.markets[0]
    account = held(cash, 0)
    assert room_status(venue.state, account, market, side=side, lots=10, cost=cost) == status


@pytest.mark.parametrize(
    ("lots", "bids", "asks", "side", "more", "status"),
    [
        # An account without any equity: what does not raise its worst case has room.
        (10, 0, 0, SELL, 20, Status.OK),
        (10, 0, 0, SELL, 21, Status.MARGIN_TOO_LOW),
        (-10, 0, 0, BUY, 20, Status.OK),
        (-10, 0, 0, BUY, 21, Status.MARGIN_TOO_LOW),
        (10, 0, 5, SELL, 15, Status.OK),
        (10, 0, 5, SELL, 16, Status.MARGIN_TOO_LOW),
        (10, 0, 0, BUY, 1, Status.MARGIN_TOO_LOW),
        (-10, 0, 0, SELL, 1, Status.MARGIN_TOO_LOW),
    ],
)
def test_room_without_equity_is_for_what_raises_no_margin(
    lots: int, bids: int, asks: int, side: int, more: int, status: Status
) -> None:
    venue = Venue()
    market = venue.state.markets[0]
    account = held(-(10**15), lots, bids, asks)
    assert room_status(venue.state, account, market, side=side, lots=more, cost=0) == status


@pytest.mark.parametrize(
    ("lots", "bids", "asks", "side", "more", "status"),
    [
        (0, 0, 0, BUY, 100, Status.OK),
        (0, 0, 0, BUY, 101, Status.POSITION_LIMIT),
        (0, 0, 0, SELL, 100, Status.OK),
        (0, 0, 0, SELL, 101, Status.POSITION_LIMIT),
        (40, 10, 0, BUY, 50, Status.OK),
        (40, 10, 0, BUY, 51, Status.POSITION_LIMIT),
        (-40, 0, 10, SELL, 50, Status.OK),
        (-40, 0, 10, SELL, 51, Status.POSITION_LIMIT),
        # Past a cap that was lowered: the worst case may stay, and may not grow.
        (150, 0, 0, SELL, 300, Status.OK),
        (150, 0, 0, SELL, 301, Status.POSITION_LIMIT),
        (150, 0, 0, BUY, 1, Status.POSITION_LIMIT),
        (-150, 0, 0, BUY, 300, Status.OK),
        (-150, 0, 0, SELL, 1, Status.POSITION_LIMIT),
    ],
)
def test_room_ends_where_the_worst_case_would_pass_the_position_cap(
    lots: int, bids: int, asks: int, side: int, more: int, status: Status
) -> None:
    venue = Venue()
    market = replace(venue.state.markets[0], position_max=100)
    account = held(10**15, lots, bids, asks)
    assert room_status(venue.state, account, market, side=side, lots=more, cost=0) == status


def test_too_little_margin_is_told_before_the_position_cap() -> None:
    venue = Venue()
    market = replace(venue.state.markets[0], position_max=100)
    status = room_status(venue.state, held(0, 0), market, side=BUY, lots=101, cost=0)
    assert status == Status.MARGIN_TOO_LOW


@pytest.mark.parametrize(
    ("side", "ticks", "cost"),
    [
        (BUY, MARK + 3, 3_000),
        (BUY, MARK, 0),
        (BUY, MARK - 3, 0),
        (SELL, MARK - 3, 3_000),
        (SELL, MARK, 0),
        (SELL, MARK + 3, 0),
    ],
)
def test_only_a_price_worse_than_the_mark_costs(side: int, ticks: int, cost: int) -> None:
    state = Venue().state
    assert distance_cost(state.markets[0], state.rows[0], side, 10, ticks) == cost


@pytest.mark.parametrize(
    ("taker", "maker", "fee"), [(500, 100, 7), (100, 500, 7), (500, 500, 7), (0, 0, 0)]
)
def test_the_dearer_of_both_fees_is_reckoned_with_and_rounded_up(
    taker: int, maker: int, fee: int
) -> None:
    market = replace(Venue().state.markets[0], taker_fee=taker, maker_fee=maker)
    # 3 lots at 43 ticks of 100: 12,900 nano-USD, of which 500 ppm are 6.45.
    assert dearer_fee(market, 3, 43) == fee


@pytest.mark.parametrize(
    ("lots", "side", "reducible"),
    [(5, SELL, 5), (5, BUY, 0), (-5, BUY, 5), (-5, SELL, 0), (0, BUY, 0), (0, SELL, 0)],
)
def test_only_the_other_side_reduces(lots: int, side: int, reducible: int) -> None:
    assert reducible_lots(lots, side) == reducible


@pytest.mark.parametrize("dearer", ["taker_fee", "maker_fee"])
def test_an_order_is_admitted_with_margin_for_the_dearer_fee(dearer: str) -> None:
    fees = {"taker_fee": 0, "maker_fee": 0, dearer: 500}
    for micro, status in ((2_524_999, Status.MARGIN_TOO_LOW), (2_525_000, Status.OK)):
        venue = venue_of(**fees)
        venue.open_with("alice", micro)
        assert venue.buy("alice", 1_000, MARK).status == status


@pytest.mark.parametrize(("cap", "status"), [(60, Status.OK), (59, Status.POSITION_TOO_LARGE)])
def test_a_fill_may_take_a_position_up_to_its_cap(cap: int, status: Status) -> None:
    venue = venue_of("alice", "bob", "carol")
    venue.sell("alice", 30, MARK)
    venue.sell("carol", 30, MARK)
    venue.sell("bob", 100, MARK + 9)
    lower(venue, position_max=cap)
    # Bob's resting hundred are his worst case; sixty bids do not raise it.
    assert venue.buy("bob", 60, MARK).status == status
    assert venue.lots("bob") == (60 if status == Status.OK else 30)


@pytest.mark.parametrize(("cap", "makers"), [(60, (-60, 0)), (59, (0, -59))])
def test_a_maker_who_would_pass_the_cap_is_swept(cap: int, makers: tuple[int, int]) -> None:
    venue = venue_of("alice", "bob", "carol", "dave")
    venue.buy("dave", 60, MARK)
    venue.sell("carol", 60, MARK)
    venue.sell("alice", 60, MARK)
    venue.sell("bob", 59, MARK)
    lower(venue, position_max=cap)
    assert venue.buy("carol", 60, MARK).status == Status.OK
    assert (venue.lots("alice"), venue.lots("bob")) == makers


def test_a_maker_past_the_cap_may_still_shrink() -> None:
    venue = venue_of("alice", "bob", "carol")
    venue.sell("alice", 100, MARK)
    venue.buy("bob", 100, MARK)
    venue.sell("bob", 30, MARK)
    lower(venue, position_max=50)
    assert venue.buy("carol", 30, MARK).status == Status.OK
    assert (venue.lots("bob"), venue.lots("carol")) == (70, 30)


def test_open_interest_past_its_cap_may_change_hands_and_shrink_but_not_grow() -> None:
    venue = venue_of("alice", "bob", "carol", "dave")
    venue.sell("alice", 100, MARK)
    venue.buy("bob", 100, MARK)
    lower(venue, open_interest_max=50)
    venue.sell("bob", 40, MARK)
    assert venue.buy("carol", 40, MARK).status == Status.OK
    venue.sell("bob", 10, MARK)
    assert venue.buy("alice", 10, MARK).status == Status.OK
    venue.sell("dave", 1, MARK)
    assert venue.buy("carol", 1, MARK).status == Status.OPEN_INTEREST_TOO_LARGE
    assert venue.state.rows[0].long.lots == 90
    check_invariants(venue.state)


def test_a_fill_is_judged_by_the_rates_that_it_leads_to() -> None:
    # 10,000 lots are 500 dollars of open interest: halfway, the rate is 52.5 %, not 5 %.
    rates = {"interest_lower": 0, "interest_upper": 1_000 * 10**9}
    for dollars, status in ((262, Status.TAKER_MARGIN_TOO_LOW), (263, Status.OK)):
        venue = venue_of("alice", **rates)
        venue.open("bob", dollars)
        venue.sell("alice", 10_000, MARK)
        assert venue.buy("bob", 10_000, MARK).status == status
        assert venue.lots("bob") == (10_000 if status == Status.OK else 0)


def test_a_maker_is_judged_by_the_rates_that_the_fill_leads_to() -> None:
    venue = venue_of("alice", "carol", interest_lower=0, interest_upper=1_000 * 10**9)
    venue.open("poor", 262)
    assert venue.sell("poor", 10_000, MARK).status == Status.OK
    venue.sell("alice", 10_000, MARK)
    [fill] = venue.buy("carol", 10_000, MARK).fills
    assert fill.maker == venue.numbers["alice"] << 8


def test_each_market_is_judged_by_its_own_row() -> None:
    dear = listing(1, symbol=b"ETH-USD-PERP", tiers=(Tier(0, 500_000, 1),))
    venue = Venue(markets=(listing(), dear))
    account = replace(held(0, 10), positions=(Position(0, 10), Position(1, -4)))
    changed = replace(venue.state.rows[1], mark=2 * venue.mark)
    assert health(venue.state, account).equity == 6 * VALUE
    assert health(venue.state, account).initial == 10 * EACH + 2 * VALUE
    assert health(venue.state, account, changed).equity == 2 * VALUE
    assert health(venue.state, account, changed).initial == 10 * EACH + 4 * VALUE


@pytest.mark.parametrize(
    ("lots", "mark", "slow", "equity", "exposure"),
    [
        (10, 60, 50, 500, 600),
        (10, 50, 60, 500, 600),
        (-10, 60, 50, -600, 600),
        (-10, 50, 60, -600, 600),
    ],
)
def test_caution_takes_the_worse_worth_and_the_higher_margin(
    lots: int, mark: int, slow: int, equity: int, exposure: int
) -> None:
    state = Venue().state
    state.rows[0] = replace(state.rows[0], mark=mark, slow_mark=slow)
    cautious = cautious_health(state, held(7, lots))
    assert cautious.equity == 7 + equity and cautious.initial == exposure // 20


def test_positions_past_a_lowered_maximum_may_turn_to_their_own_size() -> None:
    venue = venue_of("alice", "bob")
    venue.sell("bob", 10, MARK)
    venue.buy("alice", 10, MARK)
    lower(venue, position_max=5)
    assert venue.buy("bob", 20, MARK).status == Status.OK
    assert venue.sell("alice", 21, MARK, life=Life.IOC).status == Status.POSITION_LIMIT
    assert venue.sell("alice", 20, MARK, life=Life.IOC).status == Status.OK
    assert (venue.lots("alice"), venue.lots("bob")) == (-10, 10)


def test_a_dumped_mark_lifts_no_profit_of_a_short_out() -> None:
    venue = venue_of("alice", "bob", dollars=1_000)
    venue.buy("alice", 100_000, MARK)
    assert venue.sell("bob", 100_000, MARK).status == Status.OK
    # 2.50 of fees and 250 of margin stay, whatever a mark of forty promises.
    venue.price(40_000_000)
    assert venue.withdraw("bob", 747_500_001).status == Status.MARGIN_TOO_LOW
    assert venue.withdraw("bob", 747_500_000).status == Status.OK


def test_a_dip_in_the_mark_frees_no_margin_of_resting_orders() -> None:
    venue = venue_of("alice", dollars=1_000)
    venue.buy("alice", 20_000, MARK)
    venue.price(40_000_000)
    assert venue.withdraw("alice", 950_000_001).status == Status.MARGIN_TOO_LOW
    assert venue.withdraw("alice", 950_000_000).status == Status.OK


@pytest.mark.parametrize(("later", "status"), [(3_600, Status.OK), (3_601, Status.MARGIN_TOO_LOW)])
def test_one_stale_market_keeps_all_cash_in(later: int, status: Status) -> None:
    venue = Venue(markets=(listing(), listing(1, symbol=b"ETH-USD-PERP")))
    venue.open("alice", 1_000)
    for market in (0, 1):
        assert venue.buy("alice", 10, MARK, market=market).status == Status.OK
    venue.run(Header(NOW + later))
    assert venue.price(50_000_000, 0) == Status.OK
    assert venue.withdraw("alice", 1).status == status
    assert venue.transfer("alice", 1 << 8 | 1, 1).status == status


def test_a_taker_at_full_margin_pays_for_the_fill_and_its_fee() -> None:
    venue = venue_of("alice")
    venue.sell("alice", 1_000, MARK + 10_000)
    # One dollar per thousand lots above the mark is lost at once.
    for micro, filled in ((3_525_499, 0), (3_525_500, 1_000)):
        venue.open_with(f"with {micro}", micro)
        venue.buy(f"with {micro}", 1_000, MARK + 10_000, life=Life.IOC)
        assert venue.lots(f"with {micro}") == filled
