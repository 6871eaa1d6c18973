"""Keys and parameters through L1, by the commands: sequencer and follower do as told."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from builders import key, listing
from desk_world import ALICE, Desk, funded_desk, running
from l1_venue import MARK, PARAMETERS, l1_venue, person
from structlog.testing import capture_logs

from contracts import calls, views
from node.cli import listings
from state.orders import BUY
from state.status import Status
from state.transactions.list_market import decode_listing, encode_listing

SYMBOL = "BTC-USD-PERP"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with funded_desk(tmp_path) as desk:
        yield desk


async def test_a_session_key_is_revoked_without_the_sequencers_consent(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.price()
    session = key("a phone")
    assert await desk.add_key(session) == Status.OK
    assert await desk.order(session, BUY, epoch=1) == Status.OK
    forced = ("--from", "alice", "--through-l1")
    said = await desk.command("key", "revoke", "2", *forced, code=1)
    assert said == "account 256 has no session key 2; it has: 1"

    done = await desk.json("key", "revoke", "1", *forced)
    assert (done["account"], done["keyEpoch"], done["inboxItem"], done["done"]) == (256, 1, 4, True)
    assert await desk.order(session, BUY, epoch=1) == Status.UNKNOWN_KEY
    account = desk.service.state.account(ALICE)
    assert (account.keys, account.key_epoch, len(account.orders)) == ((), 1, 1)
    await desk.check(tmp_path / "follower")


async def test_parameters_are_announced_and_take_effect_after_the_delay(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.price()
    assert await desk.order(person("alice"), BUY) == Status.OK
    before = (await desk.json("market", "show", SYMBOL))["parameters"]
    changes = [
        "band=50000",
        'tiers=[{"start": 0, "initial": 100000, "maintenance": 60000}]',
    ]
    coming = await desk.json("market", "schedule", SYMBOL, *changes, "--from", "grace")
    expected = before | {
        "band": 50_000,
        "tiers": [{"start": 0, "initial": 100_000, "maintenance": 60_000}],
    }
    assert coming["parameters"] == expected
    scheduled = await desk.venue.reader.read(views.SCHEDULED_CHANGES, 0)
    assert coming["readyAt"] == scheduled.ready_at
    assert coming["voidAfter"] == scheduled.ready_at + 30 * 86_400
    shown = await desk.json("market", "show", "0")
    assert shown == {"parameters": before, "scheduled": coming}
    words = await desk.command("market", "show", SYMBOL)
    assert "Announced, to be applied from" in words and "50000" in words

    said = await desk.command("market", "apply", SYMBOL, "--from", "bob", code=1)
    assert re.match(r"market 0's parameters may be applied \d+ s from now", said)
    await desk.venue.mine(PARAMETERS.parameter_delay)
    await desk.command("market", "apply", SYMBOL, "--from", "bob")
    await desk.until(lambda: desk.service.state.markets[0].band == 50_000)
    row = desk.service.state.row(0)
    assert row is not None and row.tiers[0].initial == 100_000 and row.mark == MARK
    assert len(desk.service.state.account(ALICE).orders) == 1
    after = await desk.json("market", "show", SYMBOL)
    assert after == {"parameters": expected, "scheduled": None}
    await desk.check(tmp_path / "follower")


async def test_a_change_of_mind_and_a_new_market(desk: Desk, tmp_path: Path) -> None:
    await desk.command("market", "schedule", SYMBOL, "band=1", "--from", "grace")
    await desk.command("market", "schedule", SYMBOL, "band=2", "--from", "grace")
    shown = await desk.json("market", "show", SYMBOL)
    assert shown["scheduled"]["parameters"]["band"] == 2
    await desk.command("market", "cancel", SYMBOL, "--from", "grace")
    assert (await desk.json("market", "show", SYMBOL))["scheduled"] is None
    said = await desk.command("market", "apply", SYMBOL, "--from", "bob", code=1)
    assert said.startswith("nothing is scheduled for market 0")

    file = tmp_path / "market.json"
    file.write_text(json.dumps(shown["parameters"] | {"market": 7, "symbol": "ETH-USD-PERP"}))
    coming = await desk.json("market", "list", str(file), "--from", "grace")
    assert (coming["kind"], coming["parameters"]["market"]) == ("listing", 7)
    assert await desk.json("market", "show", "7") == {"parameters": None, "scheduled": coming}
    eth = ("market", "schedule", "ETH-USD-PERP")
    said = await desk.command(*eth, "band=30000", "--from", "grace")
    assert "Market ETH-USD-PERP, announced, to be applied from" in said and "30000" in said
    assert "tallystick market apply ETH-USD-PERP --rpc " in said.splitlines()[-1]
    said = await desk.command("market", "apply", "ETH-USD-PERP", "--from", "bob", code=1)
    assert re.match(r"market 7's listing may be applied \d+ s from now", said)
    await desk.command("market", "cancel", "ETH-USD-PERP", "--from", "grace")
    assert "there is no market 7" in await desk.command("market", "show", "7", code=1)
    assert "Market ETH-USD-PERP, announced" in await desk.command(
        "market", "list", str(file), "--from", "grace"
    )
    await desk.venue.mine(PARAMETERS.parameter_delay)
    assert (await desk.json("market", "apply", "7", "--from", "bob"))["market"] == 7
    await desk.until(lambda: 7 in desk.service.state.markets)
    assert "there is a market 7" in await desk.command(
        "market", "list", str(file), "--from", "grace", code=1
    )
    await desk.check(tmp_path / "follower")


async def test_a_founding_market_is_listed_at_once(tmp_path: Path) -> None:
    file = tmp_path / "market.json"
    founding = listings.plain(listing(7, symbol=b"ETH-USD-PERP"))
    file.write_text(json.dumps(founding))
    with capture_logs():
        async with l1_venue() as venue:
            await venue.mine()
            async with running(venue, tmp_path) as desk:
                said = await desk.command("market", "list", str(file), "--from", "grace")
                assert re.match(r"ETH-USD-PERP: L1 took it in block \d+, inbox item 1\n", said)
                await desk.until(lambda: 7 in desk.service.state.markets)
                shown = await desk.json("market", "show", "7")
                assert shown == {"parameters": founding, "scheduled": None}


async def test_commands_that_cannot_work_say_why_before_they_cost_gas(desk: Desk) -> None:
    senders = [desk.venue.senders[name].address for name in ("alice", "grace")]
    before = [await desk.venue.client.balance(address) for address in senders]
    for code, arguments, words in (
        (1, ["key", "accept", "bob", "--from", "alice"], "has owner number 1 already"),
        (1, ["key", "rotate", "bob", "--from", "alice"], "has owner number 2 already"),
        (1, ["key", "rotate", "dave", "--from", "erin"], "has no owner number to hand over"),
        (1, ["key", "rotate", "alice", "--from", "alice"], "has owner number 1 already"),
        (2, ["key", "rotate", "0x12", "--from", "alice"], "'0x12' is no address"),
        (2, ["key", "rotate", "dav", "--from", "alice"], "nobody is called 'dav'"),
        (1, ["market", "schedule", SYMBOL, "band=1", "--from", "alice"], "only the governor"),
        (1, ["market", "cancel", SYMBOL, "--from", "alice"], "only the governor"),
        (1, ["market", "cancel", SYMBOL, "--from", "grace"], "nothing is scheduled for market 0"),
        (1, ["market", "show", "ETH-USD-PERP"], "the venue has: BTC-USD-PERP"),
        (1, ["market", "schedule", SYMBOL, "band=0", "--from", "grace"], "no market can have"),
        (1, ["market", "schedule", SYMBOL, "tick=7", "--from", "grace"], "tick cannot change"),
        (
            2,
            ["market", "schedule", SYMBOL, "bnd=7", "--from", "grace"],
            "'bnd=7' sets no parameter",
        ),
        (2, ["market", "schedule", SYMBOL, "market=7", "--from", "grace"], "sets no parameter"),
        (2, ["market", "schedule", SYMBOL, "band", "--from", "grace"], "write NAME=VALUE"),
        (2, ["market", "schedule", SYMBOL, "band=x", "--from", "grace"], "the value is no JSON"),
        (2, ["market", "schedule", SYMBOL, "band=-1", "--from", "grace"], "does not fit its field"),
        (2, ["market", "schedule", SYMBOL, "tiers=[1]", "--from", "grace"], "no market parameters"),
        (2, ["market", "schedule", SYMBOL, 'symbol=""', "--from", "grace"], "symbol has 0 bytes"),
        (1, ["market", "list", "/nowhere", "--from", "grace"], "cannot read /nowhere"),
    ):
        said = await desk.command(*arguments, code=code)
        assert words in said, arguments
    assert [await desk.venue.client.balance(address) for address in senders] == before


async def test_what_a_governor_announced_past_the_command_is_shown_as_it_is(desk: Desk) -> None:
    await desk.venue.send("grace", calls.schedule_parameters(b"\0\0nonsense"))
    shown = (await desk.json("market", "show", SYMBOL))["scheduled"]
    assert (shown["parameters"], shown["payload"]) == (None, "0x" + b"\0\0nonsense".hex())
    assert "10 bytes that are no listing" in await desk.command("market", "show", SYMBOL)
    await desk.venue.mine(PARAMETERS.parameter_delay)
    await desk.command("market", "apply", SYMBOL, "--from", "bob")
    size = await desk.venue.reader.read(views.INBOX_SIZE)
    await desk.until(lambda: desk.service.state.machine.inbox == size)
    assert desk.service.state.markets[0].band == 100_000


def test_parameters_are_written_as_they_are_read() -> None:
    whole = decode_listing(encode_listing(listing(3, taker_fee=77)))
    assert listings.read(listings.plain(whole)) == whole
    assert listings.differences(whole, listings.changed(whole, ("band=3", "quorum=1"))) == [
        ("band", str(whole.band), "3")
    ]
