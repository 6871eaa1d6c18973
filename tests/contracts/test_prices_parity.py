"""Headers and prices on L1: every status, and every byte that Python's rules write."""

from collections.abc import Iterator
from typing import Any

import pytest
from block_world import change_market, change_row
from builders import FAR, NOW, PUBLISHER, Key, key, listing, sign_transaction
from evm_engines import Engine, Pyrevm, Reverted
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from recorded_steps import recorded_steps
from step_contracts import Case, RecordedVenue, Rules, recorded_case

from state.eip712 import domain
from state.limits import PRICE_MAX, PUBLISHERS_MAX
from state.markets import Publisher
from state.status import Status
from state.steps import Step
from state.transactions import Cancel, Header, SignedPrice
from state.transactions.kinds import Kind

LATEST = 2**40 - 1
"""The last second that a header or a price can name."""


@pytest.fixture(scope="module")
def prices() -> Rules:
    """The contract, on the quicker engine."""
    return Rules(Pyrevm(), "prices")


def last_case(venue: RecordedVenue, status: Status) -> Case:
    """The last step, which ended as expected."""
    case = venue.cases[-1]
    assert case.status == status
    return case


def send(venue: RecordedVenue, price: int, time: int, *, market: int = 0, by: Key) -> None:
    tx = SignedPrice(market, price, time)
    venue.run(tx, sign_transaction(tx, by))


# --- headers ---


@pytest.mark.parametrize(
    ("time", "status"),
    [
        (0, Status.TIME_BACKWARDS),
        (NOW - 1, Status.TIME_BACKWARDS),
        (NOW, Status.OK),
        (NOW + 1, Status.OK),
        (FAR, Status.OK),
        (FAR + 1, Status.TIME_OUT_OF_BOUNDS),
        (LATEST, Status.TIME_OUT_OF_BOUNDS),
    ],
)
def test_a_header_moves_the_clock_within_its_bounds(
    prices: Rules, time: int, status: Status
) -> None:
    venue = RecordedVenue()
    venue.state.machine.time_max = FAR
    venue.run(Header(time))
    prices.check(last_case(venue, status))


def test_a_clock_before_the_earliest_time_is_out_of_bounds(prices: Rules) -> None:
    venue = RecordedVenue()
    venue.state.machine.time_min = NOW + 10
    venue.run(Header(NOW + 9))
    prices.check(last_case(venue, Status.TIME_OUT_OF_BOUNDS))
    venue.run(Header(NOW + 10))
    prices.check(last_case(venue, Status.OK))


# --- prices ---


@pytest.mark.parametrize(
    ("market", "price", "time", "signer", "status"),
    [
        (0, 51_000_000, NOW + 4_090, "publisher", Status.OK),
        (0, PRICE_MAX, NOW + 4_100, "publisher", Status.OK),
        (0, 1, NOW + 500, "publisher", Status.OK),
        (9, 51_000_000, NOW + 4_090, "publisher", Status.UNKNOWN_MARKET),
        (64, 51_000_000, NOW + 4_090, "publisher", Status.UNKNOWN_MARKET),
        (0, 51_000_000, NOW + 4_090, "mallory", Status.UNKNOWN_PUBLISHER),
        (0, 0, NOW, "mallory", Status.UNKNOWN_PUBLISHER),
        (0, 0, NOW, "publisher", Status.PRICE_NOT_NEWER),
        (0, 0, 0, "publisher", Status.PRICE_NOT_NEWER),
        (0, 0, NOW + 4_101, "publisher", Status.PRICE_FROM_FUTURE),
        (0, 0, LATEST, "publisher", Status.PRICE_FROM_FUTURE),
        (0, 0, NOW + 499, "publisher", Status.PRICE_STALE),
        (0, 0, NOW + 500, "publisher", Status.PRICE_OUT_OF_RANGE),
    ],
)
def test_a_price_counts_when_it_is_new_and_its_publishers(
    prices: Rules, market: int, price: int, time: int, signer: str, status: Status
) -> None:
    venue = RecordedVenue()
    venue.run(Header(NOW + 4_100))
    send(venue, price, time, market=market, by=key(signer))
    prices.check(last_case(venue, status))


@pytest.mark.parametrize(
    "signature",
    [bytes(64), b"\xff" * 64, bytes(32) + b"\1" * 32, b"\1" * 32 + bytes(32)],
    ids=["zeros", "ones", "no r", "no s"],
)
def test_a_signature_that_is_none_is_no_publishers(prices: Rules, signature: bytes) -> None:
    venue = RecordedVenue()
    change_market(venue, publishers=(Publisher(bytes(20), 1, 1), Publisher(b"\1" * 20, 1, 1)))
    venue.run(Header(NOW + 100))
    venue.run(SignedPrice(0, 51_000_000, NOW + 90), signature)
    prices.check(last_case(venue, Status.UNKNOWN_PUBLISHER))


