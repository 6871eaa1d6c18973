"""What is said before L1 is asked in vain, and what L1's inbox makes of a market."""

from collections.abc import AsyncIterator

import pytest
from builders import listing
from l1_venue import GOVERNOR, PARAMETERS, L1Venue, l1_venue, person

from contracts import calls, views
from contracts.compiler import SOURCES
from node.governance import (
    PARAMETER_LIFE,
    Terms,
    announcement,
    apply,
    cancel,
    list_market,
    schedule,
    terms_on_l1,
)
from node.owners import accept_number, rotate_owner
from node.settlement import NotNow
from state.status import Status
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

LIST, SET = InboxKind.LIST_MARKET, InboxKind.SET_PARAMETERS
STRICTER = listing(band=50_000)


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "payload", "status"),
    [
        (LIST, encode_listing(listing(1)), Status.OK),
        (LIST, encode_listing(listing(0)), Status.MARKET_EXISTS),
        (LIST, encode_listing(listing(64)), Status.MARKET_EXISTS),
        (LIST, encode_listing(listing(1, band=0)), Status.BAD_LISTING),
        (SET, encode_listing(STRICTER), Status.OK),
        (SET, encode_listing(listing(1)), Status.UNKNOWN_MARKET),
        (SET, encode_listing(listing(band=0)), Status.BAD_LISTING),
        (SET, encode_listing(listing(tick=7)), Status.FIXED_PARAMETER),
        (SET, b"", Status.BAD_LISTING),
    ],
)
def test_only_what_the_rules_take_becomes_a_term(
    kind: InboxKind, payload: bytes, status: Status
) -> None:
    terms = Terms()
    assert terms.run(LIST, encode_listing(listing())) == Status.OK
    before = dict(terms.listings)
    assert terms.run(kind, payload) == status
    assert (terms.listings != before) == (status == Status.OK)


async def test_terms_are_read_off_the_inbox(venue: L1Venue) -> None:
    await venue.fund()
    for each in (STRICTER, listing(tick=7)):
        await venue.send(GOVERNOR, calls.schedule_parameters(encode_listing(each)))
        await venue.mine(PARAMETERS.parameter_delay)
        await venue.send("bob", calls.apply_parameters(encode_listing(each)))
    terms = await terms_on_l1(venue.reader)
    assert [encode_listing(each) for each in terms.listings.values()] == [encode_listing(STRICTER)]
    assert terms.find("0") == terms.find("BTC-USD-PERP")
    with pytest.raises(NotNow, match="there is no market 1; the venue has: BTC-USD-PERP"):
        terms.find("1")


async def test_an_announcement_has_a_beginning_and_an_end(venue: L1Venue) -> None:
    grace, bob, reader = venue.senders[GOVERNOR], venue.senders["bob"], venue.reader
    made = await schedule(reader, grace, STRICTER)
    assert made == await announcement(reader, 0)
    assert (made.payload, made.ready_at) == (
        encode_listing(STRICTER),
        await venue.now() + PARAMETERS.parameter_delay,
    )
    await venue.mine(made.ready_at - await venue.now() - 1)
    with pytest.raises(NotNow, match="may be applied 1 s from now"):
        await apply(reader, bob, 0)
    await venue.mine(PARAMETER_LIFE + 2)
    with pytest.raises(NotNow, match="became void 1 s ago; the governor must schedule them anew"):
        await apply(reader, bob, 0)
    await schedule(reader, grace, STRICTER)
    await venue.mine(PARAMETERS.parameter_delay)
    done = await apply(reader, bob, 0)
    assert done.index == await reader.read(views.INBOX_SIZE) - 1
    assert await announcement(reader, 0) is None


async def test_a_later_announcement_replaces_an_earlier_one_with_the_same_words(
    venue: L1Venue,
) -> None:
    grace, reader = venue.senders[GOVERNOR], venue.reader
    for band in (50_000, 60_000, 50_000):
        made = await schedule(reader, grace, listing(band=band))
        assert await announcement(reader, 0) == made
    await cancel(reader, grace, 0)
    assert await announcement(reader, 0) is None
    with pytest.raises(NotNow, match="nothing is scheduled for market 0"):
        await cancel(reader, grace, 0)


async def test_the_governors_acts_are_tried_before_they_are_sent(venue: L1Venue) -> None:
    grace, reader = venue.senders[GOVERNOR], venue.reader
    for refused, words in (
        (schedule(reader, venue.senders["bob"], STRICTER), "only the governor, 0x"),
        (schedule(reader, grace, listing(5)), "there is no market 5; list it first"),
        (schedule(reader, grace, listing(tick=7, lot_exponent=3)), "lot_exponent, tick cannot"),
        (list_market(reader, grace, listing(64)), "there is a market 64 or one in its place"),
        (list_market(reader, venue.senders["bob"], listing(5)), "only the governor, 0x"),
    ):
        with pytest.raises(NotNow, match=words):
            await refused
    assert await reader.read(views.INBOX_SIZE) == 1


async def test_a_number_that_nobody_has_is_not_handed_over(venue: L1Venue) -> None:
    alice, bob, reader = venue.senders["alice"], venue.senders["bob"], venue.reader
    await venue.deposit("alice", 5)
    for number in (0, 2):
        with pytest.raises(NotNow, match=f"nobody the owner number {number}"):
            await accept_number(reader, bob, number)
        with pytest.raises(NotNow, match=f"nobody the owner number {number} of account"):
            await rotate_owner(reader, alice, account=number << 8, new_owner=person("bob").address)
    await accept_number(reader, bob, 1)
    done = await rotate_owner(reader, alice, account=1 << 8, new_owner=person("bob").address)
    assert done.index == 2
    assert await reader.read(views.OWNER_NUMBERS, person("bob").address) == 1


def test_an_announcement_lives_as_long_as_the_contract_says() -> None:
    source = (SOURCES / "governance.vy").read_text()
    days = PARAMETER_LIFE // 86_400
    assert f"PARAMETER_LIFE: constant(uint64) = {days} * 86_400\n" in source
