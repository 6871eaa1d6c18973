"""A walk through a devnet: what its L1 has is executed, traced and proven by hand."""

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from whole_venue import end, start

from node.artifacts import cache_directory
from node.cli.main import tallystick
from prover.witness_reader import decode_witness

PORTS = ("--l1-port", "0", "--sequencer-port", "0", "--follower-port", "0")
LOOK_SECONDS = 60
PARENT_AT = 2 + 8
"""Behind version and number."""


class Walker:
    """A devnet of its own, and commands that ask its L1 alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "devnet.json"
        words = ("--fast", "--config-out", str(self.file))
        self.process = start(cache_directory(os.environ), "devnet", *PORTS, *words)
        self.told: dict[str, Any] = {}

    def until_it_stands(self) -> None:
        while not self.file.exists():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.1)
        self.told = json.loads(self.file.read_text())

    def run(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(tallystick, words, prog_name="tallystick")
        assert done.exit_code == code, done.output + repr(done.exception)
        return done

    def l1(self, *words: str, code: int = 0) -> Any:
        """What a command says as JSON that is given L1 and the rollup, and nothing else."""
        place = ("--l1", self.told["l1"], "--rollup", self.told["rollup"], "--json")
        return json.loads(self.run(*words, *place, code=code).stdout)

    def until_batch_with(self, order: str) -> int:
        """The batch of an order, once L1 has it."""
        deadline = time.monotonic() + LOOK_SECONDS
        while time.monotonic() < deadline:
            found = self.l1("replay", "--all")
            for one in found["batches"]:
                if one["transactions"]:
                    posted = self.l1("batch", "decode", str(one["batch"]))["transactions"]
                    if any(order in str(tx["fields"].get("flags")) for tx in posted):
                        return int(one["batch"])
            time.sleep(1)
        raise AssertionError(f"no {order} came to L1")


@pytest.mark.timeout(240)
def test_a_devnet_is_executed_traced_and_proven_from_its_l1(tmp_path: Path) -> None:
    walker = Walker(tmp_path)
    try:
        walker.until_it_stands()
        deposit = ("deposit", "--from", "alice", "1000", "--l1", walker.told["l1"])
        walker.run(*deposit, "--rpc", walker.told["rpc"])
        bought = ("order", "place", "--from", "alice", "ETH-USD-PERP", "buy", "0.1")
        walker.run(*bought, "--rpc", walker.told["rpc"])
        number = walker.until_batch_with("buy market")
        check_roots(walker, number)
        kinds = check_trace(walker, number)
        check_steps(walker, number, kinds)
        check_posted(walker, number)
    finally:
        end(walker.process)


def check_roots(walker: Walker, number: int) -> None:
    """The root of a batch is the one that the sequencer, which was not asked, comes to."""
    found = walker.l1("replay", str(number))
    shown = walker.run("batch", "show", str(number), "--rpc", walker.told["rpc"], "--json")
    assert found["batches"][-1]["stateRoot"] == json.loads(shown.stdout)["stateRoot"]
    assert found["firstWrongBatch"] is None


def check_trace(walker: Walker, number: int) -> list[str]:
    """A trace that is right is right, and one with a wrong root is told its first."""
    trace = walker.l1("trace", str(number))
    path = walker.folder / "trace.json"
    path.write_text(json.dumps(trace))
    assert walker.l1("replay", str(number), "--trace", str(path))["firstWrongStep"] is None
    kinds = [step["kind"] for step in trace["steps"]]
    at = kinds.index("MATCH")
    for step in trace["steps"][at:]:
        step["root"] = "0x" + "11" * 32
    path.write_text(json.dumps(trace))
    wrong = walker.l1("replay", str(number), "--trace", str(path), code=1)["firstWrongStep"]
    assert (wrong["step"], wrong["kind"]) == (at + 1, "MATCH") and "FEE-1" in wrong["rules"]
    assert {leaf["leaf"].split()[0] for leaf in wrong["leaves"]} >= {"account", "row", "order"}
    return kinds


def check_steps(walker: Walker, number: int, kinds: list[str]) -> None:
    """One step of every kind, from its witness alone."""
    for kind in Counter(kinds):
        step = str(kinds.index(kind) + 1)
        found = walker.l1("prove", str(number), "--step", step)
        assert found["kind"] == kind and found["alone"]["root"] == found["rootAfter"]
    out = walker.folder / "witness"
    step = str(kinds.index("MATCH") + 1)
    shown = walker.l1("witness", str(number), "--step", step, "--out", str(out))
    assert decode_witness(out.read_bytes()).state_root.hex() == shown["rootBefore"][2:]
    assert len(shown["witness"]["accounts"]) == 2


def check_posted(walker: Walker, number: int) -> None:
    """What L1 has is what a file of it has, until a byte of that is another."""
    out = walker.folder / "batch"
    walker.l1("batch", "decode", str(number), "--out", str(out))
    assert walker.l1("batch", "diff", str(number), str(out))["same"] is True
    changed = bytearray(out.read_bytes())
    changed[PARENT_AT] ^= 1
    out.write_bytes(changed)
    found = walker.l1("batch", "diff", str(number), str(out), code=1)
    assert [one["field"] for one in found["header"]] == ["parent"]
