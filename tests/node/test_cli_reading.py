"""Commands that only look: the node's JSON, tables for people, errors of one line."""

from collections.abc import Iterator
from typing import Any

import pytest
from cli_world import CliWorld, cli_world, open_account
from msgspec.structs import replace

from node.view import MadeClaim

ALICE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


@pytest.fixture
def world() -> Iterator[CliWorld]:
    with cli_world() as running:
        yield running


def test_markets_are_listed(world: CliWorld) -> None:
    (market,) = world.json("markets")
    assert market["symbol"] == "BTC-USD-PERP"
    assert market["mark"] == {"usd": "50000", "nano": "50000000"}
    assert market["lotSize"] == "0.000001" and market["tickSize"] == "0.1"
    shown = world.run("markets").stdout
    assert "BTC-USD-PERP" in shown and "20x" in shown and "5/1 bp" in shown


@pytest.mark.parametrize("who", ["alice", ALICE, ALICE[2:].upper(), "256"])
def test_an_account_is_found_by_name_address_or_number(world: CliWorld, who: str) -> None:
    if who == ALICE[2:].upper():
        who = "0x" + who
    (account,) = world.json("account", who)
    assert account["account"] == 256 and account["owner"] == ALICE
    assert account["margin"]["equity"] == "100000" and account["nextSequence"] == "1"
    assert "100,000.00 USD" in world.run("account", who).stdout


def test_positions_and_orders_are_shown(world: CliWorld) -> None:
    world.run("order", "place", "--from", "bob", "BTC-USD-PERP", "sell", "1", "--price", "50000")
    world.run("order", "place", "--from", "alice", "BTC-USD-PERP", "buy", "0.4", "--price", "50000")
    world.run("order", "place", "--from", "alice", "BTC-USD-PERP", "buy", "2", "--price", "49000.5")
    shown = world.run("account", "alice").stdout
    assert "Positions" in shown and "20,000.00" in shown
    assert "0:2" in shown and "49000.5" in shown
    (account,) = world.json("account", "alice")
    assert [order["price"] for order in account["orders"]] == ["49000.5"]
    assert account["margin"]["positions"][0]["size"] == "0.4"


def test_the_book_shows_asks_above_bids(world: CliWorld) -> None:
    assert "nothing in the book" in world.run("book", "BTC-USD-PERP").stdout
    for side, price in (("buy", "49999"), ("sell", "50001"), ("sell", "50002")):
        world.run("order", "place", "--from", "bob", "BTC-USD-PERP", side, "1", "--price", price)
    lines = world.run("book", "BTC-USD-PERP").stdout.splitlines()
    prices = [line.split()[1] for line in lines[2:]]
    assert prices == ["50002", "50001", "49999"]
    book = world.json("book", "0", "--depth", "1")
    assert [level["price"] for level in book["asks"]] == ["50001"]
    assert book["bestBid"]["price"] == "49999"


def test_a_status_tells_heads_and_problems(world: CliWorld) -> None:
    status = world.json("status")
    assert status["role"] == "sequencer" and status["problems"] == []
    world.node.troubles = ["L1_AWAY: [red]no[/red] answer; start it"]
    # What a node says is shown as it is, whatever it looks like.
    assert "L1_AWAY: [red]no[/red] answer; start it" in world.run("status").stdout


def test_batches_are_listed_and_shown(world: CliWorld) -> None:
    assert world.json("batch", "list") == []
    record = world.node.seal()
    (batch,) = world.json("batch", "list", "--count", "5")
    shown = world.json("batch", "show", "1")
    assert batch == {name: value for name, value in shown.items() if name != "claims"}
    assert batch["stateRoot"] == "0x" + record.state_root.hex()
    assert batch["certainty"] == "unsafe"
    text = world.run("batch", "show", "1").stdout
    assert "stateRoot" in text and record.state_root.hex() in text
    assert "unsafe" in world.run("batch", "list").stdout


def test_claims_on_a_batch_are_shown_beside_what_was_executed(world: CliWorld) -> None:
    record = world.node.seal()
    assert record.figures is not None and "Claims: none" in world.run("batch", "show", "1").stdout
    lie = replace(record.figures, fees=record.figures.fees + 10**9)
    wrong = (("fees", str(lie.fees), str(record.figures.fees)),)
    about: dict[str, Any] = {
        "parent": bytes(32),
        "claimant": b"\xbb" * 20,
        "claimed_block": 7,
        "claimed_at": 9,
    }
    world.node.made_claims[1] = [
        MadeClaim(claim=b"\xaa" * 32, status="confirmed", figures=record.figures, **about),
        MadeClaim(claim=b"\xcc" * 32, status="rejected", figures=lie, differences=wrong, **about),
    ]
    told = world.json("batch", "show", "1")["claims"]
    assert [claim["right"] for claim in told["claims"]] == [True, False]
    shown = world.run("batch", "show", "1").stdout
    assert "200,000.00" in shown and "200,001.00" in shown and "pending withdrawals" in shown
    assert "1 USD more is held or withdrawn than was deposited" in shown
    assert f"wrong: fees is {lie.fees}, executed {record.figures.fees}" in shown


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (("book", "DOGE-USD-PERP"), "no market 'DOGE-USD-PERP'; use a listed", 1),
        (("account", "99"), "no account 99 (owner 0, subaccount 99); deposit on L1", 1),
        (("account", "carol"), "carol has no account on the venue; a deposit on L1 opens", 1),
        (("account", "mallory"), "nobody is called 'mallory'; expected one of alice", 2),
        (("account", "0x12"), "'0x12' is no address: write 0x and 40 hex digits", 2),
        (("batch", "show", "7"), "batch 7", 1),
    ],
)
def test_what_is_not_there_is_one_line_and_a_mend(
    world: CliWorld, arguments: tuple[str, ...], told: str, code: int
) -> None:
    assert told in world.error(*arguments, code=code)


def test_a_node_that_is_away_is_one_line(world: CliWorld) -> None:
    world.server.port = 1
    told = world.error("status")
    assert told.startswith("the node at http://127.0.0.1:1 cannot be reached")
    assert "is it running there?" in told


def test_options_come_from_the_environment_too(world: CliWorld) -> None:
    for price in ("49999", "49998"):
        world.run("order", "place", "--from", "bob", "BTC-USD-PERP", "buy", "1", "--price", price)
    shown = world.run("book", "BTC-USD-PERP", TALLYSTICK_BOOK_DEPTH="1").stdout
    assert "49999" in shown and "49998" not in shown


def test_a_pipe_gets_no_colour_and_whole_lines(world: CliWorld) -> None:
    open_account(world.node.venue, "carol", 5)
    for command in (("account", "carol"), ("markets",), ("status",)):
        result = world.run(*command)
        assert "\x1b" not in result.output and "…" not in result.output
