"""Listings and parameters on L1: each figure at its limits and past them, and what is written."""

from typing import Any

import pytest
from block_world import change_market, change_row
from builders import FAR, NOW, PUBLISHER, listing
from evm_engines import Pyrevm
from hypothesis import given, settings
from hypothesis import strategies as st
from item_contracts import answer, peopled
from msgspec.structs import replace
from step_contracts import RecordedVenue, Rules

from contracts.abi import keccak
from state.limits import LOTS_MAX, PUBLISHERS_MAX
from state.markets import Publisher, Tier
from state.packing import u
from state.status import Status
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

PAYLOAD_MAX = 1_024
LISTING_KINDS = (InboxKind.LIST_MARKET, InboxKind.SET_PARAMETERS)


@pytest.fixture(scope="module")
def items() -> Rules:
    """The contract, on the quicker engine."""
    return Rules(Pyrevm(), "items")


# --- listings ---

STEEP = (Tier(0, 50_000, 30_000), Tier(10**9, 10**6, 30_000), Tier(2**95, 10**6, 10**6))

# One figure of a listing at a time: at its limits, and past them.
FIGURES: list[dict[str, Any]] = [
    {},
    *({"kind": value} for value in (0, 2, 255)),
    *({"symbol": value} for value in (b"", b"!", b"~" * 16, b"BTC USD", b"B\0C", b"\0BC", b"\x7f")),
    *({"lot_exponent": value} for value in (0, 18, 19, 255)),
    *({"tick": value} for value in (0, 1, 2**32 - 1)),
    *({"min_notional": value} for value in (1, 2**64 - 1)),
    *({"order_lots_max": value} for value in (0, 1, 10**13, 10**13 + 1, 2**64 - 1)),
    *({"band": value} for value in (0, 1, 999_999, 1_000_000, 2**32 - 1)),
    *({"taker_fee": value} for value in (0, 100_000, 100_001, 2**32 - 1)),
    *({"maker_fee": value} for value in (0, 100_000, 100_001, 2**32 - 1)),
    *({"order_life_max": value} for value in (0, 1, 2**32 - 1)),
    *({"open_interest_max": value} for value in (0, 1, 2**63 - 1, 2**63, 2**64 - 1)),
    *({"position_max": value} for value in (10**12 - 1, 10**12, LOTS_MAX, LOTS_MAX + 1)),
    *({"quorum": value} for value in (0, 2)),
    *({"families": value} for value in (0, 2)),
    *(
        {name: value}
        for name in ("deviation", "price_step", "interest", "damp", "funding_cap")
        for value in (1_000_000, 1_000_001)
    ),
    *({"liquidation_fee": value} for value in (1_000_000, 1_000_001)),
    *({"close_out": value} for value in (1_000_000, 1_000_001)),
    *({"price_age_max": value} for value in (0, 1, 2**32 - 1)),
    *({"expiry": value} for value in (1, FAR, 2**64 - 1)),
    {"interest_lower": 5, "interest_upper": 4},
    {"interest_lower": 5, "interest_upper": 5},
    {"interest_upper": 2**96 - 1},
    {"interest_upper": 2**96},
    {"interest_lower": 2**128 - 1, "interest_upper": 2**128 - 1},
    {"tiers": ()},
    {"tiers": STEEP},
    {"tiers": (*STEEP, Tier(2**96 - 1, 7, 6))},
    {"tiers": (*STEEP, Tier(2**96, 7, 6))},
    {"tiers": (*STEEP, Tier(2**95, 7, 6))},
    {"tiers": (*STEEP, Tier(2**96 - 2, 7, 6), Tier(2**96 - 1, 7, 6))},
    {"tiers": (Tier(1, 50_000, 30_000),)},
    {"tiers": (Tier(0, 50_000, 0),)},
    {"tiers": (Tier(0, 50_000, 50_000),)},
    {"tiers": (Tier(0, 50_000, 50_001),)},
    {"tiers": (Tier(0, 1_000_001, 5),)},
    {"tiers": (Tier(0, 50_000, 5), Tier(1, 50_000, 0))},
    {"tiers": (Tier(0, 50, 5), Tier(0, 60, 6))},
    {"publishers": ()},
    {"publishers": ((b"\xff" * 20, 255, 2**16 - 1),)},
    {"publishers": ((bytes(19) + b"\1", 0, 1),)},
    {"publishers": ((bytes(20), 1, 1),)},
    {"publishers": ((PUBLISHER.address, 1, 0),)},
    {"publishers": ((b"\1" * 20, 1, 1), (b"\2" * 20, 1, 1))},
    {"publishers": ((b"\2" * 20, 1, 1), (b"\1" * 20, 1, 1))},
    {"publishers": ((b"\1" * 20, 1, 1), (b"\1" * 20, 1, 1))},
    {"publishers": tuple((u(at + 1, 160), 1, 1) for at in range(37))},
]


@pytest.mark.parametrize("changed", FIGURES, ids=str)
def test_a_listing_is_judged_alike_where_it_is_new_and_where_it_is_set(
    items: Rules, changed: dict[str, Any]
) -> None:
    venue = RecordedVenue()
    for kind, number in ((InboxKind.SET_PARAMETERS, 0), (InboxKind.LIST_MARKET, 1)):
        payload = encode_listing(listing(number, **changed))
        assert len(payload) <= PAYLOAD_MAX
        answer(items, venue, kind, payload)


