"""`order place`: every term of an order, several from a file, and one that is sent again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_world import CliWorld, cli_world
from click.testing import CliRunner

from node.cli.main import tallystick
from node.clock import SystemClock
from state.transactions import NewOrder

PLACE = ("order", "place", "--from", "alice")
BUY = ("BTC-USD-PERP", "buy", "0.01", "--price", "49000")


@pytest.fixture
def world() -> Iterator[CliWorld]:
    with cli_world() as running:
        yield running


def orders(world: CliWorld) -> list[NewOrder]:
    return [tx for tx, _ in world.node.submitted if isinstance(tx, NewOrder)]


def written(folder: Path, *lines: dict[str, Any]) -> str:
    file = folder / "orders.json"
    file.write_text(json.dumps(lines))
    return str(file)


def line(side: str = "buy", price: str = "49000", **more: Any) -> dict[str, Any]:
    return {"market": "BTC-USD-PERP", "side": side, "size": "0.01", "price": price} | more


def test_expiry_and_self_trade_are_signed(world: CliWorld) -> None:
    expiry = int(SystemClock().now()) + 500
    world.run(*PLACE, *BUY, "--expiry", str(expiry), "--self-trade", "cancel-both")
    (sent,) = orders(world)
    assert sent.expiry == expiry
    (resting,) = world.json("account", "alice")[0]["orders"]
    assert (resting["expiry"], resting["selfTrade"]) == (expiry, "cancel-both")


def test_several_orders_go_from_a_file_at_once(world: CliWorld, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        line(clientId="one"),
        line(price="48000", life="post-only"),
        line("sell", "51000", reduceOnly=False, selfTrade="cancel-taking"),
    )
    said = world.run(*PLACE, "--file", file).stdout
    assert [f"order 0:{n}: resting" in said for n in (1, 2, 3)] == [True] * 3
    assert [sent.sequence for sent in orders(world)] == [1, 2, 3]
    found = world.json("order", "show", "--from", "alice", "--client-id", "one")
    assert found["order"] == {"epoch": 0, "sequence": "1"}


def test_orders_are_taken_from_standard_input(world: CliWorld) -> None:
    result = CliRunner().invoke(
        tallystick,
        [*PLACE, "--file", "-", "--json", "--rpc", world.server.url],
        input=json.dumps([line()]),
    )
    assert result.exit_code == 0, result.output
    (one,) = json.loads(result.stdout)
    assert one["result"]["status"] == "ok" and one["error"] is None


def test_an_order_that_is_refused_leaves_the_others(world: CliWorld, tmp_path: Path) -> None:
    file = written(tmp_path, line(), line(size="100"), line(price="48000"))
    result = world.run(*PLACE, "--file", file, code=1)
    assert "line 2: " in result.stdout and "order 0:3: resting" in result.stdout
    assert result.stderr == "error: 1 of 3 orders were refused; the others stand\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "holds no order; expected"),
        ("{", "holds no orders"),
        ('[{"market": "BTC-USD-PERP"}]', "missing required field `side`"),
        ('[{"market": "B", "side": "by", "size": "1"}]', "Invalid enum value 'by'"),
        ('[{"market": "B", "side": "buy", "size": 1}]', "Expected `str`, got `int`"),
        ('[{"market": "B", "side": "buy", "size": "1", "pirce": "1"}]', "unknown field `pirce`"),
    ],
)
def test_a_file_that_holds_no_orders_sends_nothing(
    world: CliWorld, tmp_path: Path, content: str, told: str
) -> None:
    file = tmp_path / "orders.json"
    file.write_text(content)
    assert told in world.error(*PLACE, "--file", str(file), code=2)
    assert orders(world) == []


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        ((), "say MARKET, SIDE, SIZE, such as", 2),
        (("BTC-USD-PERP",), "say SIDE, SIZE, such as", 2),
        ((*BUY, "--file", "orders.json"), "say either MARKET SIDE SIZE or --file", 2),
        (("--file", "nothing"), "cannot read nothing", 1),
    ],
)
def test_an_order_put_wrongly_is_one_line(
    world: CliWorld, words: tuple[str, ...], told: str, code: int
) -> None:
    assert told in world.error(*PLACE, *words, code=code)


def test_an_order_sent_again_under_its_name_tells_what_became_of_it(world: CliWorld) -> None:
    named = (*PLACE, *BUY, "--client-id", "hedge-1")
    world.run(*named)
    said = world.run(*named).stdout.splitlines()
    assert said == [
        "hedge-1 was sent before; nothing was sent again",
        "order hedge-1: resting, filled 0, 0.01 open at 49000",
    ]
    assert len(orders(world)) == 1
    assert world.json(*named)["standing"] == "resting"


@pytest.mark.parametrize(
    "other",
    [
        ("BTC-USD-PERP", "buy", "0.02", "--price", "49000"),
        ("BTC-USD-PERP", "buy", "0.01", "--price", "48000"),
        ("BTC-USD-PERP", "sell", "0.01", "--price", "51000"),
    ],
)
def test_another_order_under_a_used_name_is_refused(
    world: CliWorld, other: tuple[str, ...]
) -> None:
    world.run(*PLACE, *BUY, "--client-id", "hedge-1")
    told = world.error(*PLACE, *other, "--client-id", "hedge-1")
    assert "This client order id names another message of the account" in told
    assert len(orders(world)) == 1
