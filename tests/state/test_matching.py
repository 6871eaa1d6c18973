"""Orders: price-time priority, lives, sweeps, self-trade, and both sides' margin."""

import pytest
from builders import FAR, NOW, Venue, listing
from msgspec.structs import replace

from state.invariants import check_invariants
from state.limits import ACCOUNT_ORDERS_MAX, ORDER_FRONTS_MAX
from state.orders import BUY, SELL, Life, SelfTrade, key_ticks
from state.status import Status
from state.transactions import Header

MARK = 500_000
"""The builder's mark of 50,000,000 nano-USD per lot, in ticks of 100."""


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    for name in ("alice", "bob", "carol"):
        venue.open(name, 10_000)
    return venue


def traded(venue: Venue) -> list[tuple[int, int, int]]:
    """(maker's owner number, ticks, lots) of every fill."""
    return [(f.maker >> 8, f.ticks, f.lots) for f in venue.fills]  # type: ignore[attr-defined]


def test_the_better_price_trades_first_then_the_earlier_order(venue: Venue) -> None:
    venue.sell("alice", 10, MARK + 2)
    venue.sell("bob", 10, MARK + 1)
    venue.sell("alice", 10, MARK + 1)
    venue.buy("carol", 25, MARK + 2)
    assert traded(venue) == [(2, MARK + 1, 10), (1, MARK + 1, 10), (1, MARK + 2, 5)]


def test_bids_trade_from_the_highest(venue: Venue) -> None:
    venue.buy("alice", 10, MARK - 2)
    venue.buy("bob", 10, MARK - 1)
    venue.sell("carol", 15, MARK - 2)
    assert traded(venue) == [(2, MARK - 1, 10), (1, MARK - 2, 5)]