@pytest.mark.parametrize(
    ("kind", "market", "changed", "spare", "status"),
    [
        (InboxKind.LIST_MARKET, 1, {}, b"", Status.OK),
        (InboxKind.LIST_MARKET, 65, {}, b"", Status.OK),
        (InboxKind.LIST_MARKET, 2**16 - 1, {}, b"", Status.OK),
        (InboxKind.LIST_MARKET, 0, {}, b"", Status.MARKET_EXISTS),
        (InboxKind.LIST_MARKET, 64, {}, b"", Status.MARKET_EXISTS),
        (InboxKind.LIST_MARKET, 64_000, {}, b"", Status.MARKET_EXISTS),
        (InboxKind.LIST_MARKET, 0, {"band": 0}, b"", Status.BAD_LISTING),
        (InboxKind.LIST_MARKET, 0, {}, b"\0", Status.BAD_LISTING),
        (InboxKind.SET_PARAMETERS, 0, {"tick": 101}, b"\0", Status.BAD_LISTING),
        (InboxKind.SET_PARAMETERS, 5, {"band": 0}, b"\0", Status.BAD_LISTING),
        (InboxKind.SET_PARAMETERS, 5, {"band": 0}, b"", Status.UNKNOWN_MARKET),
        (InboxKind.SET_PARAMETERS, 64, {}, b"", Status.UNKNOWN_MARKET),
        (InboxKind.SET_PARAMETERS, 0, {"band": 0, "tick": 101}, b"", Status.BAD_LISTING),
        (InboxKind.SET_PARAMETERS, 0, {"kind": 2}, b"", Status.BAD_LISTING),
        (InboxKind.SET_PARAMETERS, 0, {"tick": 101}, b"", Status.FIXED_PARAMETER),
        (InboxKind.SET_PARAMETERS, 0, {"lot_exponent": 7}, b"", Status.FIXED_PARAMETER),
        (InboxKind.SET_PARAMETERS, 0, {"symbol": b"BTC-USD-PERQ"}, b"", Status.FIXED_PARAMETER),
        (InboxKind.SET_PARAMETERS, 0, {"tiers": STEEP, "close_out": 9}, b"", Status.OK),
    ],
)
def test_listings_and_parameters(
    items: Rules,
    kind: InboxKind,
    market: int,
    changed: dict[str, Any],
    spare: bytes,
    status: Status,
) -> None:
    payload = encode_listing(listing(market, **changed)) + spare
    assert answer(items, peopled(), kind, payload) == status


def test_a_market_whose_row_is_gone_exists_all_the_same(items: Rules) -> None:
    venue = RecordedVenue()
    venue.state.rows.clear()
    venue.state.dirty.add(("rows", 0))
    payload = encode_listing(listing())
    assert answer(items, venue, InboxKind.LIST_MARKET, payload) == Status.MARKET_EXISTS
    assert answer(items, venue, InboxKind.SET_PARAMETERS, payload) == Status.UNKNOWN_MARKET


def test_parameters_leave_prices_books_funds_and_funding(items: Rules) -> None:
    venue = peopled()
    change_market(venue, premium_sum=-5, premium_samples=3, sampled_at=4, basis=-6, next_order=77)
    change_market(venue, insurance=5, pool=-7, bad_debt=2, dust=-9, settlement=1)
    side = replace(venue.state.rows[0].long, a=5, k=-6, f=7)
    change_row(venue, long=side, slow_mark=3, index=4)
    payload = encode_listing(listing(band=5, quorum=1, interest=6, tiers=STEEP))
    assert answer(items, venue, InboxKind.SET_PARAMETERS, payload) == Status.OK


@pytest.mark.parametrize("count", range(1, PUBLISHERS_MAX + 1))
@pytest.mark.parametrize("stays", [True, False], ids=["stays", "is new"])
def test_a_publisher_who_stays_keeps_price_and_time(items: Rules, count: int, stays: bool) -> None:
    venue = RecordedVenue()
    addresses = sorted(keccak(u(at, 8))[12:] for at in range(count))
    held = tuple(Publisher(one, 1, 2, 3 + at, NOW - at) for at, one in enumerate(addresses))
    change_market(venue, publishers=held)
    named = addresses[count // 2] if stays else b"\x77" * 20
    payload = encode_listing(listing(publishers=((named, 9, 77),)))
    assert answer(items, venue, InboxKind.SET_PARAMETERS, payload) == Status.OK


WHOLE_LISTING = encode_listing(listing(1, tiers=STEEP))


@settings(deadline=None)
@given(
    at=st.integers(0, len(WHOLE_LISTING) - 1),
    value=st.integers(0, 255),
    spare=st.binary(max_size=64),
    cut=st.integers(0, 60),
    kind=st.sampled_from(LISTING_KINDS),
)
def test_a_listing_with_any_byte_changed_is_judged_alike(
    items: Rules, at: int, value: int, spare: bytes, cut: int, kind: InboxKind
) -> None:
    changed = bytearray(WHOLE_LISTING)
    changed[at] = value
    venue = RecordedVenue(markets=(listing(1),))
    for payload in (changed, changed + spare, changed[: len(changed) - cut]):
        answer(items, venue, kind, bytes(payload))
