"""Set parameters: what changes under orders and positions, what stays, and what may not change."""

from typing import Any

import pytest
from builders import DOLLAR, FAR, NOW, PUBLISHER, Venue, key, listing, sign_transaction
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from state.invariants import check_invariants
from state.margin import health
from state.markets import Publisher, Tier
from state.orders import BUY, SELL, Life
from state.status import Status
from state.transactions import Header, SignedPrice
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

MARK = 500_000
PRICE = 50_000_000
ALICE, BOB = 1 << 8, 2 << 8


@pytest.fixture
def venue() -> Venue:
    """Alice is long a hundred lots against bob, and bids for ten more."""
    venue = Venue()
    for name in ("alice", "bob", "carol"):
        venue.open(name, 1_000)
    venue.sell("bob", 100, MARK)
    venue.buy("alice", 110, MARK)
    return venue


def set_parameters(venue: Venue, market: int = 0, **changed: Any) -> Status:
    return venue.item(InboxKind.SET_PARAMETERS, encode_listing(listing(market, **changed)))


def sold(venue: Venue) -> Status:
    return venue.sell("carol", 1, MARK, life=Life.IOC).status


WHOLE: dict[str, Any] = {
    "min_notional": 7,
    "order_lots_max": 8,
    "band": 9,
    "taker_fee": 10,
    "maker_fee": 11,
    "order_life_max": 12,
    "open_interest_max": 13,
    "position_max": 14,
    "deviation": 15,
    "price_step": 16,
    "interest": 17,
    "damp": 18,
    "funding_cap": 19,
    "liquidation_fee": 20,
}
ON_BOARD: dict[str, Any] = {
    "price_age_max": 21,
    "close_out": 22,
    "interest_lower": 23,
    "interest_upper": 24,
    "tiers": (Tier(0, 26, 25), Tier(27, 29, 28)),
}


def test_every_parameter_is_replaced_and_nothing_else(venue: Venue) -> None:
    market, row = venue.state.markets[0], venue.state.rows[0]
    market = replace(
        market, pool=0, dust=0, premium_sum=-5, premium_samples=3, sampled_at=4, basis=6
    )
    venue.state.markets[0] = market
    books = {place: tuple(book) for place, book in venue.state.books.items()}
    publishers = ((PUBLISHER.address, 5, 77),)
    assert set_parameters(venue, **WHOLE, **ON_BOARD, publishers=publishers) == Status.OK
    [publisher] = market.publishers
    expected = replace(market, **WHOLE, publishers=(replace(publisher, family=5, weight=77),))
    assert venue.state.markets[0] == expected
    assert venue.state.rows[0] == replace(row, **ON_BOARD)
    assert {place: tuple(book) for place, book in venue.state.books.items()} == books
    check_invariants(venue.state)


@pytest.mark.parametrize(
    ("market", "changed", "spare", "status"),
    [
        (0, {"tick": 101}, b"\0", Status.BAD_LISTING),
        (5, {"band": 0}, b"\0", Status.BAD_LISTING),
        (5, {"band": 0}, b"", Status.UNKNOWN_MARKET),
        (64, {}, b"", Status.UNKNOWN_MARKET),
        (0, {"band": 0, "tick": 101}, b"", Status.BAD_LISTING),
        (0, {"kind": 2}, b"", Status.BAD_LISTING),
        (0, {"expiry": FAR}, b"", Status.BAD_LISTING),
        (0, {"tick": 0}, b"", Status.BAD_LISTING),
        (0, {"position_max": 1}, b"", Status.BAD_LISTING),
        (0, {"tick": 101}, b"", Status.FIXED_PARAMETER),
        (0, {"tick": 99}, b"", Status.FIXED_PARAMETER),
        (0, {"lot_exponent": 7}, b"", Status.FIXED_PARAMETER),
        (0, {"symbol": b"BTC-USD-PERQ"}, b"", Status.FIXED_PARAMETER),
        (0, {}, b"", Status.OK),
    ],
)
def test_refused_parameters_leave_the_market_as_it_was(
    venue: Venue, market: int, changed: dict[str, Any], spare: bytes, status: Status
) -> None:
    before = venue.committer.commit()
    payload = encode_listing(listing(market, **changed)) + spare
    assert venue.item(InboxKind.SET_PARAMETERS, payload) == status
    after = venue.committer.commit()
    assert after.markets.root == before.markets.root
    assert after.board.root == before.board.root
    assert after.accounts.root == before.accounts.root


