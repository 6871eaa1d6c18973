"""An event loop whose time jumps to the next timer when nothing else is left to do."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START = 1_800_000_000
"""Seconds since 1970 at which every simulation begins."""

STUCK_TURNS = 100_000
"""Turns of the loop without time moving on, after which it never will."""


class Deadlock(Exception):
    """Everybody waits, and nothing will ever happen."""


class Livelock(Exception):
    """Everybody is busy, and time does not move on; or the story never ends."""


class _NoWaiting(selectors.SelectSelector):
    """Instead of waiting for files and sockets, of which there are none, moves the time."""

    def __init__(self, wait: Callable[[float | None], None]) -> None:
        super().__init__()
        self._wait = wait

    def select(self, timeout: float | None = None) -> list[Any]:
        self._wait(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs as fast as it can. Deadlock, Livelock after `turns_max` turns."""

    def __init__(self, turns_max: int) -> None:
        self._now = 0.0
        self._stuck = 0
        self._turns_max = turns_max
        self.turns = 0
        super().__init__(_NoWaiting(self._wait))

    def time(self) -> float:
        return self._now

    def _wait(self, timeout: float | None) -> None:
        self.turns += 1
        if self.turns > self._turns_max:
            raise Livelock(f"the story is not over after {self._turns_max} turns of its loop")
        if timeout is None:
            raise Deadlock("nothing is ready and nobody waits for a time")
        if timeout > 0:
            self._stuck = 0
            self._now += timeout
            return
        self._stuck += 1
        if self._stuck > STUCK_TURNS:
            raise Livelock(f"time stood still for {STUCK_TURNS} turns of the loop")


class VirtualClock:
    """The loop's time as a node's clock."""

    def now(self) -> float:
        return START + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtual(main: Coroutine[Any, Any, T], *, turns_max: int = 2_000_000) -> T:
    """Run `main` to its end in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(turns_max)) as runner:
        return runner.run(main)
