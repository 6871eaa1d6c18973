"""A process of ours: says when it is ready, and stops when told or when nobody is left."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SERVES = """
import asyncio, sys
from pathlib import Path
import click
import structlog
from node.cli.running import run_process

async def serve(stop, announce):
    structlog.get_logger("test").info("serving", port=7)
    announce(url="here", port=7)
    await stop.wait()
    structlog.get_logger("test").info("stopped")

@click.command()
def command():
    run_process(serve, ready_file=Path(sys.argv[1]), until_stdin_closes=len(sys.argv) > 2)

command([])
"""
FAILS = SERVES.replace("await stop.wait()", "raise Halt('the journal is torn')").replace(
    "import structlog", "import structlog\nfrom node.errors import Halt", 1
)


def start(tmp_path: Path, script: str, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", script, str(tmp_path / "ready.json"), *more],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


async def until_ready(tmp_path: Path) -> object:
    async with asyncio.timeout(30):
        while not (tmp_path / "ready.json").exists():
            await asyncio.sleep(0.02)
    return json.loads((tmp_path / "ready.json").read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, SERVES)
    assert await until_ready(tmp_path) == {"url": "here", "port": 7}
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    events = [json.loads(line) for line in said.splitlines()]
    assert [event["event"] for event in events] == ["serving", "stopped"]
    assert events[0]["port"] == 7 and events[0]["level"] == "info"


async def test_it_stops_when_whoever_started_it_is_gone(tmp_path: Path) -> None:
    process = start(tmp_path, SERVES, "until stdin closes")
    await until_ready(tmp_path)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    assert process.stderr is not None
    process.stderr.close()


def test_what_halts_it_is_one_line(tmp_path: Path) -> None:
    process = start(tmp_path, FAILS)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.splitlines()[-1] == "error: the journal is torn"
    assert "Traceback" not in said
