"""`tallystick doctor`: what it finds, how it judges, and what it says to do."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cli_world import CliWorld, cli_world
from click.testing import CliRunner, Result
from fake_clock import FakeClock

from node.cli import output
from node.cli.main import tallystick
from node.clock import SystemClock
from node.diagnosis import machine, network
from node.diagnosis.finding import Finding
from node.l1.answers import L1Block
from node.l1.config import L1Config
from node.l1.server import L1Server
from node.preflight import Fault
from node.rpc.client import VenueClient

cli_doctor = import_module("node.cli.doctor")

NOWHERE = "http://127.0.0.1:1"


def doctor(*words: str, code: int) -> Result:
    result = CliRunner().invoke(tallystick, ["doctor", *words], prog_name="tallystick")
    assert result.exit_code == code, result.output
    return result


def found(*words: str, code: int) -> dict[str, dict[str, Any]]:
    result = doctor(*words, "--json", code=code)
    return {one["name"]: one for one in json.loads(result.stdout)}


def test_the_machine_of_this_suite_is_well(tmp_path: Path) -> None:
    told = found("--only", "machine", "--only", "disk", "--data", str(tmp_path), code=0)
    assert set(told) == {"python", "libraries", "cryptography", "disk", "space"}
    assert told["cryptography"]["level"] == told["libraries"]["level"] == "ok"
    assert "GiB free" in told["space"]["found"]


def test_endpoints_that_are_away_fail_with_their_mend() -> None:
    words = ("--only", "l1", "--only", "node", "--rpc", NOWHERE, "--l1", NOWHERE)
    told = found(*words, code=1)
    assert {one["level"] for one in told.values()} == {"fail"}
    assert "tallystick l1" in told["L1"]["mend"]
    assert "tallystick sequence" in told["node"]["mend"]
    result = doctor(*words, code=1)
    assert result.stderr == "error: 2 of 2 fail: L1, node\n"
    assert "expected: an Ethereum JSON-RPC" in result.stdout


def test_a_node_is_told_with_its_heads_and_problems() -> None:
    with cli_world() as world:
        told = json.loads(world.run("doctor", "--only", "node", "--json").stdout)
        assert told[0]["level"] == "ok" and "a sequencer at" in told[0]["found"]
        world.node.troubles = ["L1 is away: start it"]
        told = json.loads(world.run("doctor", "--only", "node", "--json", code=1).stdout)
        assert (told[1]["level"], told[1]["found"]) == ("fail", "L1 is away: start it")


def test_a_mock_is_told_by_doctor_and_status_and_fails_neither() -> None:
    with cli_world() as world:
        (_, claims) = json.loads(world.run("doctor", "--only", "node", "--json").stdout)
        assert (claims["level"], claims["found"]) == ("ok", "optimistic")
        world.node.proof_system = "MOCK-ATTESTED"
        (_, claims) = json.loads(world.run("doctor", "--only", "node", "--json").stdout)
        assert claims["level"] == "warn" and "validity-mock (MOCK-ATTESTED)" in claims["found"]
        assert "validity-mock (MOCK-ATTESTED)" in world.run("status").stdout
        told = json.loads(world.run("status", "--json").stdout)
        assert (told["mode"], told["proofSystem"]) == ("validity-mock", "MOCK-ATTESTED")


def test_status_can_be_asked_to_fail_where_a_node_is_not_well() -> None:
    with cli_world() as world:
        world.run("status", "--check")
        world.node.troubles = ["L1 is away: start it"]
        world.run("status")
        told = world.run("status", "--check", code=1).stderr
        assert told == "error: the node is not well: L1 is away: start it\n"


@pytest.fixture
def world() -> Any:
    with cli_world() as running:
        yield running


async def test_a_port_is_told_to_be_free_or_whose_it_is(world: CliWorld) -> None:
    taken = await network.port("a sequencer", "127.0.0.1", world.server.port)
    assert "a sequencer of Tallystick answers" in taken.found
    free = await network.port("an L1", "127.0.0.1", 1)
    assert free.found == "127.0.0.1:1 is free"


@pytest.mark.parametrize("chain_id", [31_337, 5])
async def test_a_node_whose_venue_is_not_on_that_l1_is_told(world: CliWorld, chain_id: int) -> None:
    async with L1Server(L1Config(port=0, chain_id=chain_id)) as l1:
        (told,) = await network.pair(l1.url, world.server.url)
    assert (told.level, told.found.startswith("the venue is 0x")) == ("fail", True)
    known = (await _config(world)).chain_id
    if chain_id == known:
        assert told.found.endswith(", and L1 has no contract there")
    else:
        assert told.found.endswith(f"on chain {known}, and L1 is chain {chain_id}")
    assert await network.pair(NOWHERE, world.server.url) == []
    assert await network.pair(l1.url, NOWHERE) == []


async def _config(world: CliWorld) -> Any:
    async with VenueClient(world.server.url) as venue:
        return await venue.config()


@pytest.mark.parametrize("width", [40, 80])
def test_level_and_mend_are_whole_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    mend = "start it (tallystick l1), or name another with --l1, and so on to the very end"
    one = Finding("port 65535", "fail", "x" * 100, "an Ethereum JSON-RPC", mend)

    async def looked(*_: Any) -> list[Finding]:
        return [one]

    monkeypatch.setattr(cli_doctor, "_look", looked)
    monkeypatch.setattr(output, "PIPED_WIDTH", width)
    shown = doctor(code=1).stdout
    assert "fail" in shown and "port 65535" in shown and "…" not in shown
    assert "veryend" in "".join(shown.split()) and max(map(len, shown.splitlines())) <= width


def block(number: int, timestamp: int) -> L1Block:
    return L1Block(number, b"\1" * 32, b"\2" * 32, timestamp, 10**9)


@pytest.mark.parametrize(
    ("head", "final", "levels"),
    [
        (block(9, 1000), block(1, 900), ("ok", "ok", "ok")),
        (block(9, 1000), None, ("fail", "ok", "ok")),
        (block(9, 900), block(1, 800), ("ok", "warn", "ok")),
        (block(9, 1031), block(1, 900), ("ok", "ok", "fail")),
        (None, None, ("fail", "fail")),
    ],
)
def test_l1s_blocks_are_judged_by_finality_age_and_clock(
    head: L1Block | None, final: L1Block | None, levels: tuple[str, ...]
) -> None:
    told = list(network._l1_blocks(head, final, 1000.0))
    assert tuple(one.level for one in told) == levels
    assert all(one.mend for one in told if one.level != "ok")


@pytest.mark.parametrize(
    ("version", "level"), [((3, 10), "fail"), ((3, 11), "ok"), ((3, 12), "ok"), ((3, 13), "fail")]
)
def test_python_is_one_of_those_with_wheels(version: tuple[int, int], level: str) -> None:
    assert machine.python(version).level == level


def test_a_library_in_another_version_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "run.txt"
    lock.write_text("click==0.0.1 \\\n    --hash=sha256:00\nnot-there[x]==2.0\n")
    told = machine.libraries(lock)
    assert told.level == "fail" and "make setup" in told.mend
    assert "instead of 0.0.1" in told.found and "not-there none instead of 2.0" in told.found
    assert machine.libraries(tmp_path / "away").level == "ok"


def test_a_stand_in_for_what_is_in_c_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Fault("keccak", "a stand-in", "pysha3's, in C", "make setup")
    monkeypatch.setattr(machine, "faults", lambda: iter([fault]))
    told = found("--only", "machine", code=1)
    assert told["keccak"] == {
        "name": "keccak",
        "level": "fail",
        "found": "a stand-in",
        "expected": "pysha3's, in C",
        "mend": "make setup",
    }


def test_a_slow_disk_is_a_warning_and_a_closed_one_a_failure(tmp_path: Path) -> None:
    class SlowClock(FakeClock):
        def monotonic(self) -> float:
            self.time += 0.1
            return super().monotonic() + self.time

        time = 0.0

    slow, _ = machine.disk(tmp_path, SlowClock())
    assert slow.level == "warn" and "SSD" in slow.mend
    (closed,) = machine.disk(Path("/proc"), SystemClock())
    assert closed.level == "fail" and "cannot be written" in closed.found


def test_tools_of_others_are_optional(tmp_path: Path) -> None:
    told = machine.tools({"PATH": str(tmp_path), "TALLYSTICK_NPM": str(tmp_path)})
    assert (told.level, told.found) == ("warn", "not here: anvil, cast")


def test_this_suite_runs_on_a_python_that_it_names() -> None:
    assert machine.python(sys.version_info[:2]).level == "ok"