def test_an_empty_place_takes_no_parameters() -> None:
    venue = Venue(markets=())
    assert set_parameters(venue) == Status.UNKNOWN_MARKET
    assert venue.item(InboxKind.LIST_MARKET, encode_listing(listing())) == Status.OK
    assert set_parameters(venue, band=5) == Status.OK


# --- publishers ---

OTHER = key("other publisher")
OTHERS = ((OTHER.address, 1, 1),)


def priced(venue: Venue, signer: str, price: int, time: int) -> Status:
    tx = SignedPrice(0, price, time)
    return venue.run(tx, sign_transaction(tx, key(signer))).status


def test_a_publisher_who_stays_goes_on(venue: Venue) -> None:
    [before] = venue.state.markets[0].publishers
    assert (before.price, before.time) == (PRICE, NOW)
    assert set_parameters(venue, band=50_000) == Status.OK
    assert venue.state.markets[0].publishers == (before,)
    assert priced(venue, "publisher", PRICE + 1, NOW) == Status.PRICE_NOT_NEWER
    assert venue.price(PRICE + 1) == Status.OK


def test_a_new_publisher_begins_at_the_time_of_the_mark(venue: Venue) -> None:
    assert set_parameters(venue, publishers=OTHERS) == Status.OK
    [publisher] = venue.state.markets[0].publishers
    assert publisher == Publisher(OTHER.address, 1, 1, 0, NOW)
    assert (venue.state.rows[0].mark, venue.state.rows[0].time) == (PRICE, NOW)
    assert priced(venue, "other publisher", PRICE + 1, NOW) == Status.PRICE_NOT_NEWER
    venue.run(Header(NOW + 600))
    assert priced(venue, "publisher", PRICE + 1, NOW + 600) == Status.UNKNOWN_PUBLISHER
    assert priced(venue, "other publisher", PRICE * 2, NOW + 600) == Status.OK
    assert priced(venue, "other publisher", PRICE * 2, NOW + 601) == Status.PRICE_FROM_FUTURE
    assert (venue.state.rows[0].mark, venue.state.rows[0].slow_mark) == (PRICE * 2, PRICE)


def test_a_publisher_who_comes_back_cannot_say_again_what_was_said(venue: Venue) -> None:
    """A price of theirs that was kept back is as old as the mark at most."""
    assert set_parameters(venue, publishers=OTHERS) == Status.OK
    venue.run(Header(NOW + 10))
    assert priced(venue, "other publisher", PRICE, NOW + 8) == Status.OK
    assert set_parameters(venue) == Status.OK
    assert priced(venue, "publisher", PRICE, NOW + 8) == Status.PRICE_NOT_NEWER
    assert priced(venue, "publisher", PRICE, NOW + 9) == Status.OK


# --- what takes effect at once ---


