"""The one coroutine that moves the state: look at L1, seal, execute a group, sync, answer.

Callers, the watch on L1 and posting only leave notes for it and wake it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import structlog
from msgspec import Struct

from node.clock import Clock
from node.errors import Halt, Rewind
from node.sequencing.agreement import Agreement
from node.sequencing.answers import ClientOrderIdUsed
from node.sequencing.history import History
from node.sequencing.intake import Intake, Parcel, Pending, Unavailable, UnavailableReason
from node.sequencing.l1_view import L1View
from node.signers.known import KnownSigners
from node.view import FillFeed, NotAttempted, SequencedReceipt, UpdateFeed
from sequencer.sealing import BatchFigures, SealingPolicy, seal_reason
from state.execution import Receipt
from state.status import Status
from state.store import Fill

log = structlog.get_logger(__name__)

RunBlocking = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs what blocks beside the event loop, and waits for it."""

ToldFill = tuple[int, int, Fill, int]
"""What a fill is told with: batch, time, and its number in the venue."""


class EngineConfig(Struct, frozen=True, kw_only=True):
    """`group_max` transactions share one sync, collected for `group_seconds`.

    At most `backlog_max` sealed batches wait for L1 before nothing new is taken.
    """

    policy: SealingPolicy = SealingPolicy()
    group_max: int = 256
    group_seconds: float = 0.002
    backlog_max: int = 64


