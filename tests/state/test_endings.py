"""How an order begins and ends: slots, least sizes, sweeps, and what may rest."""

import pytest
from builders import FAR, NOW, Venue, listing
from msgspec.structs import replace

from state.invariants import check_invariants
from state.limits import ACCOUNT_ORDERS_MAX, ACCOUNT_POSITIONS_MAX, ORDER_NUMBER_MAX
from state.orders import BUY, SELL, Life, RestingOrder, SelfTrade, decode_flags, key_ticks
from state.status import Status
from state.transactions import Header

MARK = 500_000


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    for name in ("alice", "bob", "carol"):
        venue.open(name, 10_000)
    return venue


def long_ten(venue: Venue) -> None:
    """Bob holds ten lots, which alice sold him."""
    venue.sell("alice", 10, MARK)
    assert venue.buy("bob", 10, MARK).status == Status.OK


def resting(venue: Venue, side: int) -> RestingOrder | None:
    front = venue.state.front(0, side)
    return front[1] if front else None


@pytest.mark.parametrize("lots", [1_000, 5])
def test_sweeping_counts_as_meeting(venue: Venue, lots: int) -> None:
    """300 dead asks: 256 are swept in as many steps, the 257th is met no more."""
    for maker in range(5):
        venue.open(f"maker {maker}", 1_000)
        for _ in range(60):
            venue.sell(f"maker {maker}", 1, MARK, expiry=NOW + 1)
    venue.run(Header(NOW + 2))
    receipt = venue.buy("bob", lots, MARK)
    assert (receipt.status, receipt.steps) == (Status.FRONTS_EXHAUSTED, 258)
    assert len(venue.state.book(0, SELL)) == 300 - 256
    receipt = venue.buy("bob", lots, MARK)
    assert (receipt.status, receipt.steps) == (Status.OK, 1 + 44 + 1)
    check_invariants(venue.state)


def test_post_only_is_decided_before_the_takers_margin(venue: Venue) -> None:
    venue.open("bent", 36)
    venue.buy("alice", 10_000, MARK)
    assert venue.sell("bent", 10_000, MARK).status == Status.OK
    venue.price(51_500_000)
    venue.sell("carol", 20_000, MARK + 15_000)
    for life, status in (
        (Life.POST_ONLY, Status.WOULD_TRADE),
        (Life.IOC, Status.TAKER_MARGIN_TOO_LOW),
    ):
        assert venue.buy("bent", 19_000, MARK + 15_000, life=life).status == status
    assert venue.lots("bent") == -10_000


def test_post_only_sweeps_a_maker_who_cannot_stand_and_then_rests(venue: Venue) -> None:
    venue.open("poor", 30)
    assert venue.sell("poor", 10_000, MARK).status == Status.OK
    venue.price(54_000_000)
    assert venue.buy("bob", 10_000, MARK, life=Life.POST_ONLY).status == Status.OK
    assert venue.state.front(0, SELL) is None
    order = resting(venue, BUY)
    assert order is not None and order.account == venue.numbers["bob"] << 8


@pytest.mark.parametrize(
    ("bid", "sold", "status", "left"),
    [
        (0, 50, Status.OK, 10),
        (4, 50, Status.OK, 6),
        (4, 7, Status.OK, 3),
        (10, 50, Status.NOTHING_LEFT_TO_REDUCE, None),
        (10, 10, Status.OK, None),
    ],
)
def test_a_reduce_only_order_rests_with_no_more_than_the_position_gives(
    venue: Venue, bid: int, sold: int, status: Status, left: int | None
) -> None:
    long_ten(venue)
    if bid:
        venue.buy("carol", bid, MARK)
    assert venue.sell("bob", sold, MARK, reduce_only=True).status == status
    assert venue.lots("bob") == 10 - min(bid, sold)
    order = resting(venue, SELL)
    assert (order.lots if order else None) == left
    check_invariants(venue.state)


def test_a_resting_order_is_what_was_signed(venue: Venue) -> None:
    long_ten(venue)
    receipt = venue.sell(
        "bob",
        7,
        MARK + 3,
        life=Life.POST_ONLY,
        reduce_only=True,
        self_trade=SelfTrade.CANCEL_BOTH,
        expiry=FAR - 5,
    )
    assert receipt.status == Status.OK
    flags = SELL | Life.POST_ONLY << 2 | 1 << 4 | SelfTrade.CANCEL_BOTH << 5
    order = resting(venue, SELL)
    assert order == RestingOrder(2 << 8, 0, 3, 7, FAR - 5, flags)
    assert order.reduce_only and not replace(order, flags=flags & ~(1 << 4)).reduce_only
    known = decode_flags(order.flags)
    assert known is not None and known.self_trade == SelfTrade.CANCEL_BOTH


def test_what_is_left_of_a_resting_order_keeps_its_place(venue: Venue) -> None:
    venue.sell("alice", 10, MARK)
    venue.sell("bob", 10, MARK)
    venue.buy("carol", 4, MARK)
    front = venue.state.front(0, SELL)
    assert front is not None
    assert front[1] == RestingOrder(1 << 8, 0, 1, 6, FAR, SELL)
    assert (key_ticks(SELL, front[0]), front[0] % 2**40) == (MARK, 0)
    assert venue.state.markets[0].next_order == 2, "numbers are given to what rests"


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_book_takes_the_last_number_and_no_more(venue: Venue, side: int) -> None:
    market = venue.state.markets[0]
    venue.state.markets[0] = replace(market, next_order=ORDER_NUMBER_MAX)
    assert venue.order("alice", side, 1, MARK).status == Status.OK
    assert venue.state.markets[0].next_order == 2**40
    assert venue.order("alice", side, 1, MARK).status == Status.BOOK_FULL
    assert venue.order("bob", 1 - side, 1, MARK).status == Status.OK, "but what rests trades"
    check_invariants(venue.state)