def test_a_narrower_band_holds_for_the_next_order(venue: Venue) -> None:
    assert venue.sell("carol", 1, MARK * 105 // 100).status == Status.OK
    assert set_parameters(venue, band=50_000) == Status.OK
    assert venue.sell("carol", 1, MARK * 105 // 100 + 1).status == Status.OK
    assert venue.buy("carol", 1, MARK * 105 // 100 + 1).status == Status.PRICE_OUT_OF_BAND


def test_fees_are_those_of_the_moment_of_the_fill(venue: Venue) -> None:
    assert set_parameters(venue, taker_fee=2_000, maker_fee=1_000) == Status.OK
    [fill] = venue.sell("carol", 10, MARK).fills
    assert (fill.taker_fee, fill.maker_fee) == (PRICE * 10 // 500, PRICE * 10 // 1_000)
    check_invariants(venue.state)


def test_dearer_tiers_bind_positions_that_are_there(venue: Venue) -> None:
    lots = 10_000 * DOLLAR // PRICE
    assert venue.sell("bob", lots, MARK).status == Status.OK
    assert venue.buy("alice", lots, MARK).status == Status.OK
    account = venue.state.account(ALICE)
    assert health(venue.state, account).is_healthy
    assert set_parameters(venue, tiers=(Tier(0, 150_000, 100_000),)) == Status.OK
    assert not health(venue.state, account).is_healthy
    assert venue.buy("alice", 10, MARK).status == Status.MARGIN_TOO_LOW
    assert venue.withdraw("alice", 1).status == Status.MARGIN_TOO_LOW
    assert venue.sell("alice", 10, MARK, life=Life.IOC).status == Status.REMAINDER_DROPPED
    assert venue.cancel_all("alice").status == Status.OK, "what frees margin is never refused"
    assert venue.buy("carol", 50, MARK).status == Status.OK
    assert venue.sell("alice", 50, MARK).status == Status.OK
    check_invariants(venue.state)


def test_a_resting_order_that_the_new_tiers_do_not_carry_is_swept(venue: Venue) -> None:
    lots = 15_000 * DOLLAR // PRICE
    assert venue.buy("alice", lots, MARK - 1).status == Status.OK
    assert set_parameters(venue, tiers=(Tier(0, 150_000, 100_000),)) == Status.OK
    assert venue.cancel("alice", 2).status == Status.OK
    receipt = venue.sell("carol", 1, MARK - 1, life=Life.IOC)
    assert (receipt.fills, receipt.status) == ((), Status.REMAINDER_DROPPED)
    assert venue.state.account(ALICE).orders == ()
    check_invariants(venue.state)


def test_a_lower_cap_lets_positions_and_orders_shrink_alone(venue: Venue) -> None:
    assert set_parameters(venue, position_max=50, order_lots_max=50) == Status.OK
    assert venue.buy("alice", 1, MARK - 1).status == Status.POSITION_LIMIT
    assert venue.buy("bob", 51, MARK).status == Status.LOTS_OUT_OF_RANGE
    assert venue.sell("alice", 50, MARK + 1).status == Status.OK
    # Alice's bid for ten would grow what is past the cap: it is swept.
    receipt = venue.sell("carol", 5, MARK, life=Life.IOC)
    assert (receipt.fills, receipt.status) == ((), Status.REMAINDER_DROPPED)
    assert venue.state.front(0, BUY) is None
    [fill] = venue.buy("bob", 50, MARK + 1).fills
    assert (fill.lots, venue.lots("alice"), venue.lots("bob")) == (50, 50, -50)
    check_invariants(venue.state)


def test_less_open_interest_than_there_is_lets_it_shrink_alone(venue: Venue) -> None:
    assert set_parameters(venue, open_interest_max=60) == Status.OK
    assert sold(venue) == Status.OPEN_INTEREST_TOO_LARGE
    assert venue.sell("alice", 20, MARK + 1).status == Status.OK
    assert venue.buy("bob", 20, MARK + 1).status == Status.OK
    assert venue.state.rows[0].long.lots == 80


def test_orders_outlive_a_shorter_life_and_a_larger_least_size(venue: Venue) -> None:
    changed: dict[str, Any] = {"order_life_max": 60, "min_notional": 11 * PRICE}
    assert set_parameters(venue, **changed) == Status.OK
    assert venue.buy("alice", 20, MARK).status == Status.EXPIRY_TOO_FAR
    assert venue.buy("alice", 10, MARK, expiry=NOW + 60).status == Status.NOTIONAL_TOO_SMALL
    [fill] = venue.sell("carol", 20, MARK, expiry=NOW + 60).fills
    assert (fill.maker, fill.lots) == (ALICE, 10)
    assert venue.state.front(0, SELL) is not None


def test_a_shorter_age_of_prices_closes_a_market_at_once(venue: Venue) -> None:
    venue.run(Header(NOW + 61))
    assert set_parameters(venue, price_age_max=60) == Status.OK
    assert sold(venue) == Status.MARKET_CLOSED
    assert venue.withdraw("alice", 1).status == Status.MARGIN_TOO_LOW
    assert set_parameters(venue, price_age_max=61) == Status.OK
    assert sold(venue) == Status.OK


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_parameters_or_refused(payload: bytes, cut: bool) -> None:
    venue = Venue()
    if cut:
        payload = encode_listing(listing())[: len(payload)]
    assert venue.item(InboxKind.SET_PARAMETERS, payload) in (
        *(Status.BAD_LISTING, Status.UNKNOWN_MARKET),
    )
