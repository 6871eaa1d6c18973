"""Commands that look back: trades, candles, fills, orders and positions."""

from collections.abc import Iterator

import pytest
from cli_world import CliWorld, cli_world

MARKET = "BTC-USD-PERP"


@pytest.fixture(scope="module")
def world() -> Iterator[CliWorld]:
    with cli_world() as running:
        for who, side, size in (("bob", "sell", "1"), ("alice", "buy", "0.4")):
            place = ["order", "place", "--from", who, MARKET, side, size, "--price", "50000"]
            running.run(*place)
        yield running


def test_trades_of_a_market(world: CliWorld) -> None:
    page = world.json("trades", MARKET)
    assert [trade["size"] for trade in page["trades"]] == ["0.4"] and page["sinceBatch"] == 1
    shown = world.run("trades", "0", "--count", "3").stdout
    assert "50000" in shown and "0.4" in shown and "buy" in shown
    assert "none" in world.run("trades", MARKET, "--before", "1").stdout


def test_candles_of_a_market(world: CliWorld) -> None:
    page = world.json("candles", MARKET, "--interval", "1d")
    assert [candle["close"] for candle in page["candles"]] == ["50000"]
    shown = world.run("candles", MARKET).stdout
    assert "20,000.00" in shown and "00:00" in shown
    assert "1m" in world.run("candles", MARKET, "--interval", "2m", code=2).stderr


def test_fills_of_an_account(world: CliWorld) -> None:
    (page,) = world.json("fills", "bob")
    assert [(fill["role"], fill["side"]) for fill in page["fills"]] == [("maker", "sell")]
    shown = world.run("fills", "alice", "--market", MARKET).stdout
    assert "taker" in shown and "0:1" in shown


def test_orders_of_an_account(world: CliWorld) -> None:
    (page,) = world.json("orders", "bob", "--status", "resting")
    assert [order["openLots"] for order in page["orders"]] == [600_000]
    shown = world.run("orders", "alice").stdout
    assert "filled" in shown and "50000" in shown
    assert "none" in world.run("orders", "alice", "--status", "refused").stdout


def test_positions_of_an_account(world: CliWorld) -> None:
    (page,) = world.json("positions", "alice")
    assert page["paidIn"] == "100000" and page["positions"][0]["size"] == "0.4"
    shown = world.run("positions", "alice").stdout
    assert "paid in" in shown and "100,000.00 USD" in shown and "20,000.00" in shown
    assert "nobody" in world.run("positions", "nobody", code=2).stderr


def test_a_node_that_knows_less_says_so(world: CliWorld) -> None:
    kept = world.node.tape.since_batch
    world.node.tape.since_batch = 7
    try:
        assert "from batch 7 on" in world.run("trades", MARKET).stderr
        assert "from batch 7 on" in world.run("fills", "alice").stderr
    finally:
        world.node.tape.since_batch = kept