@pytest.mark.parametrize(
    ("lots", "life", "reduce_only", "status"),
    [
        (9, Life.IOC, False, Status.NOTIONAL_TOO_SMALL),
        (9, Life.IOC, True, Status.REMAINDER_DROPPED),
        (200, Life.IOC, True, Status.REMAINDER_DROPPED),
        (9, Life.FOK, True, Status.KILLED),
        (8, Life.IOC, True, Status.NOTIONAL_TOO_SMALL),
        (9, Life.GTC, True, Status.NOTIONAL_TOO_SMALL),
        (9, Life.POST_ONLY, True, Status.NOTIONAL_TOO_SMALL),
        (200, Life.GTC, True, Status.NOTIONAL_TOO_SMALL),
        (100, Life.GTC, False, Status.OK),
        (99, Life.GTC, False, Status.NOTIONAL_TOO_SMALL),
    ],
)
def test_a_small_order_must_close_a_whole_position_at_once(
    venue: Venue, lots: int, life: Life, reduce_only: bool, status: Status
) -> None:
    venue.sell("alice", 9, MARK)
    venue.buy("bob", 9, MARK)
    market = venue.state.markets[0]
    venue.state.markets[0] = replace(market, min_notional=100 * MARK * 100)
    receipt = venue.sell("bob", lots, MARK, life=life, reduce_only=reduce_only)
    assert receipt.status == status


def test_nothing_to_reduce_is_no_matter_of_size(venue: Venue) -> None:
    market = venue.state.markets[0]
    venue.state.markets[0] = replace(market, min_notional=10**12)
    for life in (Life.GTC, Life.IOC):
        receipt = venue.sell("bob", 1, MARK, life=life, reduce_only=True)
        assert receipt.status == Status.NOTHING_TO_REDUCE


@pytest.mark.parametrize(
    ("life", "status"),
    [
        (Life.GTC, Status.TOO_MANY_ORDERS),
        (Life.POST_ONLY, Status.TOO_MANY_ORDERS),
        (Life.IOC, Status.REMAINDER_DROPPED),
        (Life.FOK, Status.KILLED),
    ],
)
def test_whoever_has_sixty_four_orders_may_only_take(
    venue: Venue, life: Life, status: Status
) -> None:
    for _ in range(ACCOUNT_ORDERS_MAX):
        assert venue.buy("alice", 1, MARK).status == Status.OK
    assert venue.buy("alice", 1, MARK, life=life).status == status


def test_sixteen_positions_take_more_orders_where_they_are() -> None:
    names = [f"COIN{n}-USD".encode() for n in range(ACCOUNT_POSITIONS_MAX + 1)]
    venue = Venue(markets=tuple(listing(n, symbol=name) for n, name in enumerate(names)))
    venue.open("alice", 1_000)
    for market in range(ACCOUNT_POSITIONS_MAX):
        assert venue.buy("alice", 1, MARK, market=market).status == Status.OK
    for market in (0, ACCOUNT_POSITIONS_MAX - 1):
        assert venue.buy("alice", 1, MARK, market=market).status == Status.OK
    refused = venue.buy("alice", 1, MARK, market=ACCOUNT_POSITIONS_MAX)
    assert refused.status == Status.TOO_MANY_POSITIONS


@pytest.mark.parametrize("mode", list(SelfTrade))
def test_a_fok_order_that_meets_its_own_account_leaves_the_book_as_it_was(
    venue: Venue, mode: SelfTrade
) -> None:
    venue.sell("alice", 10, MARK)
    before = venue.committer.commit()
    receipt = venue.buy("alice", 10, MARK, life=Life.FOK, self_trade=mode)
    assert receipt.status == Status.KILLED and receipt.fills == ()
    after = venue.committer.commit()
    assert after.markets.root == before.markets.root
    check_invariants(venue.state)


@pytest.mark.parametrize(("lots", "fills"), [(10, 2), (11, 0)])
def test_a_killed_order_reports_no_fill(venue: Venue, lots: int, fills: int) -> None:
    venue.sell("alice", 4, MARK)
    venue.sell("alice", 6, MARK)
    assert len(venue.buy("bob", lots, MARK, life=Life.FOK).fills) == fills


def test_an_expired_own_order_is_swept_under_every_self_trade_mode(venue: Venue) -> None:
    for offset, mode in enumerate(SelfTrade):
        venue.sell("alice", 10, MARK, expiry=NOW + offset)
        venue.run(Header(NOW + offset + 1))
        assert venue.buy("alice", 1, MARK, self_trade=mode).status == Status.OK
        assert venue.state.front(0, SELL) is None
        assert venue.cancel("alice", 2 + 3 * offset).status == Status.OK


def test_a_maker_that_must_reduce_gives_no_more_than_its_position(venue: Venue) -> None:
    long_ten(venue)
    assert venue.sell("bob", 10, MARK + 1, reduce_only=True).status == Status.OK
    venue.buy("carol", 7, MARK)
    assert venue.sell("bob", 7, MARK).status == Status.OK
    venue.buy("carol", 50, MARK + 1)
    assert (venue.lots("bob"), venue.lots("carol")) == (0, 10)
    assert venue.state.account(venue.numbers["bob"] << 8).positions[0:] == ()
    check_invariants(venue.state)
