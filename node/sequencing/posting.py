"""Getting sealed batches onto L1, in order, whatever L1 says meanwhile."""

import asyncio
from collections.abc import Callable

import structlog
from msgspec import Struct

from node.clock import Clock
from node.errors import L1Error, Retry
from node.poster import Posted, Poster
from node.sequencing.engine import Engine
from sequencer.batches import SealedBatch
from sequencer.posting import Post, PostingLimits, Resequence, Wait, posting_move

log = structlog.get_logger(__name__)

PAUSE_MAX = 5.0


class _Sent(Struct, frozen=True):
    """The block that took the last batch, and how often L1 had gone back before it did."""

    block: int
    rewinds: int


class Posting:
    """Posts what the engine has sealed and put on disk."""

    def __init__(
        self,
        engine: Engine,
        poster: Poster,
        limits: PostingLimits,
        *,
        clock: Clock,
        pause_seconds: float,
        hurry: Callable[[], None],
    ) -> None:
        """`hurry` asks for a look at L1 right away."""
        self.problem = ""
        self._engine = engine
        self._poster = poster
        self._limits = limits
        self._clock = clock
        self._pause_first = self._pause = pause_seconds
        self._hurry = hurry
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
        """Try to post `batch`; False where it is worth a pause before the next try."""
        rewinds = self._engine.view.rewinds
        try:
            move = await self._tried(batch)
        except (Retry, L1Error) as error:
            self._tell(batch, str(error))
            return False
        if isinstance(move, Posted):
            self._sent = _Sent(move.block, rewinds)
            self.problem = ""
            self._hurry()
            log.info("batch_posted", number=batch.number, block=move.block, gas=move.gas)
            return True
        if isinstance(move, Resequence):
            self._engine.resequence(batch.number, move.why)
        self._tell(batch, move.why)
        return False

    def next_batch(self) -> SealedBatch | None:
        """The first batch that is on disk and not on L1, once all before it are seen there."""
        engine, view, sent = self._engine, self._engine.view, self._sent
        if sent and sent.block > view.scanned and sent.rewinds == view.rewinds:
            # First see what L1 made of it. Were it void, a later batch on L1 would use up
            # sequence numbers above those of the transactions that must then be retried.
            return None
        number = engine.agreement.safe + 1
        if not engine.is_current or view.mark is None or number > engine.durable:
            return None
        batch = engine.sequencer.batches.get(number)
        return None if batch is None or batch.adopted else batch

    async def _tried(self, batch: SealedBatch) -> Posted | Resequence | Wait:
        view, content = self._engine.view, batch.content
        assert view.head is not None and view.mark is not None
        left_out = view.items(content.inbox_to, content.inbox_to + 1)
        move = posting_move(
            batch,
            l1_time=view.head.timestamp,
            next_item=left_out[0] if left_out else None,
            limits=self._limits,
        )
        if not isinstance(move, Post):
            return move
        return await self._poster.post(batch, view.mark, self._engine.agreement.parent)

    def _tell(self, batch: SealedBatch, why: str) -> None:
        self.problem = f"batch {batch.number} is not on L1: {why}"
        log.warning("batch_not_posted", number=batch.number, reason=why)