def test_a_price_signed_for_another_deployment_is_no_publishers(prices: Rules) -> None:
    venue = RecordedVenue()
    venue.run(Header(NOW + 100))
    tx = SignedPrice(0, 51_000_000, NOW + 90)
    venue.run(tx, sign_transaction(tx, PUBLISHER, domain(31338, bytes(19) + b"\x99")))
    prices.check(last_case(venue, Status.UNKNOWN_PUBLISHER))


@pytest.mark.parametrize("market", [0, 63, 64, 2**16 - 1])
def test_the_first_price_is_the_slow_mark_too(prices: Rules, market: int) -> None:
    venue = RecordedVenue(markets=(listing(market),))
    first, second = [case for case in venue.cases if case.step == Step.TRANSACTION]
    assert (first.given[0], second.given[0]) == (Kind.HEADER, Kind.PRICE)
    prices.check(first)
    prices.check(second)


@settings(deadline=None)
@given(
    mark=st.integers(1, PRICE_MAX),
    slow=st.integers(0, PRICE_MAX),
    price=st.integers(1, PRICE_MAX),
    elapsed=st.integers(1, 10**6),
)
def test_the_slow_mark_follows_to_the_same_nano(
    prices: Rules, mark: int, slow: int, price: int, elapsed: int
) -> None:
    venue = RecordedVenue()
    change_row(venue, mark=mark, slow_mark=slow, price_age_max=2**32 - 1)
    venue.run(Header(NOW + elapsed))
    send(venue, price, NOW + elapsed, by=PUBLISHER)
    prices.check(last_case(venue, Status.OK))


def publishers(count: int) -> tuple[tuple[Publisher, ...], list[Key]]:
    """As many, with their keys, ascending by address as a leaf has them."""
    keys = sorted((key(f"publisher {at}") for at in range(count)), key=lambda one: one.address)
    held = (Publisher(one.address, at, 7, 9 + at, NOW - at) for at, one in enumerate(keys))
    return tuple(held), keys


@pytest.mark.parametrize("count", range(1, PUBLISHERS_MAX + 1))
def test_of_several_publishers_the_price_is_written_to_the_one_who_signed(
    prices: Rules, count: int
) -> None:
    venue = RecordedVenue()
    held, keys = publishers(count)
    change_market(venue, publishers=held, pool=-5, dust=3, premium_sum=-(2**100))
    for at, one in enumerate(keys):
        venue.run(Header(NOW + 1 + at))
        send(venue, 51_000_000 + at, NOW + 1 + at, by=one)
        prices.check(last_case(venue, Status.OK))
        send(venue, 51_000_000, NOW + 1 + at, by=one)
        prices.check(last_case(venue, Status.PRICE_NOT_NEWER))
    send(venue, 51_000_000, NOW + 1, by=key("mallory"))
    prices.check(last_case(venue, Status.UNKNOWN_PUBLISHER))


def test_a_row_comes_back_whole_with_as_many_tiers_as_it_has(prices: Rules) -> None:
    venue = RecordedVenue(markets=(listing(), listing(63)))
    one_tier = venue.state.rows[0].tiers[0]
    tiers = tuple(replace(one_tier, start=at * 10**9) for at in range(4))
    for number in (0, 63):
        for count in range(1, 5):
            sides: dict[str, Any] = {"interest_lower": 2**95, "interest_upper": 2**96 - 1}
            change_row(venue, number, tiers=tiers[:count], close_out=count, **sides)
            venue.run(Header(venue.state.machine.time + 1))
            send(venue, 7, venue.state.machine.time, market=number, by=PUBLISHER)
            prices.check(last_case(venue, Status.OK))


# --- what proves nothing ---


def test_without_what_python_reads_nothing_is_said_about_a_price(prices: Rules) -> None:
    venue = RecordedVenue()
    venue.price(51_000_000)
    case = last_case(venue, Status.OK)
    prices.check(case)
    with pytest.raises(Reverted, match="witness: leaf missing"):
        prices.apply(replace(case, leaves=bytes(5)))


def test_another_kind_is_none_of_this_contract(prices: Rules) -> None:
    venue = RecordedVenue()
    venue.run(Cancel(1, 0, 1, 0, 1, FAR), bytes(64))
    with pytest.raises(Reverted, match="prices: neither a header nor a price"):
        prices.apply(venue.cases[-1])


# --- both engines, and histories ---


def test_both_engines_run_it_alike(engine: Engine) -> None:
    prices = Rules(engine, "prices")
    venue = RecordedVenue()
    venue.price(51_000_000)
    for case in venue.cases:
        if case.step == Step.TRANSACTION:
            prices.check(case)


def history() -> Iterator[Case]:
    for recorded in recorded_steps(seed=3, transactions=250):
        if recorded.step == Step.TRANSACTION:
            case = recorded_case(recorded)
            if case.given[0] in (Kind.HEADER, Kind.PRICE):
                yield case


def test_over_a_random_history_every_header_and_price_is_as_in_python(prices: Rules) -> None:
    seen = []
    for case in history():
        prices.check(case)
        seen.append(Status(case.status))
    assert seen.count(Status.OK) > 10
