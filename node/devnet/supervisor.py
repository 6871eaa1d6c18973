"""Child processes: started, watched, and ended together. A dead child is never replaced.

Every child leads a process group of its own, so that one signal reaches what it started
too, and holds one end of a pipe as its standard input: when the supervisor is gone, however
it went, the pipe closes and the child stops by itself.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from node.clock import Clock

GRACE_SECONDS = 2.0
"""Between asking a child to stop and ending it."""

READY_SECONDS = 60.0
POLL_SECONDS = 0.05
TAIL_LINES = 12

Result = TypeVar("Result")
Ready = Callable[[], Awaitable[bool]]


class ChildDied(Exception):
    """A child ended although nobody asked it to, or never became ready."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        last = "\n".join(f"  {line}" for line in tail(log))
        super().__init__(f"{name} {what}; the end of {log}:\n{last or '  (nothing logged)'}")
        self.name = name
        self.log = log


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and where its words go."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    ready_file: Path


class Supervisor:
    """Starts children into `directory`; whoever starts one must in the end call `stop`."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self.children: list[Child] = []
        self._changed = asyncio.Event()

    async def start(self, name: str, arguments: Sequence[str]) -> Child:
        """Run `tallystick` with these arguments, its output appended to logs/`name`.log."""
        interpreter = (sys.executable, "-P", "-m", "node.cli.main")
        ready_file = self._directory / "run" / f"{name}.json"
        more = ("--ready-file", str(ready_file), "--until-stdin-closes")
        return await self.start_command(name, (*interpreter, *arguments, *more), ready_file)

    async def start_command(self, name: str, command: Sequence[str], ready_file: Path) -> Child:
        """Run any command. It is expected to write `ready_file` once it serves."""
        log = self._directory / "logs" / f"{name}.log"
        for parent in (log.parent, ready_file.parent):
            parent.mkdir(parents=True, exist_ok=True)
        ready_file.unlink(missing_ok=True)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
            )
        child = Child(name, process, log, ready_file)
        self.children.append(child)
        self._changed.set()
        return child

    def child(self, name: str) -> Child:
        """The child that was started under this name."""
        return next(child for child in self.children if child.name == name)

    async def ready(self, child: Child, is_healthy: Ready | None = None) -> dict[str, Any]:
        """What the child wrote when it began to serve, once `is_healthy` agrees.

        ChildDied where it ended first or took longer than READY_SECONDS.
        """
        deadline = self._clock.monotonic() + READY_SECONDS
        while self._clock.monotonic() < deadline:
            if child.process.returncode is not None:
                raise _died(child)
            written = _read_ready(child.ready_file)
            if written is not None and (is_healthy is None or await is_healthy()):
                return written
            await self._clock.sleep(POLL_SECONDS)
        raise ChildDied(child.name, f"was not ready after {READY_SECONDS:.0f} s", child.log)

    async def watch(self) -> None:
        """Wait for the first child to end that nobody asked to, and raise ChildDied.

        Children may be started and ended meanwhile. Never returns otherwise.
        """
        while True:
            self._changed.clear()
            waits = {asyncio.create_task(child.process.wait()): child for child in self.children}
            changed = asyncio.create_task(self._changed.wait())
            try:
                done, _ = await asyncio.wait((*waits, changed), return_when=asyncio.FIRST_COMPLETED)
                for task in done - {changed}:
                    if waits[task] in self.children:
                        raise _died(waits[task])
            finally:
                for task in (*waits, changed):
                    task.cancel()
                await asyncio.gather(*waits, changed, return_exceptions=True)

    async def while_all_live(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What `work` comes to; ChildDied, and `work` cancelled, where a child ends before."""
        watching = asyncio.create_task(self.watch())
        working = asyncio.create_task(work)
        try:
            await asyncio.wait((watching, working), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await watching
            return await working
        finally:
            for task in (watching, working):
                task.cancel()
            await asyncio.gather(watching, working, return_exceptions=True)

    async def end(self, name: str) -> None:
        """Stop one child, as `stop` stops all; that it is gone is then no trouble."""
        child = self.child(name)
        self.children.remove(child)
        self._changed.set()
        await _end((child,))

    async def stop(self) -> None:
        """Ask every child to stop, and end those that have not within GRACE_SECONDS.

        Then none is left, nor anything that one of them started in its own group.
        """
        await _end(self.children)
        self.children.clear()


async def _end(children: Sequence[Child]) -> None:
    for child in children:
        _signal(child, signal.SIGTERM)
    waits = [asyncio.create_task(child.process.wait()) for child in children]
    if waits:
        await asyncio.wait(waits, timeout=GRACE_SECONDS)
    for child in children:
        _signal(child, signal.SIGKILL)
    await asyncio.gather(*waits)
    for child in children:
        child.ready_file.unlink(missing_ok=True)


def tail(log: Path, lines: int = TAIL_LINES) -> list[str]:
    """The last lines of a log."""
    try:
        return log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def _died(child: Child) -> ChildDied:
    code = child.process.returncode
    assert code is not None
    if code < 0:
        return ChildDied(child.name, f"was ended by {signal.Signals(-code).name}", child.log)
    return ChildDied(child.name, f"ended by itself with exit code {code}", child.log)


def _read_ready(path: Path) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return None


def _signal(child: Child, number: signal.Signals) -> None:
    """To the child's whole group, which may outlive the child."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)