class Engine:
    """Everything that happens to the venue happens in `cycle`.

    `durable` is the last batch whose sealing is on disk. `wake` asks for a cycle; `progress`
    and `synced`, each for one listener, tell that there was one.
    """

    def __init__(
        self,
        config: EngineConfig,
        history: History,
        view: L1View,
        agreement: Agreement,
        *,
        intake: Intake,
        fills: FillFeed,
        updates: UpdateFeed,
        clock: Clock,
        run_blocking: RunBlocking,
        signers: KnownSigners | None = None,
    ) -> None:
        self.config = config
        self.history = history
        self.sequencer = history.sequencer
        self.view = view
        self.agreement = agreement
        self.intake = intake
        self.fills = fills
        self.updates = updates
        self.wake = asyncio.Event()
        self.progress = asyncio.Event()
        self.synced = asyncio.Event()
        self.durable = history.sequencer.number
        self._followed = -1
        self._clock = clock
        self._run_blocking = run_blocking
        self._signers = signers
        self._resequence: tuple[int, str] | None = None
        self._opened_at: float | None = None
        self._items_since: float | None = None

    # --- what others ask of it ---

    @property
    def backlog(self) -> int:
        """Sealed batches that are not on L1."""
        return self.sequencer.number - self.agreement.safe

    @property
    def is_current(self) -> bool:
        """Whether all of L1 is known, and its batches are the ones that `safe` counts."""
        return self.view.is_caught_up and self._followed == self.view.version

    @property
    def is_backlogged(self) -> bool:
        return self.backlog >= self.config.backlog_max

    def resequence(self, number: int, why: str) -> None:
        """L1 will not take batch `number`: put its transactions into other ones."""
        self._resequence = (number, why)
        self.wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; the cycle in progress is finished."""
        while not stop.is_set():
            await self.wake.wait()
            self.wake.clear()
            if len(self.intake) and not self.intake.fills(self.config.group_max):
                await self._clock.sleep(self.config.group_seconds)
            await self.cycle()
            if self.intake.is_ready and not self.history.owed:
                self.wake.set()
            # A cycle that had nothing to write did not wait for the disk: let others run.
            await asyncio.sleep(0)

    async def cycle(self) -> None:
        """One round. Raises Halt where going on could lose money."""
        await self._follow_l1()
        if self.view.is_caught_up and self.view.head is not None:
            self.sequencer.advance_clock(self.view.head.timestamp)
            self._take_items()
            if self.history.owed:
                await self._settle()
            self._seal_if_due()
        # A trader's next transaction must not overtake one that is still owed a retry.
        count = 0 if self.history.owed else self.config.group_max
        await self._serve(self.intake.take(count))

    # --- L1 ---

    async def _follow_l1(self) -> None:
        """Undo or replace what L1 does not have, or will not take.

        Each batch that comes from L1 is put on disk, and others get their turn before the next.
        """
        try:
            while self.agreement.update():
                self.durable = min(self.durable, self.sequencer.number)
                self._forget_final()
                await self._sync([])
                await asyncio.sleep(0)
        except Rewind as error:
            log.warning("l1_view_void", reason=str(error))
            self.view.is_void, self.view.is_caught_up = True, False
            return
        self._followed = self.view.version
        if self._resequence is not None:
            (number, why), self._resequence = self._resequence, None
            if self.agreement.safe < number <= self.sequencer.number:
                log.warning("batches_resequenced", first=number, reason=why)
                self.history.rewind_to(number - 1)
        self.durable = min(self.durable, self.sequencer.number)
        if not self.sequencer.open:
            self._opened_at = None
        self._forget_final()

    def _forget_final(self) -> None:
        final = min(self.view.batches_until(self.view.finalized_block), self.agreement.safe)
        if final in self.sequencer.batches:
            self.history.forget(final)

    def _take_items(self) -> None:
        """Run what waits in the inbox, as far as the open batch can still take it."""
        waiting = self.view.items(self.sequencer.state.machine.inbox)
        while fitting := self.sequencer.fitting(waiting):
            self.history.take_items(fitting)
            waiting = waiting[len(fitting) :]
            if waiting:
                self._seal("items")
        if not waiting:
            self._items_since = None
        elif self._items_since is None:
            self._items_since = self._clock.monotonic()

    async def _settle(self) -> None:
        """Retry in order what a rewind took out of its batches.

        Stopped in the middle, it starts again: what was retried already is refused then,
        and leaves no trace. Fills are told again, in the batch they are in now.
        """
        owed, refused = self.history.owed, dict[str, int]()
        for start in range(0, len(owed), self.config.group_max):
            done: list[ToldFill] = []
            for tx, signature in owed[start : start + self.config.group_max]:
                self._seal_if_full()
                receipt = self.history.submit(tx, signature)
                done += self._fills_of(receipt)
                if not receipt.steps:
                    reason = receipt.status.name
                    refused[reason] = refused.get(reason, 0) + 1
                    log.warning("retry_refused", signature=signature.hex(), reason=reason)
            await self._sync(done)
        self.history.settled()
        log.warning("transactions_retried", count=len(owed), refused=refused)

    # --- batches ---

    def _seal_if_due(self) -> None:
        opened, now = self.sequencer.open, self._clock.monotonic()
        if opened is None:
            self._opened_at = None
            return
        if self._opened_at is None:
            self._opened_at = now
        figures = BatchFigures(
            age=now - self._opened_at,
            payload_bytes=opened.payload.size_max,
            is_full=self.sequencer.is_full,
            item_wait=None if self._items_since is None else now - self._items_since,
        )
        reason = seal_reason(self.config.policy, figures)
        if reason is not None and not self.is_backlogged:
            self._seal(reason)
            self._take_items()

    def _seal_if_full(self) -> None:
        if self.sequencer.is_full:
            self._seal("full")

    def _seal(self, reason: str) -> None:
        batch = self.history.seal()
        self._opened_at = None
        log.info(
            "batch_sealed",
            number=batch.number,
            reason=str(reason),
            transactions=len(batch.rows),
            items=len(batch.items),
            bytes=batch.compressed_bytes,
            steps=batch.steps,
        )

    # --- transactions ---

    async def _serve(self, group: Sequence[Parcel]) -> None:
        """Execute a group, put it on disk, then answer."""
        answers: list[tuple[Pending, Receipt | Exception]] = []
        fills: list[ToldFill] = []
        if self._signers is not None:
            self._signers.expect(parcel.known for parcel in group)
        try:
            for parcel in group:
                for pending, answer in self._execute_parcel(parcel):
                    answers.append((pending, answer))
                    if isinstance(answer, Receipt):
                        fills += self._fills_of(answer)
            await self._sync(fills)
        except BaseException as error:
            for parcel in group:
                parcel.fail(Halt(f"the sequencer stopped before this was on disk: {error}"))
            raise
        for pending, answer in answers:
            if isinstance(answer, Receipt):
                pending.receive(answer)
            else:
                pending.fail(answer)

    def _execute_parcel(self, parcel: Parcel) -> Iterator[tuple[Pending, Receipt | Exception]]:
        has_stopped = False
        for pending in parcel.pendings:
            if has_stopped:
                yield pending, NotAttempted()
                continue
            answer = self._execute(pending)
            has_stopped = parcel.stops is not None and parcel.stops(pending.tx, answer)
            yield pending, answer

    def _execute(self, pending: Pending) -> Receipt | Exception:
        """What was executed before has the answer it had; the rest is executed now."""
        tx, signature, name = pending.tx, pending.signature, pending.client_order_id
        try:
            known = self.history.answers.find(tx, signature, name, pending.row)
        except ClientOrderIdUsed as error:
            return error
        if known is not None:
            return known
        if self.sequencer.is_full:
            if self.is_backlogged:
                return backlogged(self.backlog)
            self._seal("full")
        receipt = self.history.submit(tx, signature, name, pending.row)
        if receipt.status == Status.SEQUENCE_USED:
            # Verified, so whoever signed it may know: the key has signed it twice over.
            return self.history.answers.repeated(tx) or receipt
        return receipt

    def _fills_of(self, receipt: Receipt) -> list[ToldFill]:
        """The fills to tell; those of a resubmission were told."""
        if not receipt.fills or (isinstance(receipt, SequencedReceipt) and receipt.resubmission):
            return []
        batch, time = self.sequencer.number + 1, self.sequencer.state.machine.time
        first = self.history.fills - len(receipt.fills) + 1
        return [(batch, time, fill, first + at) for at, fill in enumerate(receipt.fills)]

    async def _sync(self, fills: Sequence[ToldFill]) -> None:
        """Put on disk what was done; only then does anybody hear of it."""
        if not self.history.journal.is_synced:
            await self._run_blocking(self.history.journal.sync)
            self.history.answers.synced()
        self.durable = self.sequencer.number
        self.progress.set()
        self.synced.set()
        for told in fills:
            self.fills.publish(*told)
        self.history.news.publish(self.sequencer.state, self.updates)


def backlogged(count: int) -> Unavailable:
    return Unavailable(
        UnavailableReason.BACKLOG,
        f"{count} batches wait for L1; send it again when L1 takes them",
    )
