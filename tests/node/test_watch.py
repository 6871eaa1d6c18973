"""`tallystick watch`: one frame, many frames, a node that goes away and comes back, Ctrl-C."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cli_world import CliWorld, cli_world
from rich.console import Console
from whole_venue import ROOT

from node.cli.frames import Frame, drawn
from node.cli.watch import Watcher
from node.clock import SystemClock
from node.rpc.client import VenueClient
from node.rpc.server import serve

PLACE = ("order", "place", "BTC-USD-PERP")


@pytest.fixture
def world() -> Iterator[CliWorld]:
    with cli_world() as running:
        running.run(*PLACE, "buy", "0.5", "--price", "49000", "--from", "bob")
        yield running


def test_one_frame_shows_book_heads_and_account(world: CliWorld) -> None:
    world.run(*PLACE, "sell", "0.1", "--price", "49000", "--from", "alice")
    shown = world.run("watch", "--once", "--from", "alice").stdout
    for part in (
        *("BTC-USD-PERP on a sequencer at", "50000 USD", "executed", "problems", "none"),
        *(
            "49000",
            "0.4",
            "█",
            "Account 256",
            "Positions",
            "-0.1",
            "entry",
            "unrealised",
            "-100.00",
        ),
    ):
        assert part in shown, part


def test_a_frame_is_one_line_of_json_for_programs(world: CliWorld) -> None:
    (line,) = world.run("watch", "--once", "--account", "512", "--json").stdout.splitlines()
    found = json.loads(line)
    assert found["book"]["bestBid"]["price"] == "49000" and found["away"] is None
    assert found["account"]["account"] == 512 and found["status"]["role"] == "sequencer"


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("watch", "NO-SUCH", "--once"), "no market", 1),
        (("watch", "--once", "--from", "zoe"), "nobody is called 'zoe'", 2),
        (("watch", "--once", "--from", "alice", "--account", "1"), "name one account", 2),
    ],
)
def test_what_is_not_there_is_told(
    world: CliWorld, words: tuple[str, ...], told: str, code: int
) -> None:
    assert told in world.error(*words, code=code)


async def test_a_node_that_is_away_is_told_and_waited_for(world: CliWorld) -> None:
    port = world.server.port
    server = await serve(world.node, port=0)
    async with VenueClient(server.url, timeout_seconds=5.0) as venue:
        watcher = Watcher(server.url, venue, "alice", 5, SystemClock())
        frames = watcher.frames(await watcher.look(None), 0.01)
        assert (await anext(frames)).away == ""
        await server.close()
        away = await anext(frames)
        while not away.away:
            away = await anext(frames)
        assert "cannot be reached" in away.away and away.book.best_bid is not None
        assert "trying again" in text_of(away)
        server = await serve(world.node, port=server.port)
        back = await anext(frames)
        while back.away:
            back = await anext(frames)
        assert "trying again" not in text_of(back) and port != server.port
        await frames.aclose()  # type: ignore[attr-defined]
    await server.close()


async def test_trades_are_shown_the_newest_first(world: CliWorld) -> None:
    for size in ("0.01", "0.02"):
        words = (*PLACE, "sell", size, "--price", "49000", "--from", "alice")
        await asyncio.to_thread(world.run, *words)
    async with VenueClient(world.server.url) as venue:
        watcher = Watcher(world.server.url, venue, None, 5, SystemClock())
        frame = await watcher.look("BTC-USD-PERP")
    assert [trade.size for trade in frame.trades] == ["0.02", "0.01"]
    shown = text_of(frame)
    assert "Last trades" in shown and "none yet" not in shown


def text_of(frame: Frame) -> str:
    """The frame as it is drawn."""
    screen = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    with screen.capture() as captured:
        screen.print(drawn(frame))
    screen.file.close()
    return captured.get()


def test_ctrl_c_ends_it_well(world: CliWorld) -> None:
    words = ("watch", "--rpc", world.server.url, "--seconds", "0.05", "--json")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "node.cli.main", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(2):
        assert json.loads(process.stdout.readline())["url"] == world.server.url
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert (process.returncode, complaints) == (0, "")
