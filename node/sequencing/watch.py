"""Keeping the view of L1 up to date."""

import asyncio
from collections.abc import Callable

import structlog

from node.clock import Clock
from node.errors import L1Error, Retry, Rewind
from node.rollup import RollupReader
from node.scanner import L1Scanner
from node.sequencing.l1_view import L1View

log = structlog.get_logger(__name__)

NO_FINALITY = (
    "L1 names no block `finalized`: no snapshot is taken and no batch is forgotten, so memory "
    "grows and a restart takes longer; nothing else is wrong. Use an L1 endpoint that knows the tag"
)


class Watch:
    """Polls L1 and feeds the view; `changed` is called after every look.

    Setting `hurry` cuts the pause before the next look short. `lacks_finality` says that L1
    named no final block at the last look.
    """

    def __init__(
        self,
        reader: RollupReader,
        scanner: L1Scanner,
        view: L1View,
        *,
        clock: Clock,
        poll_seconds: float,
        changed: Callable[[], None],
    ) -> None:
        self.problem = ""
        self.lacks_finality = False
        self.hurry = asyncio.Event()
        self._reader = reader
        self._scanner = scanner
        self._view = view
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._changed = changed
        self._seen_at = clock.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since L1 last answered."""
        return self._clock.monotonic() - self._seen_at

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            try:
                await self.look()
                self.problem = ""
            except (Retry, L1Error) as error:
                if not self.problem:
                    log.warning("l1_silent", reason=str(error))
                self.problem = str(error)
            except Rewind as error:
                log.warning("l1_view_void", reason=str(error))
                self._view.is_void, self._view.is_caught_up = True, False
            await self._pause()

    async def look(self) -> None:
        """Read L1 to its end.

        Raises Retry and L1Error where it does not answer, Rewind where it does not fit what
        it said before.
        """
        while True:
            if self._view.is_void:
                self._scanner.forget()
                self._view.clear()
            head = await self._reader.block("latest")
            finalized = await self._finalized()
            scan = await self._scanner.poll()
            counts = None
            if scan.is_caught_up and scan.mark is not None:
                counts = await self._reader.counts(scan.mark.hash)
            self._view.take(scan)
            missing = counts.difference(self._view.counts) if counts is not None else ""
            if missing:
                raise Rewind(f"{missing}; it is read again")
            self._view.head = head
            # Behind a shorter branch, or an endpoint that lags, what was final still is.
            self._view.finalized_block = max(self._view.finalized_block, finalized)
            self._seen_at = self._clock.monotonic()
            self._changed()
            if scan.is_caught_up:
                return

    async def _pause(self) -> None:
        waits = [
            asyncio.ensure_future(self._clock.sleep(self._poll_seconds)),
            asyncio.ensure_future(self.hurry.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self.hurry.clear()

    async def _finalized(self) -> int:
        """The last final block; zero where L1 knows none."""
        try:
            block = await self._reader.client.block("finalized")
        except L1Error:
            # An L1 without the tag has nothing that it calls final.
            block = None
        self.lacks_finality = block is None
        return 0 if block is None else block.number
