"""Processes that are started before their L1 wait for it, say so, and end for what is wrong."""

import asyncio
import json
import signal
import subprocess
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from killed_venue import free_ports
from whole_venue import end, start

from node.l1.config import L1Config
from node.l1.server import L1Server

ROLLUP = "0x" + "11" * 20
COMMANDS: dict[str, tuple[str, ...]] = {
    "follow": ("--port", "0"),
    "sequence": ("--port", "0", "--from", "heidi"),
    "claim": ("--from", "ivan"),
    "challenge": ("--from", "dave", "--metrics-port", "0"),
    "propose-evil": ("--kind", "root", "--from", "judy"),
}
PUBLIC = "{}'s key is public and this is chain 1, not a devnet (31337)"


@dataclass
class Waiting:
    """All of them, each of which has said that L1 is away."""

    port: int
    directory: Path
    processes: dict[str, subprocess.Popen[str]]

    async def endings(self) -> dict[str, tuple[int, str]]:
        """The exit code of each, and the last line that it said."""
        found = {}
        for command, process in self.processes.items():
            _, said = await asyncio.to_thread(process.communicate, timeout=60)
            assert "Traceback" not in said
            lines = said.splitlines() or [""]
            found[command] = process.returncode, lines[-1]
        return found


@pytest.fixture
async def waiting(tmp_path: Path) -> AsyncIterator[Waiting]:
    (port,) = free_ports(1)
    processes = {}
    try:
        for command, more in COMMANDS.items():
            if command != "propose-evil":
                more = (*more, "--data", str(tmp_path / command))
            where = ("--l1", f"http://127.0.0.1:{port}", "--rollup", ROLLUP)
            ready = ("--ready-file", str(tmp_path / f"{command}.json"))
            processes[command] = start(tmp_path / "cache", command, *where, *ready, *more)
        for process in processes.values():
            async with asyncio.timeout(60):
                words = f"L1_AWAY: L1 at http://127.0.0.1:{port} cannot"
                await asyncio.to_thread(heard, process, words)
        yield Waiting(port, tmp_path, processes)
    finally:
        for process in processes.values():
            end(process)


def heard(process: subprocess.Popen[str], words: str) -> None:
    """Return once a process has logged a line with these words."""
    assert process.stderr is not None
    said = []
    while line := process.stderr.readline():
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"it ended and said {said}")


async def test_on_a_signal_they_end_in_order(waiting: Waiting) -> None:
    ready = json.loads((waiting.directory / "challenge.json").read_text())
    with await asyncio.to_thread(urllib.request.urlopen, ready["metrics"]) as answer:
        assert b"tallystick_challenger_problems 1.0" in answer.read()
    for process in waiting.processes.values():
        process.send_signal(signal.SIGTERM)
    for code, last in (await waiting.endings()).values():
        assert code == 0 and "error" not in last


@pytest.mark.parametrize("chain_id", [31_337, 1])
async def test_they_end_where_the_l1_that_comes_has_no_such_rollup(
    waiting: Waiting, chain_id: int
) -> None:
    async with L1Server(L1Config(port=waiting.port, chain_id=chain_id)):
        endings = await waiting.endings()
    nothing = f"error: NO_CONTRACT: there is no contract at {ROLLUP} on chain {chain_id}"
    for command, (code, last) in endings.items():
        expected = nothing
        if chain_id == 1 and command in ("sequence", "propose-evil"):
            expected = "error: " + PUBLIC.format(COMMANDS[command][-1])
        assert code == 1 and last.startswith(expected), (command, last)
