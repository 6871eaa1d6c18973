"""Messages between processes that are late, lost or doubled, and so overtake each other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from node.simulation.faults import Faults
from node.simulation.trace import Trace

Answer = TypeVar("Answer")

TIMEOUT = 8.0
"""Seconds until whoever asked stops waiting for an answer."""


class Network:
    """Carries questions and answers. A link is named by who asks."""

    def __init__(self, faults: Faults, trace: Trace) -> None:
        self._faults = faults
        self._trace = trace
        self._random = faults.random("network")
        self._cut: dict[str, float] = {}
        self._late: set[asyncio.Task[None]] = set()

    def cut(self, link: str, seconds: float) -> None:
        """Nothing passes for so long."""
        self._cut[link] = asyncio.get_running_loop().time() + seconds
        self._trace.fault("link cut", link, seconds=seconds)

    async def ask(
        self, link: str, serve: Callable[[], Awaitable[Answer]], *, twice: bool = False
    ) -> Answer:
        """What `serve` answers. `twice`: it may be asked again by a copy of the message.

        TimeoutError where question or answer was lost or too late.
        """
        there, back = self._delay(link), self._delay(link)
        if twice and self._faults.strikes(self._faults.rates.doubled):
            self._again(link, serve, there + self._delay(link) * 20)
        if there >= TIMEOUT:
            await asyncio.sleep(TIMEOUT)
            raise TimeoutError
        await asyncio.sleep(there)
        started = asyncio.get_running_loop().time()
        async with asyncio.timeout(TIMEOUT - there):
            answer = await serve()
        passed = asyncio.get_running_loop().time() - started
        if there + passed + back >= TIMEOUT:
            await asyncio.sleep(max(0.0, TIMEOUT - there - passed))
            raise TimeoutError
        await asyncio.sleep(back)
        return answer

    def _delay(self, link: str) -> float:
        """Seconds; TIMEOUT for a message that never arrives."""
        faults, rates = self._faults, self._faults.rates
        usual = self._random.uniform(0.001, 0.03)
        if faults.is_on and self._cut.get(link, 0.0) > asyncio.get_running_loop().time():
            return TIMEOUT
        if faults.strikes(rates.lost):
            self._trace.fault("message lost", link)
            return TIMEOUT
        if faults.strikes(rates.slow):
            self._trace.fault("message slow", link)
            return self._random.uniform(0.1, 1.5 * TIMEOUT)
        return usual

    def _again(self, link: str, serve: Callable[[], Awaitable[Answer]], delay: float) -> None:
        async def later() -> None:
            await asyncio.sleep(delay)
            try:
                await serve()
            except Exception as error:
                # Whoever asked has had an answer already; nobody hears this one.
                self._trace.add(link, "copy refused", why=type(error).__name__)

        self._trace.fault("message doubled", link)
        task = asyncio.create_task(later())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
