"""docs/client.md keeps its word: its code runs, block after block, as a reader would paste it."""

import ast
import asyncio
import re
from pathlib import Path
from typing import Any, get_args

from builders import DOMAIN
from cli_world import CliWorld, cli_world

from node.client import Client
from node.client.streams import Cause
from node.l1.accounts import dev_accounts

PAGE = (Path(__file__).parents[3] / "docs" / "client.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
NODE = "http://127.0.0.1:9545"


async def run(block: str, names: dict[str, Any]) -> None:
    code = compile(block, "docs/client.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    waiting = eval(code, names)
    if waiting is not None:
        await waiting


async def play(world: CliWorld) -> dict[str, Any]:
    names: dict[str, Any] = {
        "rollup": DOMAIN.rollup,
        "private_key": dev_accounts()[0].private_key,
        "root": b"",
    }
    first, *others, last = [block.replace(NODE, world.server.url) for block in BLOCKS]
    await run(first, names)
    async with Client(world.server.url, domain=DOMAIN) as client:
        names["client"] = client
        bob = await client.trader(dev_accounts()[1].private_key)
        await bob.place(0, "buy", "0.01", price="48000")
        for block in others:
            if "root" in block:
                names["root"] = world.node.commitment().state_root
            await run(block, names)
            if "cancel_on_disconnect" in block:
                while (await names["trader"].summary()).orders:
                    await asyncio.sleep(0.01)
    await run(last, names)
    return names


async def test_every_block_of_the_page_runs(capsys: Any) -> None:
    with cli_world() as world:
        names = await play(world)
    said = capsys.readouterr().out
    assert len(BLOCKS) == 8 and NODE in BLOCKS[0] and NODE in BLOCKS[-1]
    assert "BTC-USD-PERP 50000\n" in said
    assert "['ok', 'ok', 'ok']" in said and "margin_too_low" in said
    assert names["account"].cash == 100_000 * 10**9 and names["best"].ticks == 480_000
    assert names["book"].best_bid.price == "48000"


def test_the_page_names_every_cause_of_a_break() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == ["cause", *get_args(Cause)]
