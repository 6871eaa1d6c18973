"""A devnet's life: it stands, is traded on, stops, goes on where it was, and dies with a child."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from whole_venue import end, is_alive, run, start

from node.artifacts import cache_directory

PORTS = ("--l1-port", "0", "--sequencer-port", "0", "--follower-port", "0")
STOP_SECONDS = 30


class Devnet:
    """A devnet in `directory`, with what it told about itself."""

    def __init__(self, tmp_path: Path) -> None:
        self.cache = cache_directory(os.environ)
        self.file = tmp_path / "devnet.json"
        self.file.unlink(missing_ok=True)
        words = ("--data", str(tmp_path / "venue"), "--config-out", str(self.file))
        self.process = start(self.cache, "devnet", *PORTS, *words)
        self.told: dict[str, Any] = {}

    def until_it_stands(self) -> None:
        while not self.file.exists():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.1)
        self.told = json.loads(self.file.read_text())

    @property
    def pids(self) -> list[int]:
        return [one["pid"] for one in self.told["processes"].values()]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = run(self.cache, *words)
        assert done.returncode == 0, done.stderr
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.command(*words, "--rpc", self.told["rpc"], "--json").stdout)


@pytest.mark.timeout(240)
def test_a_devnet_lives_and_dies_as_a_whole(tmp_path: Path) -> None:
    devnet = Devnet(tmp_path)
    try:
        devnet.until_it_stands()
        check_description(devnet.told)
        account = trade(devnet)
        stop(devnet)

        devnet = Devnet(tmp_path)
        devnet.until_it_stands()
        (found,) = devnet.json("account", "alice")
        assert found["account"] == account["account"]
        assert found["margin"]["cash"] == account["margin"]["cash"]
        a_dead_child_ends_it(devnet)
    finally:
        end(devnet.process)


def check_description(told: dict[str, Any]) -> None:
    assert sorted(told["processes"]) == ["bots", "claimant", "follower", "l1", "sequencer"]
    assert told["keysArePublicTestKeys"] is True and told["chainId"] == 31_337
    assert told["accounts"]["alice"]["role"] == "trader"
    assert told["accounts"]["heidi"]["role"] == "sequencer"
    assert all(is_alive(one["pid"]) for one in told["processes"].values())
    assert len({told["l1"], told["rpc"], told["follower"]}) == 3


def trade(devnet: Devnet) -> Any:
    """Money in, a trade against the market maker, and the account after it."""
    l1 = ("--l1", devnet.told["l1"])
    credited = devnet.json("deposit", "--from", "alice", "1000", *l1)
    assert credited["credited"] is True and credited["cash"] == "1000"
    order = ("order", "place", "--from", "alice", "ETH-USD-PERP", "buy", "0.1")
    receipt = devnet.json(*order)
    assert receipt["status"] == "ok" and receipt["filledSize"] == "0.1"
    (account,) = devnet.json("account", "alice")
    assert account["margin"]["positions"][0]["size"] == "0.1"
    return account


def stop(devnet: Devnet) -> None:
    """As Ctrl-C does: everything ends, in order, and nothing is left."""
    devnet.process.send_signal(signal.SIGINT)
    said, errors = devnet.process.communicate(timeout=STOP_SECONDS)
    assert devnet.process.returncode == 0, errors
    assert "stopping every process" in said and errors == ""
    assert "order place --from alice BTC-USD-PERP buy 0.01" in said, "a line to paste that trades"
    assert all(devnet.told[name] in said for name in ("l1", "rpc", "follower", "rollup"))
    assert not any(is_alive(pid) for pid in devnet.pids)


def a_dead_child_ends_it(devnet: Devnet) -> None:
    os.kill(devnet.told["processes"]["follower"]["pid"], signal.SIGKILL)
    _, errors = devnet.process.communicate(timeout=STOP_SECONDS)
    assert devnet.process.returncode == 1
    assert errors.startswith("error: follower was ended by SIGKILL; the end of ")
    assert "follower.log" in errors.splitlines()[0] and len(errors.splitlines()) > 1
    assert not any(is_alive(pid) for pid in devnet.pids)
