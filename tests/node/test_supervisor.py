"""The supervisor: children become ready, are missed when they die, and leave no orphans."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from whole_venue import is_alive

from node.clock import SystemClock
from node.devnet import supervisor as module
from node.devnet.supervisor import Child, ChildDied, Supervisor

SERVES = """
import pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text('{"url": "here"}')
time.sleep(600)
"""
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVES
HAS_A_GRANDCHILD = """
import pathlib, subprocess, sys
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); "
grandchild = subprocess.Popen([sys.executable, "-c", deaf + "time.sleep(600)"], stdout=-1)
grandchild.stdout.readline()
pathlib.Path(sys.argv[1]).write_text('{"grandchild": %d}' % grandchild.pid)
grandchild.wait()
"""
SAYS_WHY_AND_FAILS = "print('first line'); print('no space left on device'); raise SystemExit(3)"


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path, SystemClock())
    yield supervisor
    await supervisor.stop()


async def start(supervisor: Supervisor, name: str, script: str, tmp_path: Path) -> Child:
    ready_file = tmp_path / "run" / f"{name}.json"
    command = (sys.executable, "-c", script, str(ready_file))
    return await supervisor.start_command(name, command, ready_file)


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while is_alive(pid):
            await asyncio.sleep(0.02)


async def test_a_child_is_ready_once_it_says_so(supervisor: Supervisor, tmp_path: Path) -> None:
    child = await start(supervisor, "one", SERVES, tmp_path)
    assert await supervisor.ready(child) == {"url": "here"}
    assert child.process.returncode is None


async def test_a_child_is_not_ready_before_its_health_is(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    answers = [False, False, True]

    async def is_healthy() -> bool:
        return answers.pop(0)

    child = await start(supervisor, "one", SERVES, tmp_path)
    await supervisor.ready(child, is_healthy)
    assert answers == []


async def test_what_an_earlier_run_left_is_not_believed(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_SECONDS", 0.2)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "one.json").write_text('{"url": "old"}')
    child = await start(supervisor, "one", "import time; time.sleep(600)", tmp_path)
    with pytest.raises(ChildDied, match="one was not ready after"):
        await supervisor.ready(child)


async def test_a_child_that_ends_before_it_is_ready_is_reported_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    child = await start(supervisor, "one", SAYS_WHY_AND_FAILS, tmp_path)
    with pytest.raises(ChildDied) as died:
        await supervisor.ready(child)
    assert "one ended by itself with exit code 3" in str(died.value)
    assert "no space left on device" in str(died.value)
    assert "one.log" in str(died.value)


async def test_the_first_child_to_die_is_named(supervisor: Supervisor, tmp_path: Path) -> None:
    first = await start(supervisor, "first", SERVES, tmp_path)
    second = await start(supervisor, "second", SERVES, tmp_path)
    await supervisor.ready(first)
    await supervisor.ready(second)
    watching = asyncio.create_task(supervisor.watch())
    await asyncio.sleep(0)
    second.process.send_signal(signal.SIGKILL)
    with pytest.raises(ChildDied, match="second was ended by SIGKILL"):
        await watching
    assert first.process.returncode is None


@pytest.mark.parametrize("script", [SERVES, IGNORES_SIGTERM])
async def test_stopping_ends_children_that_heed_and_children_that_do_not(
    supervisor: Supervisor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.3)
    child = await start(supervisor, "one", script, tmp_path)
    await supervisor.ready(child)
    await supervisor.stop()
    assert child.process.returncode is not None
    assert not is_alive(child.process.pid)
    assert not child.ready_file.exists()


async def test_stopping_ends_what_a_child_started(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.3)
    child = await start(supervisor, "one", HAS_A_GRANDCHILD, tmp_path)
    grandchild = (await supervisor.ready(child))["grandchild"]
    assert is_alive(grandchild)
    await supervisor.stop()
    await until_gone(grandchild)


async def test_stopping_nothing_is_fine(supervisor: Supervisor) -> None:
    await supervisor.stop()


async def test_a_child_that_was_asked_to_end_is_missed_by_nobody(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    one = await start(supervisor, "one", SERVES, tmp_path)
    await start(supervisor, "two", SERVES, tmp_path)
    watching = asyncio.create_task(supervisor.watch())
    await asyncio.sleep(0)
    await supervisor.end("one")
    assert one.process.returncode == -signal.SIGTERM and not one.ready_file.exists()
    assert [child.name for child in supervisor.children] == ["two"]
    supervisor.child("two").process.kill()
    with pytest.raises(ChildDied, match="two was ended by SIGKILL"):
        await watching


async def test_a_child_that_is_started_later_is_watched_too(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await start(supervisor, "one", SERVES, tmp_path)
    watching = asyncio.create_task(supervisor.watch())
    await asyncio.sleep(0)
    late = await start(supervisor, "late", SAYS_WHY_AND_FAILS, tmp_path)
    with pytest.raises(ChildDied, match="late ended by itself with exit code 3"):
        await watching
    assert late.process.returncode == 3
