"""Getting sealed batches onto L1, in order, whatever L1 says meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from msgspec import Struct

from node.clock import Clock
from node.errors import L1Error, Retry
from node.poster import Posted, Poster, posted_hash
from node.sequencing.engine import Engine
from sequencer.batches import SealedBatch
from sequencer.posting import Post, PostingLimits, Resequence, Wait, posting_move

log = structlog.get_logger(__name__)

PAUSE_MAX = 5.0


Outcome = Posted | Resequence | Wait | Retry | L1Error
"""What became of a batch that was sent, or that L1 did not take."""


class _Sent(Struct, frozen=True):
    """The block that took the last batch, and how often L1 had gone back before it did."""

    block: int
    rewinds: int


@dataclass(slots=True, eq=False)
class _Flight:
    """A batch on its way: the hash that L1 will give it, and whether L1 has it waiting.

    One that is not `is_sound` would be void on L1. Behind it a later one would use up sequence
    numbers above those of the transactions that must then be retried.
    """

    batch: SealedBatch
    hash: bytes
    is_sound: bool
    is_taken: bool = False
    task: asyncio.Task[Outcome] = field(init=False)

    @property
    def outcome(self) -> Outcome:
        if self.task.done() and not self.task.cancelled():
            return self.task.result()
        return Retry("L1 went back while it was on its way")


class Posting:
    """Posts what the engine has sealed and put on disk.

    It goes in series. The first batch of one follows what L1 shows, up to `ahead` - 1 others
    are sent behind it while L1 has not taken it, and the next series waits until the fate of
    each is known. L1 takes a batch behind its own parent alone, so where one of a series is
    not taken, none behind it is, and the next series begins with it.
    """

    def __init__(
        self,
        engine: Engine,
        poster: Poster,
        limits: PostingLimits,
        *,
        clock: Clock,
        pause_seconds: float,
        hurry: Callable[[], None],
        ahead: int = 1,
    ) -> None:
        """`hurry` asks for a look at L1 right away."""
        self.problem = ""
        self._engine = engine
        self._poster = poster
        self._limits = limits
        self._clock = clock
        self._pause_first = self._pause = pause_seconds
        self._hurry = hurry
        self._ahead = ahead
        self._sent: _Sent | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises Halt where L1 will never take our batches."""
        while not stop.is_set():
            batch = self.next_batch()
            if batch is None:
                await self._engine.progress.wait()
                self._engine.progress.clear()
            elif not await self.step(batch):
                await self._clock.sleep(self._pause)
                self._pause = min(2 * self._pause, PAUSE_MAX)
            else:
                self._pause = self._pause_first

    async def step(self, batch: SealedBatch) -> bool:
        """Post a series that begins with `batch`.

        False where L1 did not take that one, and a pause is worth it before the next try.
        """
        move = self._move(batch)
        if not isinstance(move, Post):
            self._refused(batch, move)
            return False
        rewinds = self._engine.view.rewinds
        flights = await self._fly(batch)
        for flight in flights:
            outcome = flight.outcome
            if not isinstance(outcome, Posted):
                self._refused(flight.batch, outcome, is_first=flight is flights[0])
                return flight is not flights[0]
            self._sent = _Sent(outcome.block, rewinds)
            self.problem = ""
            self._hurry()
            number = flight.batch.number
            log.info("batch_posted", number=number, block=outcome.block, gas=outcome.gas)
        return True

    def next_batch(self) -> SealedBatch | None:
        """The first batch that is on disk and not on L1, once all before it are seen there."""
        view, sent = self._engine.view, self._sent
        if sent and sent.block > view.scanned and sent.rewinds == view.rewinds:
            return None  # first see what L1 made of it
        return self._batch(self._engine.agreement.safe + 1)

    def _batch(self, number: int) -> SealedBatch | None:
        """Batch `number`, if it can be posted now."""
        engine = self._engine
        if not engine.is_current or engine.view.mark is None or number > engine.durable:
            return None
        batch = engine.sequencer.batches.get(number)
        return None if batch is None or batch.adopted else batch

    # --- a series ---

    async def _fly(self, first: SealedBatch) -> list[_Flight]:
        """Send `first`, and others behind it while it is on its way; until none is."""
        agreement, progress = self._engine.agreement, self._engine.progress
        parent, rewinds = agreement.parent, self._engine.view.rewinds
        flights = [self._launch(first, parent)]
        try:
            while not all(one.task.done() for one in flights):
                has_gone_back = self._engine.view.rewinds != rewinds
                if has_gone_back and flights[0].task.done():
                    break  # the others may wait for ever for what L1 took back
                is_open = not has_gone_back and agreement.parent == parent
                behind = self._behind(flights) if is_open else None
                if behind is None:
                    await progress.wait()
                    progress.clear()
                else:
                    flights.append(self._launch(behind, flights[-1].hash, is_ahead=True))
        finally:
            for one in flights:
                one.task.cancel()
            await asyncio.gather(*(one.task for one in flights), return_exceptions=True)
        return flights

    def _behind(self, flights: list[_Flight]) -> SealedBatch | None:
        """The batch to send behind `flights`, if there is one and L1 is sure to run them all."""
        if len(flights) >= self._ahead or any(one.task.done() for one in flights):
            return None
        last = flights[-1]
        is_ours = self._engine.sequencer.batches.get(last.batch.number) is last.batch
        if not (last.is_taken and last.is_sound and is_ours):
            return None
        batch = self._batch(last.batch.number + 1)
        return batch if batch is not None and isinstance(self._move(batch), Post) else None

    def _launch(self, batch: SealedBatch, parent: bytes, *, is_ahead: bool = False) -> _Flight:
        origin, progress = self._engine.view.mark, self._engine.progress
        assert origin is not None
        is_sound = self._ahead > 1 and self._poster.is_sound(batch)
        flight = _Flight(batch, posted_hash(batch, origin, parent), is_sound)

        def taken() -> None:
            flight.is_taken = True
            progress.set()

        async def outcome() -> Outcome:
            try:
                return await self._poster.post(
                    batch, origin, parent, is_ahead=is_ahead, taken=taken
                )
            except (Retry, L1Error) as error:
                return error
            finally:
                progress.set()

        flight.task = asyncio.create_task(outcome())
        return flight

    # --- one batch ---

    def _move(self, batch: SealedBatch) -> Post | Resequence:
        view, content = self._engine.view, batch.content
        assert view.head is not None
        left_out = view.items(content.inbox_to, content.inbox_to + 1)
        return posting_move(
            batch,
            l1_time=view.head.timestamp,
            next_item=left_out[0] if left_out else None,
            limits=self._limits,
        )

    def _refused(self, batch: SealedBatch, outcome: Outcome, *, is_first: bool = True) -> None:
        """Tell it. What is refused behind another one may be so for that reason alone."""
        why = outcome.why if isinstance(outcome, Resequence | Wait) else str(outcome)
        if isinstance(outcome, Resequence) and is_first:
            self._engine.resequence(batch.number, why)
        self.problem = f"batch {batch.number} is not on L1: {why}"
        log.warning("batch_not_posted", number=batch.number, reason=why)
