"""`order preview`: told in words and as JSON, and nothing is sent."""

from collections.abc import Iterator

import pytest
from cli_world import CliWorld, cli_world

BTC = "BTC-USD-PERP"


@pytest.fixture
def world() -> Iterator[CliWorld]:
    with cli_world() as running:
        running.run("order", "place", "--from", "bob", BTC, "sell", "0.01", "--price", "50000")
        yield running


def test_a_preview_tells_fills_and_margin_and_sends_nothing(world: CliWorld) -> None:
    sent = len(world.node.submitted)
    words = ("order", "preview", "--from", "alice", BTC, "buy", "0.02", "--price", "50000")
    said = world.run(*words).stdout
    assert "would be taken: filled in part, the rest is resting" in said
    assert "fills 0.01 at 50000, fee 0.25 USD" in said
    assert "0.01 would rest" in said
    assert "initial margin" in said and "free collateral" in said
    assert len(world.node.submitted) == sent


def test_a_preview_as_json_is_what_the_node_says(world: CliWorld) -> None:
    found = world.json("order", "preview", "--from", "alice", BTC, "buy", "0.01")
    assert (found["status"], found["refused"], found["averagePrice"]) == ("ok", False, "50000")


def test_what_would_be_refused_is_told_and_fails(world: CliWorld) -> None:
    words = ("order", "preview", "--from", "alice", BTC, "buy", "100", "--price", "50000")
    said = world.run(*words, code=1).stdout
    assert "would be refused: equity, less what filling the order costs" in said
