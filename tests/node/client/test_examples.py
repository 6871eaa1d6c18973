"""The programs of `examples/`, as processes against a devnet of processes."""

import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whole_venue import ROOT, end, environment, run, start

from node.artifacts import cache_directory

PORTS = ("--l1-port", "0", "--sequencer-port", "0", "--follower-port", "0")
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
STAND_SECONDS, LIMIT_SECONDS = 120, 120


class Devnet:
    """A devnet that stands, and examples played on it."""

    def __init__(self, place: Path) -> None:
        told = place / "devnet.json"
        self.cache = cache_directory(os.environ)
        self.process = start(self.cache, "devnet", "--fast", *PORTS, "--config-out", str(told))
        give_up = time.monotonic() + STAND_SECONDS
        while not told.exists():
            assert self.process.poll() is None and time.monotonic() < give_up
            time.sleep(0.1)
        self.told: dict[str, Any] = json.loads(told.read_text())

    def play(self, name: str, *words: str) -> subprocess.Popen[str]:
        """An example, begun."""
        urls = ("--rpc", self.told["rpc"], "--l1", self.told["l1"])
        return subprocess.Popen(
            [sys.executable, "-u", str(ROOT / "examples" / f"{name}.py"), *urls, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.cache),
            # Who runs the tests in the background has it ignored, and children take that over.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def orders_of(self, name: str) -> Any:
        done = run(self.cache, "account", name, "--rpc", self.told["rpc"], "--json")
        return json.loads(done.stdout)[0]["orders"]


@pytest.fixture(scope="module")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    found = Devnet(tmp_path_factory.mktemp("devnet"))
    try:
        yield found
    finally:
        end(found.process)


def said_by(process: subprocess.Popen[str]) -> str:
    """What a program printed that ended well and complained of nothing."""
    said, errors = process.communicate(timeout=LIMIT_SECONDS)
    assert (process.returncode, errors) == (0, ""), said
    return said


@pytest.mark.timeout(240)
def test_every_example_shows_what_it_says(devnet: Devnet) -> None:
    rollup = ("--rollup", devnet.told["rollup"])
    playing = {
        "market_maker": devnet.play("market_maker", "--seconds", "5"),
        "delta_hedger": devnet.play("delta_hedger", "--seconds", "6"),
        "subscribe": devnet.play("subscribe", "--seconds", "6"),
        "follow_and_verify": devnet.play("follow_and_verify", *rollup),
        "place_and_cancel": devnet.play("place_and_cancel"),
    }
    said = {name: said_by(process) for name, process in playing.items()}
    said["sync_quickstart"] = said_by(devnet.play("sync_quickstart"))

    assert set(said) == {path.stem for path in EXAMPLES}
    assert "cancelled: ok" in said["place_and_cancel"]
    assert "margin_too_low" in said["place_and_cancel"]
    assert "bid, " in said["market_maker"] and "holding" in said["market_maker"]
    assert "buy 1 of ETH-USD-PERP: filled" in said["delta_hedger"]
    assert "of BTC-USD-PERP against it" in said["delta_hedger"]
    assert "(snapshot)" in said["subscribe"]
    assert "proved: the best bid of BTC-USD-PERP" in said["follow_and_verify"]
    assert said["follow_and_verify"].endswith("under another root: wrong_root\n")
    assert "is resting" in said["sync_quickstart"] and "is cancelled" in said["sync_quickstart"]


@pytest.mark.timeout(120)
def test_a_market_maker_stopped_leaves_no_orders(devnet: Devnet) -> None:
    process = devnet.play("market_maker", "--from", "dave")
    assert process.stdout is not None
    while "bid, " not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said_by(process)
    while devnet.orders_of("dave"):
        time.sleep(0.1)


@pytest.mark.parametrize("name", ["place_and_cancel", "sync_quickstart"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "127.0.0.1:9"])
def test_without_a_node_an_example_says_so_in_a_line(devnet: Devnet, name: str, url: str) -> None:
    process = devnet.play(name, "--rpc", url)
    _, errors = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 1
    assert errors.startswith("error: the node at ") and errors.count("\n") == 1
    assert ("no URL of a node" in errors) is not url.startswith("http")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_it_shows_and_how_to_run_it(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert f".venv/bin/python examples/{path.name}" in said
    assert f"`{path.name}`" in (ROOT / "examples" / "README.md").read_text()
