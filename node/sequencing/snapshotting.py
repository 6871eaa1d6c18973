"""Writing snapshots beside everything else the sequencer does."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog

from node.errors import Halt
from node.sequencing.history import History
from node.sequencing.l1_view import L1Base

log = structlog.get_logger(__name__)


class Snapshotting:
    """Writes a snapshot whenever one is due; it looks when `wake` is set.

    That one cannot be written is a problem to be told, and no reason to stop the venue: a
    restart takes longer then.
    """

    def __init__(
        self,
        history: History,
        run_blocking: Callable[[Callable[[], Any]], Awaitable[Any]],
        wake: asyncio.Event,
        base_for: Callable[[int], L1Base | None],
    ) -> None:
        """`base_for` says from where on a restart behind a batch must read L1."""
        self.problem = ""
        self._base_for = base_for
        self.wake = wake
        self._history = history
        self._run_blocking = run_blocking
        self._failed_at = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a write in progress is finished."""
        while not stop.is_set():
            await self.wake.wait()
            self.wake.clear()
            await self.step()

    async def step(self) -> bool:
        """Write a snapshot if one is due; whether it was written."""
        history, snapshots = self._history, self._history.snapshots
        # The place in the journal that a snapshot names must be on disk before it is.
        if snapshots is None or not snapshots.is_due or not history.journal.is_synced:
            return False
        # What failed is tried again with the next final batch, and not without end.
        if snapshots.next == self._failed_at:
            return False
        snapshot, final = snapshots.take(
            history.sequencer.contents,
            history.records,
            history.answers,
            history.tape,
            self._base_for(snapshots.next),
        )
        try:
            await self._run_blocking(partial(snapshots.store.write, snapshot))
        except (Halt, OSError) as error:
            snapshots.failed(final)
            tape = snapshot.tape
            history.tape.not_kept((place for place, _ in tape.rows), whole=tape.whole)
            self._failed_at = snapshot.head.number
            self.problem = f"no snapshot could be written, so a restart takes longer: {error}"
            log.error("snapshot_failed", batch=snapshot.head.number, reason=str(error))
            return False
        snapshots.written(snapshot)
        self.problem = ""
        log.info("snapshot_written", batch=snapshot.head.number, leaves=len(snapshot.places))
        return True
