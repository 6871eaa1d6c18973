"""What is said before L1 is asked in vain, and what L1's inbox makes of a market."""

from collections.abc import AsyncIterator

import pytest
from builders import listing
from l1_venue import GOVERNOR, PARAMETERS, L1Venue, l1_venue, person
from msgspec.structs import replace

from contracts import calls, views
from contracts.compiler import SOURCES
from node.governance import (
    PARAMETER_LIFE,
    Announcement,
    Terms,
    announcements,
    apply,
    cancel,
    find_market,
    list_market,
    schedule,
    terms_on_l1,
)
from node.owners import Appended, accept_number, rotate_owner
from node.settlement import NotNow
from state.status import Status
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

LIST, SET = InboxKind.LIST_MARKET, InboxKind.SET_PARAMETERS
STRICTER = listing(band=50_000)
FOUNDING = listing(1, symbol=b"ETH-USD-PERP")
LATER = listing(2, symbol=b"SOL-USD-PERP")


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
        await venue.send("bob", calls.apply_scheduled(SET, encode_listing(each)))
    terms = await terms_on_l1(venue.reader)
    assert [encode_listing(each) for each in terms.listings.values()] == [encode_listing(STRICTER)]
    found = await find_market(venue.reader, "0")
    assert (found.is_listed, found.coming) == (True, None)
    assert found == await find_market(venue.reader, "BTC-USD-PERP")
    with pytest.raises(NotNow, match=r"there is no market 1; the venue has: BTC-USD-PERP$"):
        await find_market(venue.reader, "1")


async def test_an_announcement_has_a_beginning_and_an_end(venue: L1Venue) -> None:
    grace, bob, reader = venue.senders[GOVERNOR], venue.senders["bob"], venue.reader
    made = await schedule(reader, grace, STRICTER)
    assert await announcements(reader) == await announcements(reader, 0) == {0: made}
    assert (made.payload, made.ready_at) == (
        encode_listing(STRICTER),
        await venue.now() + PARAMETERS.parameter_delay,
    )
    await venue.mine(made.ready_at - await venue.now() - 1)
    with pytest.raises(NotNow, match="may be applied 1 s from now"):
        await apply(reader, bob, 0)
    await venue.mine(PARAMETER_LIFE + 2)
    with pytest.raises(NotNow, match="became void 1 s ago; the governor must schedule anew"):
        await apply(reader, bob, 0)
    await schedule(reader, grace, STRICTER)
    await venue.mine(PARAMETERS.parameter_delay)
    done = await apply(reader, bob, 0)
    assert done.index == await reader.read(views.INBOX_SIZE) - 1
    assert await announcements(reader) == {}


async def test_a_later_announcement_replaces_an_earlier_one_with_the_same_words(
    venue: L1Venue,
) -> None:
    grace, reader = venue.senders[GOVERNOR], venue.reader
    for band in (50_000, 60_000, 50_000):
        made = await schedule(reader, grace, listing(band=band))
        assert await announcements(reader, 0) == {0: made}
    await cancel(reader, grace, 0)
    assert await announcements(reader, 0) == {}
    with pytest.raises(NotNow, match="nothing is scheduled for market 0"):
        await cancel(reader, grace, 0)


async def test_a_market_is_listed_at_once_while_nobody_has_deposited(venue: L1Venue) -> None:
    grace, reader = venue.senders[GOVERNOR], venue.reader
    done = await list_market(reader, grace, FOUNDING)
    assert isinstance(done, Appended) and done.index == 1
    assert (await find_market(reader, "ETH-USD-PERP")).is_listed
    await venue.deposit("alice", 1)
    made = await list_market(reader, grace, LATER)
    assert isinstance(made, Announcement) and made.kind == LIST
    assert made.ready_at == await venue.now() + PARAMETERS.parameter_delay
    assert await reader.read(views.INBOX_SIZE) == 3
    found = await find_market(reader, "SOL-USD-PERP")
    assert (found.listing.market, found.is_listed, found.coming) == (2, False, made)


async def test_a_market_to_come_is_listed_after_the_delay_and_has_no_terms_to_come(
    venue: L1Venue,
) -> None:
    grace, bob, reader = venue.senders[GOVERNOR], venue.senders["bob"], venue.reader
    await venue.deposit("alice", 1)
    await venue.send(GOVERNOR, calls.schedule_parameters(encode_listing(replace(LATER, band=7))))
    await list_market(reader, grace, LATER)
    with pytest.raises(NotNow, match="market 2's listing may be applied 600 s from now"):
        await apply(reader, bob, 2)
    with pytest.raises(NotNow, match=r"the venue has: BTC-USD-PERP; announced: SOL-USD-PERP$"):
        await find_market(reader, "ETH-USD-PERP")
    await venue.mine(PARAMETERS.parameter_delay)
    done = await apply(reader, bob, 2)
    assert done.index == await reader.read(views.INBOX_SIZE) - 1
    found = await find_market(reader, "2")
    assert (found.listing.band, found.is_listed, found.coming) == (LATER.band, True, None)
    with pytest.raises(NotNow, match="nothing is scheduled for market 2"):
        await apply(reader, bob, 2)
    with pytest.raises(NotNow, match="there is a market 2"):
        await list_market(reader, grace, LATER)


async def test_an_announced_market_does_not_take_the_name_of_one_there_is(venue: L1Venue) -> None:
    await venue.deposit("alice", 1)
    namesake = replace(LATER, symbol=listing().symbol)
    await list_market(venue.reader, venue.senders[GOVERNOR], namesake)
    assert (await find_market(venue.reader, "BTC-USD-PERP")).listing.market == 0
    assert (await find_market(venue.reader, "2")).coming


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
