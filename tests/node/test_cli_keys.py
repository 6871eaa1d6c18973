"""`key add`, `key list`, `key revoke` and `block`: signed by whoever must, and told as it went."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_world import CliWorld, cli_world

from node.cli.session_keys import _time_left
from node.l1.accounts import dev_accounts
from state.transactions import AddKey, BlockTrade, RevokeKey

ALICE, BOB = 256, 512
CAROL = next(one for one in dev_accounts() if one.name == "carol")
LEG = "BTC-USD-PERP:buy:0.5:50000"


@pytest.fixture
def world() -> Iterator[CliWorld]:
    with cli_world() as running:
        yield running


# --- session keys ---


def test_a_key_is_added_listed_and_revoked(world: CliWorld) -> None:
    said = world.run("key", "add", "carol", "--from", "alice", "--days", "7").stdout
    assert f"0x{CAROL.address.hex()} may trade for account 256 as key 1, for 7 days" in said
    assert "key revoke 1" in said
    listed = world.run("key", "list", "--from", "alice").stdout
    assert CAROL.address.hex() in listed and "trade" in listed
    (found,) = world.json("key", "list", "--from", "alice")
    assert (found["epoch"], found["mayTrade"], found["mayCancel"]) == (1, True, True)
    said = world.run("key", "revoke", "1", "--from", "alice").stdout
    assert said == "session key 1 of account 256 ended\n"
    assert "no session key" in world.run("key", "list", "--from", "alice").stdout
    kinds = [type(tx) for tx, _ in world.node.submitted]
    assert kinds == [AddKey, RevokeKey]


def test_a_key_may_be_for_cancelling_only(world: CliWorld) -> None:
    address = "0x" + CAROL.address.hex()
    receipt = world.json("key", "add", address, "--from", "alice", "--cancel-only")
    assert (receipt["kind"], receipt["keyEpoch"]) == ("addKey", 1)
    (found,) = world.json("key", "list", "--from", "alice")
    assert (found["mayTrade"], found["mayCancel"], found["permissions"]) == (False, True, 2)


def test_a_key_signs_block_trades_only_if_its_owner_says_so(world: CliWorld) -> None:
    add = ("key", "add", "carol", "--from", "alice")
    world.run(*add)
    said = world.run(*add, "--block-trades").stdout
    assert "may trade and block trade for account 256 as key 2" in said
    plain, quoting = world.json("key", "list", "--from", "alice")
    assert (plain["mayBlockTrade"], plain["permissions"]) == (False, 3)
    assert (quoting["mayTrade"], quoting["mayBlockTrade"], quoting["permissions"]) == (
        True,
        True,
        7,
    )
    told = world.error(*add, "--cancel-only", "--block-trades", code=2)
    assert "--cancel-only and --block-trades exclude each other" in told


def test_a_session_key_trades_for_the_account_that_added_it(world: CliWorld) -> None:
    world.run("key", "add", "carol", "--from", "alice")
    carol = ("--from", "carol", "--account", str(ALICE))
    order = ("BTC-USD-PERP", "buy", "0.01", "--price", "49000")
    said = world.run("order", "place", *carol, *order).stdout
    assert "order 1:1: resting" in said and "order cancel 1:1" in said
    world.run("order", "amend", *carol, "1:1", "--size", "0.005")
    shown = world.run("order", "show", *carol, "1:1").stdout
    assert shown == "order 1:1: resting, filled 0, 0.005 open at 49000\n"
    assert world.json("order", "cancel-all", *carol)["cancelled"] == 1
    world.run("order", "place", *carol, *order)
    assert world.run("order", "cancel", *carol, "1:4").stdout == "order 1:4: cancelled\n"
    told = world.error("order", "place", "--from", "bob", "--account", str(ALICE), *order)
    assert told.startswith("bob (0x") and "neither owns account 256 nor is a session" in told
    own = ("--from", "alice", "--account", str(ALICE))
    assert "order 0:2: resting" in world.run("order", "place", *own, *order).stdout


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-1, "expired"),
        (0, "0 seconds"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7_199, "1 hour"),
        (86_399, "23 hours"),
        (86_400, "1 day"),
        (864_000, "10 days"),
    ],
)
def test_the_time_that_a_key_has_left_is_told_in_the_largest_unit(seconds: int, told: str) -> None:
    assert _time_left(seconds) == told


def test_a_hint_repeats_what_was_typed(world: CliWorld) -> None:
    added = world.run("key", "add", "carol", "--from", "alice").stdout
    hint = added.split("to end it: tallystick ")[1].split()
    assert hint == ["key", "revoke", "1", "--from", "alice", "--rpc", world.server.url]
    buy = ("BTC-USD-PERP", "buy", "0.01", "--price", "49000")
    placed = world.run("order", "place", "--from", "alice", *buy).stdout
    hint = placed.split("to cancel it: tallystick ")[1].split()
    assert hint == ["order", "cancel", "2", "--from", "alice", "--rpc", world.server.url]
    assert world.run(*hint[:-2]).stdout == "order 0:2: cancelled\n"
    withdrawn = world.run("withdraw", "10", "--from", "alice", "--l1", "http://127.0.0.1:1").stdout
    hint = withdrawn.split("see how far it is: tallystick ")[1].split()
    assert hint == [
        *("withdraw", "--status", "0", "--rpc", world.server.url),
        *("--l1", "http://127.0.0.1:1"),
    ]


def test_a_key_that_is_not_there_cannot_be_revoked(world: CliWorld) -> None:
    told = world.error("key", "revoke", "3", "--from", "alice")
    assert told.startswith("the account has no session key of this epoch")


# --- block trades ---


def drafted(world: CliWorld, file: Path, *legs: str) -> None:
    world.run("block", "draft", str(ALICE), str(BOB), *legs, "--out", str(file))


def test_a_block_trade_goes_from_hand_to_hand(world: CliWorld, tmp_path: Path) -> None:
    file = tmp_path / "trade"
    drafted(world, file, LEG)
    assert json.loads(file.read_bytes())["message"]["legs"] == [
        {"market": 0, "takerSide": "buy", "ticks": 500_000, "lots": 500_000}
    ]
    assert world.run("block", "sign", str(file), "--from", "alice").stdout == (
        "signed as the maker\n"
    )
    said = world.run("block", "countersign", str(file), "--from", "bob").stdout
    assert said == "signed as the taker\n"
    said = world.run("block", "submit", str(file)).stdout
    assert "taker bought 0.5 BTC-USD-PERP at 50000, fee 12.50 USD" in said
    assert "traded, every leg" in said
    again = world.json("block", "submit", str(file))
    assert (again["status"], again["resubmission"]) == ("ok", True)
    assert [type(tx) for tx, _ in world.node.submitted] == [BlockTrade]
    assert world.node.state.account(BOB).position(0).lots == 500_000  # type: ignore[union-attr]


def test_a_draft_without_a_file_is_printed(world: CliWorld) -> None:
    said = world.run("block", "draft", str(ALICE), str(BOB), LEG).stdout
    assert json.loads(said)["makerSignature"] is None


def test_a_block_trade_is_checked_before_it_is_signed_or_sent(
    world: CliWorld, tmp_path: Path
) -> None:
    file = tmp_path / "trade"
    drafted(world, file, LEG)
    told = world.error("block", "submit", str(file))
    assert told == "the maker has not signed yet: block sign first"
    assert "is neither party" in world.error("block", "sign", str(file), "--from", "carol")
    told = world.error("block", "countersign", str(file), "--from", "bob")
    assert told.startswith("the maker has not signed yet")
    world.run("block", "sign", str(file), "--from", "alice")
    told = world.error("block", "submit", str(file))
    assert told == "the taker has not signed yet: block countersign first"
    paper = json.loads(file.read_bytes())
    paper["message"]["legs"][0]["lots"] = 1
    file.write_text(json.dumps(paper))
    told = world.error("block", "countersign", str(file), "--from", "bob")
    assert told.startswith("the maker's signature is not of this trade")
    assert world.node.submitted == []


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("block", "draft", "256", "512", "BTC-USD-PERP:0.5:50000"), "is no leg", 2),
        (("block", "draft", "256", "512", LEG, LEG), "market 0 has two legs", 2),
        (("block", "draft", "256", "512", "BTC-USD-PERP:buy:0.5:50000.05"), "use 50000", 2),
        (("block", "draft", "256", "999", LEG), "there is no account 999", 1),
        (("block", "submit", "nothing"), "cannot read nothing", 1),
    ],
)
def test_a_block_trade_put_wrongly_is_one_line(
    world: CliWorld, words: tuple[str, ...], told: str, code: int
) -> None:
    assert told in world.error(*words, code=code)


def test_a_file_that_holds_no_block_trade_is_named(world: CliWorld, tmp_path: Path) -> None:
    file = tmp_path / "trade"
    for content in ("", "{}", "[1]", '{"message": {"maker": 1.5}}'):
        file.write_text(content)
        assert f"{file} is no block trade" in world.error("block", "submit", str(file))
