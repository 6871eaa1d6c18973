"""An owner number changes hands on L1, by the commands: its accounts follow, whoever races."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from builders import key
from desk_world import ALICE, Desk, funded_desk
from l1_venue import person

from contracts import calls, token
from state.orders import BUY, SELL
from state.status import Status

DAVE = person("dave")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with funded_desk(tmp_path) as desk:
        yield desk


async def test_an_account_changes_hands_with_everything_in_it(desk: Desk, tmp_path: Path) -> None:
    await desk.price()
    assert await desk.add_key(key("a phone")) == Status.OK
    assert await desk.order(person("alice"), BUY) == Status.OK
    dave = "0x" + DAVE.address.hex()

    said = await desk.command("key", "rotate", "dave", "--from", "alice", code=1)
    assert f"{dave} has not told L1 yet that it takes owner number 1 over" in said
    assert "tallystick key accept 256" in said
    assert (await desk.json("key", "accept", "alice", "--from", "dave"))["ownerNumber"] == 1
    said = await desk.command("key", "rotate", dave, "--from", "alice")
    assert f"owner number 1 is {dave}'s on L1, and with it:\naccount 256, by inbox item " in said

    account = desk.service.state.account(ALICE)
    assert (account.owner, account.keys, len(account.orders)) == (DAVE.address, (), 1)
    assert await desk.order(person("alice"), BUY) == Status.BAD_SIGNATURE
    assert await desk.order(person("bob"), SELL, account=2 << 8) == Status.OK
    assert await desk.order(DAVE, BUY) == Status.OK

    # Deposits follow the number, and the old address is a newcomer.
    await desk.venue.senders["grace"].send(
        desk.venue.deployment.token, token.mint(to=DAVE.address, amount=5 * 10**6)
    )
    assert (await desk.json("deposit", "5", "--from", "dave"))["account"] == ALICE
    assert (await desk.json("deposit", "5", "--from", "alice"))["account"] == 4 << 8
    assert desk.service.state.account(4 << 8).owner == person("alice").address
    await desk.check(tmp_path / "follower")


async def test_every_subaccount_goes_with_the_number_in_one_command(desk: Desk) -> None:
    for subaccount in ("1", "255"):
        await desk.json("deposit", "5", "--from", "alice", "--subaccount", subaccount)
    await desk.command("key", "accept", "256", "--from", "dave")
    done = await desk.json("key", "rotate", "dave", "--from", "alice")
    dave = "0x" + DAVE.address.hex()
    assert (done["ownerNumber"], done["newOwner"], done["done"]) == (1, dave, True)
    items = [(one["account"], one["inboxItem"]) for one in done["accounts"]]
    assert items == [(256, 6), (257, 7), (511, 8)]
    assert all(desk.service.state.account(n).owner == DAVE.address for n, _ in items)
    for options in ([], ["--subaccount", "1"]):
        said = await desk.command("key", "rotate", "dave", "--from", "alice", *options, code=1)
        assert f"{dave} has owner number 1 already" in said
    options = ["--from", "alice", "--subaccount", "2"]
    said = await desk.command("key", "rotate", "dave", *options, code=1)
    assert "there is no account 258 on the venue" in said


async def test_the_old_key_races_the_new_owner_and_gets_nothing_of_theirs(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.json("deposit", "5", "--from", "alice", "--subaccount", "1")
    await desk.command("key", "accept", "256", "--from", "dave")
    # An account that is not there: the number moves, and no leaf follows.
    await desk.venue.send("alice", calls.rotate_owner(account=511, new_owner=DAVE.address))
    assert await desk.transfer(person("alice"), 257, 263) == Status.OK
    minted = token.mint(to=DAVE.address, amount=50 * 10**6)
    await desk.venue.senders["grace"].send(desk.venue.deployment.token, minted)
    for subaccount, account, cash in (("7", 263, "20.000000001"), ("0", ALICE, "1020")):
        done = await desk.json("deposit", "20", "--from", "dave", "--subaccount", subaccount)
        assert (done["account"], done["cash"]) == (account, cash)
        assert await desk.withdraw(person("alice"), account) == Status.BAD_SIGNATURE
        assert await desk.withdraw(DAVE, account) == Status.OK
    assert await desk.transfer(DAVE, 263, 257) == Status.NOT_OWN_ACCOUNT

    said = await desk.command("key", "rotate", "dave", "--from", "dave")
    assert "account 257, by inbox item " in said and "account 256" not in said
    assert await desk.transfer(DAVE, 263, 257) == Status.OK
    await desk.check(tmp_path / "follower")