def test_a_trade_moves_exact_cash_and_each_side_pays_its_fee_rounded_up(venue: Venue) -> None:
    before = venue.cash("alice"), venue.cash("bob")
    venue.sell("alice", 3, MARK + 1)
    venue.buy("bob", 3, MARK + 1)
    value = 3 * (MARK + 1) * 100
    maker_fee, taker_fee = -(-value * 100 // 10**6), -(-value * 500 // 10**6)
    assert venue.cash("alice") == before[0] + value - maker_fee
    assert venue.cash("bob") == before[1] - value - taker_fee
    assert (venue.lots("alice"), venue.lots("bob")) == (-3, 3)
    assert venue.state.machine.sums.fees == maker_fee + taker_fee


def test_what_a_limit_order_leaves_over_rests_at_its_price(venue: Venue) -> None:
    venue.sell("alice", 10, MARK)
    receipt = venue.buy("bob", 25, MARK + 3)
    assert receipt.status == Status.OK
    front = venue.state.front(0, BUY)
    assert front is not None
    assert (key_ticks(BUY, front[0]), front[1].lots) == (MARK + 3, 15)


@pytest.mark.parametrize(
    ("life", "lots", "status", "filled", "resting"),
    [
        (Life.GTC, 30, Status.OK, 10, 20),
        (Life.IOC, 30, Status.REMAINDER_DROPPED, 10, 0),
        (Life.IOC, 10, Status.OK, 10, 0),
        (Life.FOK, 30, Status.KILLED, 0, 0),
        (Life.FOK, 10, Status.OK, 10, 0),
        (Life.POST_ONLY, 10, Status.WOULD_TRADE, 0, 0),
    ],
)
def test_the_life_of_an_order_decides_what_becomes_of_the_rest(
    venue: Venue, life: Life, lots: int, status: Status, filled: int, resting: int
) -> None:
    venue.sell("alice", 10, MARK)
    receipt = venue.buy("bob", lots, MARK, life=life)
    assert receipt.status == status
    assert venue.lots("bob") == filled
    front = venue.state.front(0, BUY)
    assert (front[1].lots if front else 0) == resting
    check_invariants(venue.state)


def test_a_killed_order_leaves_only_its_sequence_number(venue: Venue) -> None:
    venue.sell("alice", 10, MARK)
    before = venue.committer.commit()
    number = venue.numbers["alice"] << 8
    assert venue.buy("bob", 30, MARK, life=Life.FOK).status == Status.KILLED
    after = venue.committer.commit()
    assert after.markets.root == before.markets.root
    assert after.board.root == before.board.root
    assert after.accounts.leaf(number) == before.accounts.leaf(number)
    assert venue.state.account(venue.numbers["bob"] << 8).owner_sequence == 2


def test_a_market_order_trades_up_to_the_band_and_no_further(venue: Venue) -> None:
    edge = MARK * 110 // 100
    assert venue.sell("alice", 10, edge + 1).status == Status.OK
    assert venue.sell("alice", 10, edge).status == Status.OK
    receipt = venue.buy("bob", 20, 0, life=Life.IOC)
    assert receipt.status == Status.REMAINDER_DROPPED
    assert traded(venue) == [(1, edge, 10)]


@pytest.mark.parametrize(
    ("mode", "status", "resting_left", "taker_rests"),
    [
        (SelfTrade.CANCEL_RESTING, Status.OK, False, True),
        (SelfTrade.CANCEL_TAKING, Status.SELF_TRADE, True, False),
        (SelfTrade.CANCEL_BOTH, Status.SELF_TRADE, False, False),
    ],
)
def test_an_account_never_trades_with_itself(
    venue: Venue, mode: SelfTrade, status: Status, resting_left: bool, taker_rests: bool
) -> None:
    venue.sell("alice", 10, MARK)
    assert venue.buy("alice", 10, MARK, self_trade=mode).status == status
    assert not venue.fills
    assert (venue.state.front(0, SELL) is not None) == resting_left
    assert (venue.state.front(0, BUY) is not None) == taker_rests
    check_invariants(venue.state)


def test_own_orders_that_do_not_cross_are_left_alone(venue: Venue) -> None:
    venue.sell("alice", 10, MARK + 1)
    venue.buy("alice", 10, MARK)
    assert venue.state.front(0, SELL) is not None and venue.state.front(0, BUY) is not None


def test_an_expired_front_order_is_swept_before_anything_is_decided(venue: Venue) -> None:
    venue.sell("alice", 10, MARK, expiry=NOW + 5)
    venue.run(Header(NOW + 6))
    receipt = venue.buy("bob", 10, MARK, life=Life.POST_ONLY)
    assert (receipt.status, receipt.steps) == (Status.OK, 3)
    assert venue.state.front(0, SELL) is None
    assert venue.state.account(venue.numbers["alice"] << 8).orders == ()


def test_a_maker_without_margin_is_swept_and_matching_goes_on(venue: Venue) -> None:
    poor = venue.open("poor", 30)
    assert venue.sell("poor", 10_000, MARK).status == Status.OK
    venue.sell("alice", 10_000, MARK + 1)
    # Selling 10,000 lots at 500 dollars in all, when they cost 540, takes 27 + 40 dollars.
    venue.price(54_000_000)
    receipt = venue.buy("bob", 10_000, MARK + 1)
    assert receipt.status == Status.OK
    assert traded(venue) == [(1, MARK + 1, 10_000)]
    assert venue.state.account(poor).orders == ()


def bent(venue: Venue) -> None:
    """Short 10,000 lots on 30 dollars, of which a dearer mark has taken ten: not healthy."""
    venue.open("bent", 36)
    venue.buy("alice", 10_000, MARK)
    assert venue.sell("bent", 10_000, MARK).status == Status.OK
    venue.price(51_500_000)


def test_an_order_must_have_margin_for_its_fee(venue: Venue) -> None:
    # A thousand lots are worth 50 dollars: 2.50 of margin, and a fee of 2.5 cents.
    venue.sell("alice", 10_000, MARK)
    for micro, status in ((2_524_999, Status.MARGIN_TOO_LOW), (2_525_000, Status.OK)):
        venue.open_with(f"with {micro}", micro)
        assert venue.buy(f"with {micro}", 1_000, MARK, life=Life.IOC).status == status


def test_a_resting_order_must_have_margin_for_a_limit_worse_than_the_mark(venue: Venue) -> None:
    # A bid one tick above the mark costs 0.1 micro-dollars a lot on top, and a larger fee.
    for micro, status in ((2_525_100, Status.REST_MARGIN_TOO_LOW), (2_525_101, Status.OK)):
        venue.open_with(f"with {micro}", micro)
        assert venue.buy(f"with {micro}", 1_000, MARK + 1).status == status
        assert (venue.state.front(0, BUY) is not None) == (status == Status.OK)


def test_a_quote_at_full_margin_is_honoured_for_its_whole_size(venue: Venue) -> None:
    venue.open_with("maker", 2_525_000)
    assert venue.sell("maker", 1_000, MARK).status == Status.OK
    assert venue.buy("bob", 1_000, MARK).status == Status.OK
    assert venue.lots("maker") == -1_000


def test_an_unhealthy_account_may_shrink_its_position_but_not_turn_it(venue: Venue) -> None:
    bent(venue)
    venue.sell("carol", 20_000, MARK + 15_000)
    assert venue.buy("bent", 1, MARK + 15_000).status == Status.OK
    assert venue.buy("bent", 19_000, MARK + 15_000).status == Status.TAKER_MARGIN_TOO_LOW
    assert venue.sell("bent", 1, MARK).status == Status.MARGIN_TOO_LOW
    assert venue.lots("bent") == -9_999


def test_a_taker_whose_margin_gives_out_keeps_earlier_fills(venue: Venue) -> None:
    bent(venue)
    venue.sell("carol", 4_000, MARK + 15_000)
    venue.sell("carol", 20_000, MARK + 15_001)
    receipt = venue.buy("bent", 19_000, MARK + 15_001)
    assert receipt.status == Status.TAKER_MARGIN_TOO_LOW
    assert venue.lots("bent") == -6_000
    check_invariants(venue.state)


def test_what_is_left_over_rests_only_with_margin_of_its_own(venue: Venue) -> None:
    bent(venue)
    venue.sell("carol", 4_000, MARK + 15_000)
    # 19,000 bids against a short of 10,000 were no more than before; against 6,000 they are.
    receipt = venue.buy("bent", 19_000, MARK + 15_000)
    assert receipt.status == Status.REST_MARGIN_TOO_LOW
    assert venue.lots("bent") == -6_000
    assert venue.state.front(0, BUY) is None
    check_invariants(venue.state)


def test_a_reduce_only_order_is_clipped_to_the_position(venue: Venue) -> None:
    venue.sell("alice", 10, MARK)
    venue.buy("bob", 10, MARK)
    venue.buy("carol", 50, MARK)
    assert venue.sell("bob", 50, MARK, reduce_only=True, life=Life.IOC).status == (
        Status.NOTHING_LEFT_TO_REDUCE
    )
    assert venue.lots("bob") == 0


def test_a_resting_reduce_only_order_is_clipped_or_swept(venue: Venue) -> None:
    venue.sell("alice", 10, MARK)
    venue.buy("bob", 10, MARK)
    assert venue.sell("bob", 30, MARK + 5, reduce_only=True).status == Status.OK
    assert venue.sell("bob", 30, MARK + 6, reduce_only=True).status == Status.OK
    bob = venue.state.account(venue.numbers["bob"] << 8)
    assert bob.positions[0].ask_lots == 20, "no more rests than the position can give"
    venue.sell("alice", 40, MARK + 7)
    venue.buy("carol", 25, MARK + 7)
    assert traded(venue)[1:] == [(2, MARK + 5, 10), (1, MARK + 7, 15)]
    assert venue.state.account(venue.numbers["bob"] << 8).orders == ()
    check_invariants(venue.state)


def test_an_order_meets_at_most_so_many_fronts(venue: Venue) -> None:
    for index in range(6):
        venue.open(f"maker {index}", 1_000)
        for _ in range(ACCOUNT_ORDERS_MAX):
            assert venue.sell(f"maker {index}", 1, MARK).status == Status.OK
    receipt = venue.buy("bob", 1_000, MARK)
    assert receipt.status == Status.FRONTS_EXHAUSTED
    assert receipt.steps == ORDER_FRONTS_MAX + 2
    assert venue.lots("bob") == ORDER_FRONTS_MAX
    assert venue.state.front(0, BUY) is None


def test_open_interest_and_position_caps_hold() -> None:
    venue = Venue(markets=(listing(open_interest_max=150, position_max=100, order_lots_max=100),))
    for name in ("alice", "bob", "carol", "dave"):
        venue.open(name, 10_000)
    venue.sell("alice", 100, MARK)
    assert venue.buy("bob", 100, MARK).status == Status.OK
    venue.sell("carol", 100, MARK)
    assert venue.buy("bob", 1, MARK).status == Status.POSITION_LIMIT
    assert venue.buy("dave", 60, MARK).status == Status.OPEN_INTEREST_TOO_LARGE
    assert venue.buy("dave", 50, MARK).status == Status.OK


def test_resting_orders_count_towards_the_position_cap() -> None:
    venue = Venue(markets=(listing(position_max=100, order_lots_max=100),))
    venue.open("alice", 10_000)
    assert venue.buy("alice", 70, MARK - 1).status == Status.OK
    assert venue.buy("alice", 31, MARK - 1).status == Status.POSITION_LIMIT
    assert venue.buy("alice", 30, MARK - 1).status == Status.OK
    assert venue.sell("alice", 100, MARK + 1).status == Status.OK


def test_over_a_cap_that_was_lowered_only_reducing_is_left(venue: Venue) -> None:
    venue.sell("alice", 100, MARK)
    venue.buy("bob", 100, MARK)
    venue.sell("carol", 50, MARK)
    market = venue.state.markets[0]
    venue.state.markets[0] = replace(market, position_max=50, open_interest_max=50)
    assert venue.buy("bob", 1, MARK).status == Status.POSITION_LIMIT
    assert venue.sell("bob", 1, MARK - 1).status == Status.OK
    assert venue.buy("alice", 10, MARK).status == Status.OK
    assert (venue.lots("alice"), venue.lots("bob")) == (-90, 99)


def test_cancelling_takes_the_order_and_its_margin_away(venue: Venue) -> None:
    number = venue.numbers["alice"] << 8
    venue.buy("alice", 10, MARK - 5)
    sequence = venue.state.account(number).orders[0].sequence
    assert venue.cancel("bob", sequence).status == Status.UNKNOWN_ORDER
    assert venue.cancel("alice", sequence).status == Status.OK
    assert venue.state.account(number).positions == () == venue.state.account(number).orders
    assert venue.cancel("alice", sequence).status == Status.UNKNOWN_ORDER


def test_post_only_rests_when_nothing_crosses(venue: Venue) -> None:
    venue.sell("alice", 10, MARK + 1)
    assert venue.buy("bob", 10, MARK, life=Life.POST_ONLY, expiry=FAR).status == Status.OK
    assert not venue.fills
