"""Time that moves only when someone sleeps on it or a test says so."""

import asyncio


class FakeClock:
    """Sleeping moves the clock and returns at once; `slept` lists every wait."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._start = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now - self._start

    def advance(self, seconds: float) -> None:
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        # Others must get their turn, or a loop of sleeps would starve the server it waits for.
        await asyncio.sleep(0)


class TickingClock(FakeClock):
    """Sleepers wait until a test calls `tick`; the clock moves by what they asked for."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        super().__init__(now)
        self._ticks: asyncio.Queue[None] = asyncio.Queue()

    def tick(self) -> None:
        self._ticks.put_nowait(None)

    async def sleep(self, seconds: float) -> None:
        await self._ticks.get()
        self.slept.append(seconds)
        self.advance(seconds)
