"""The only place that reads the clock of the machine or waits on it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as an argument, so that a test can hand in its own."""

    def now(self) -> float:
        """Seconds since 1970; may jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start; never goes back. For measuring waits."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after at least `seconds` of this clock."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()  # noqa: TID251 - this is the one reading every other module is given

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
