"""Listings and prices: what a market may be, and what moves its mark."""

import pytest
from builders import NOW, PUBLISHER, VERIFIER, Venue, key, listing, sign_transaction
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from state.limits import PRICE_MAX
from state.markets import Tier
from state.status import Status
from state.transactions import Header, SignedPrice
from state.transactions.kinds import InboxKind
from state.transactions.list_market import decode_listing, encode_listing
from state.transactions.price import SLOW_MARK_SECONDS, next_slow_mark


def test_a_listing_comes_back_as_it_went() -> None:
    wanted = listing(interest_lower=5, interest_upper=9, tiers=(Tier(0, 9, 8), Tier(7, 10, 9)))
    padded = replace(wanted, symbol=wanted.symbol.ljust(16, b"\0"))
    assert decode_listing(encode_listing(wanted)) == padded


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": 2},
        {"symbol": b""},
        {"symbol": b"BTC USD"},
        {"symbol": b"BTC\0USD"},
        {"tick": 0},
        {"band": 0},
        {"band": 1_000_000},
        {"taker_fee": 100_001},
        {"maker_fee": 100_001},
        {"order_life_max": 0},
        {"price_age_max": 0},
        {"order_lots_max": 0},
        {"order_lots_max": 10**14},
        {"position_max": 2**48},
        {"open_interest_max": 0},
        {"open_interest_max": 2**63},
        {"tiers": (Tier(0, 50_000, 50_001),)},
        {"tiers": (Tier(0, 50_000, 0),)},
        {"tiers": (Tier(0, 1_000_001, 5),)},
        {"tiers": (Tier(1, 50_000, 5),)},
        {"tiers": ()},
        {"tiers": (Tier(0, 50, 5), Tier(0, 60, 6))},
        {"interest_lower": 5, "interest_upper": 4},
        {"publishers": ()},
        {"publishers": ((bytes(20), 1, 1),)},
        {"publishers": ((PUBLISHER.address, 1, 0),)},
        {"publishers": ((b"\1" * 20, 1, 1), (b"\2" * 20, 1, 1))},
        {"quorum": 2},
        {"expiry": NOW},
        {"close_out": 1_000_001},
        {"lot_exponent": 19},
    ],
    ids=str,
)
def test_what_no_market_can_be_is_not_listed(changed: dict[str, object]) -> None:
    venue = Venue()
    payload = encode_listing(listing(1, **changed))
    assert venue.item(InboxKind.LIST_MARKET, payload) == Status.BAD_LISTING
    assert venue.state.market(1) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_listing_or_refused(payload: bytes) -> None:
    venue = Venue()
    assert venue.item(InboxKind.LIST_MARKET, payload) in Status


@pytest.mark.parametrize("market", [0, 64, 64_000])
def test_a_taken_place_on_the_board_is_not_given_twice(market: int) -> None:
    venue = Venue()
    assert venue.item(InboxKind.LIST_MARKET, encode_listing(listing(market))) == (
        Status.MARKET_EXISTS
    )


def test_a_market_with_another_number_takes_another_place() -> None:
    venue = Venue()
    assert venue.item(InboxKind.LIST_MARKET, encode_listing(listing(65))) == Status.OK
    assert venue.state.row(65) == venue.state.row(1)


@pytest.mark.parametrize(
    ("tx", "signer", "status"),
    [
        (SignedPrice(0, 51_000_000, NOW + 90), "publisher", Status.OK),
        (SignedPrice(9, 51_000_000, NOW + 90), "publisher", Status.UNKNOWN_MARKET),
        (SignedPrice(0, 51_000_000, NOW + 90), "mallory", Status.UNKNOWN_PUBLISHER),
        (SignedPrice(0, 51_000_000, NOW), "publisher", Status.PRICE_NOT_NEWER),
        (SignedPrice(0, 51_000_000, NOW + 101), "publisher", Status.PRICE_FROM_FUTURE),
        (SignedPrice(0, 0, NOW + 90), "publisher", Status.PRICE_OUT_OF_RANGE),
        (SignedPrice(0, PRICE_MAX, NOW + 90), "publisher", Status.OK),
    ],
)
def test_a_price_counts_when_it_is_new_and_its_publishers(
    tx: SignedPrice, signer: str, status: Status
) -> None:
    venue = Venue()
    venue.run(Header(NOW + 100))
    receipt = venue.run(tx, sign_transaction(tx, key(signer)))
    assert receipt.status == status
    row = venue.state.row(0)
    assert row is not None
    assert row.mark == row.index == (tx.price if status == Status.OK else venue.mark)


def test_a_price_older_than_the_market_lets_a_mark_grow_is_stale() -> None:
    venue = Venue()
    venue.run(Header(NOW + 5_000))
    tx = SignedPrice(0, 51_000_000, NOW + 1_000)
    assert venue.run(tx, sign_transaction(tx, PUBLISHER)).status == Status.PRICE_STALE


@given(
    mark=st.integers(1, PRICE_MAX),
    slow=st.integers(1, PRICE_MAX),
    elapsed=st.integers(1, 10**6),
)
def test_the_slow_mark_goes_towards_the_mark_and_never_past_it(
    mark: int, slow: int, elapsed: int
) -> None:
    row = replace(Venue().state.rows[0], mark=mark, slow_mark=slow, time=NOW)
    after = next_slow_mark(row, 7, NOW + elapsed)
    assert min(mark, slow) <= after <= max(mark, slow)
    share = abs(mark - slow) * elapsed // (elapsed + SLOW_MARK_SECONDS)
    assert abs(after - slow) == share


def test_one_price_after_a_quiet_hour_moves_no_slow_mark() -> None:
    venue = Venue()
    venue.run(Header(NOW + 3_600))
    assert venue.price(60_000_000) == Status.OK
    row = venue.state.rows[0]
    assert (row.mark, row.slow_mark) == (60_000_000, 50_000_000)
    venue.run(Header(NOW + 4_200))
    assert venue.price(60_000_000) == Status.OK
    assert venue.state.rows[0].slow_mark == 55_000_000


def test_a_price_needs_its_publisher_even_when_recovery_fails() -> None:
    venue = Venue()
    venue.run(Header(NOW + 100))
    tx = SignedPrice(0, 51_000_000, NOW + 90)
    assert VERIFIER.recover(bytes(32), bytes(64)) == bytes(20)
    assert venue.run(tx, bytes(64)).status == Status.UNKNOWN_PUBLISHER
