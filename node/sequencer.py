"""The sequencer service: takes transactions, seals batches, posts them, and follows L1.

The venue's clock is that of L1's last block. L1 refuses batches from its own future and
from too far in its past, so no other clock could stamp a transaction that is executed
before its batch is posted.
"""

import asyncio
from collections.abc import Sequence

import structlog
from msgspec import structs

from node.clock import Clock
from node.database import OpenDatabase, open_leveldb
from node.disk import Disk, SystemDisk
from node.errors import Halt
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.poster import Poster
from node.rollup import RollupReader, RollupTerms
from node.scanner import L1Scanner
from node.sequencing.agreement import Agreement
from node.sequencing.answers import Answers
from node.sequencing.config import SequencerConfig
from node.sequencing.engine import Engine, RunBlocking, backlogged
from node.sequencing.history import History
from node.sequencing.intake import Intake, Unavailable, UnavailableReason, outcomes, stopping
from node.sequencing.l1_view import L1Base, L1View
from node.sequencing.posting import Posting
from node.sequencing.recovery import Paths, recovered
from node.sequencing.snapshotting import Snapshotting
from node.sequencing.watch import NO_FINALITY, Watch
from node.signatures import recover
from node.signers.known import Signers, signers
from node.tape.tape import Tape
from node.view import BatchRecord, FillFeed, Heads, SignedTransaction, Stops, UpdateFeed
from sequencer.posting import PostingLimits
from state.authentication import Verifier
from state.commitment import Commitment
from state.execution import Receipt
from state.transactions import Transaction

log = structlog.get_logger(__name__)

__all__ = ["SequencerConfig", "SequencerService", "open_sequencer"]


class SequencerService:
    """The venue's only writer: `run` it, `submit` to it, read from it."""

    role = "sequencer"

    def __init__(
        self,
        config: SequencerConfig,
        terms: RollupTerms,
        history: History,
        *,
        reader: RollupReader,
        poster: Poster,
        clock: Clock,
        run_blocking: RunBlocking = asyncio.to_thread,
        signers: Signers | None = None,
    ) -> None:
        self.config = config
        self.domain, self.token, self.proof_system = terms.domain, terms.token, terms.proof_system
        self.state = history.sequencer.state
        self.fills, self.updates = FillFeed(), UpdateFeed(is_behind=lambda: history.news.is_due)
        self._clock = clock
        self._history = history
        self._signers = signers
        self._intake = Intake(config.queue_max, signers.pool.ask if signers else None)
        self._view = L1View(history.l1_base)
        self._agreement = Agreement(self.domain, history, self._view)
        self.engine = Engine(
            config.engine,
            history,
            self._view,
            self._agreement,
            intake=self._intake,
            fills=self.fills,
            updates=self.updates,
            clock=clock,
            run_blocking=run_blocking,
            signers=signers.known if signers else None,
        )
        self._scanner = L1Scanner(
            reader,
            first=terms.deployed_at,
            confirmations=config.confirmations,
            base=history.l1_base.read_to,
        )
        self.watch = Watch(
            reader,
            self._scanner,
            self._view,
            clock=clock,
            poll_seconds=config.poll_seconds,
            changed=self.engine.wake.set,
        )
        self.posting = Posting(
            self.engine,
            poster,
            _posting_limits(terms),
            clock=clock,
            pause_seconds=config.poll_seconds,
            hurry=self.watch.hurry.set,
            ahead=config.posting_ahead,
        )
        self.snapshotting = Snapshotting(history, run_blocking, self.engine.synced, self._l1_base)
        self._failure: Halt | None = None
        self._is_stopping = False

    # --- writing ---

    async def submit(self, tx: Transaction, signature: bytes, client_order_id: str = "") -> Receipt:
        """The receipt, once the transaction is on disk; a `SequencedReceipt` if it is in a batch.

        Unavailable, which is a Retry, while nothing is taken; Halt when nothing ever will be;
        ClientOrderIdUsed where the id names another transaction.
        """
        (answer,) = self.hand_in([SignedTransaction(tx, signature, client_order_id)])
        return await answer

    async def submit_batch(
        self, batch: Sequence[SignedTransaction], *, stops: Stops | None = None
    ) -> list[Receipt | Exception]:
        """As `VenueWriter.submit_batch`. Unavailable or Halt where none of it was taken."""
        return await outcomes(self.hand_in(batch, stops=stops))

    def hand_in(
        self, batch: Sequence[SignedTransaction], *, stops: Stops | None = None
    ) -> Sequence[asyncio.Future[Receipt]]:
        """As `VenueWriter.hand_in`."""
        self._check_open()
        pendings = self._intake.put_batch(batch, stops)
        self.engine.wake.set()
        return [pending.answer for pending in pendings]

    def _check_open(self) -> None:
        if self._failure is not None:
            raise self._failure
        unavailable = self._unavailable()
        if unavailable is not None:
            raise unavailable

    def _unavailable(self) -> Unavailable | None:
        if self._is_stopping:
            return stopping()
        if not self._view.is_caught_up:
            detail = "the sequencer still reads L1; send it again in a moment"
            return Unavailable(UnavailableReason.CATCHING_UP, detail)
        if self.watch.silence > self.config.silence_seconds:
            detail = (
                f"L1 has not answered for {self.watch.silence:.0f} s, so the clock stands still"
            )
            return Unavailable(UnavailableReason.L1_SILENT, detail)
        if self.engine.is_backlogged:
            return backlogged(self.engine.backlog)
        return None

    def _l1_base(self, number: int) -> L1Base | None:
        return self._agreement.base_for(number, self._scanner.marks)

    # --- reading ---

    @property
    def answers(self) -> Answers:
        """What became of the last transactions."""
        return self._history.answers

    @property
    def tape(self) -> Tape:
        """What happened, for readers."""
        return self._history.tape

    @property
    def heads(self) -> Heads:
        safe, head = self._agreement.safe, self._view.head
        return Heads(
            # A batch taken over from L1 is kept there, before our own disk has it.
            unsafe=max(safe, self.engine.durable),
            safe=safe,
            finalized=min(safe, self._view.batches_until(self._view.finalized_block)),
            confirmed=min(safe, self._view.confirmed),
            l1_block=head.number if head is not None else 0,
        )

    def commitment(self) -> Commitment:
        """Trees and root of the state as it stands, the open batch included."""
        return self._history.sequencer.commitment()

    def batch(self, number: int) -> BatchRecord | None:
        """A sealed batch; with its place on L1 once it has one."""
        if not 0 < number <= len(self._history.records):
            return None
        record = self._history.records[number - 1]
        posted = self._agreement.posted(number)
        if posted is None:
            return record
        return structs.replace(
            record,
            batch_hash=posted.batch_hash,
            posted_block=posted.block,
            posted_transaction=posted.transaction,
        )

    def problems(self) -> list[str]:
        """What keeps the venue from working as it should, each with its mend."""
        if self._failure is not None:
            return [str(self._failure)]
        found = []
        unavailable = self._unavailable()
        if unavailable is not None:
            found.append(str(unavailable))
        if self.watch.problem:
            found.append(f"L1 does not answer: {self.watch.problem}; check the endpoint")
        if self.watch.lacks_finality:
            found.append(NO_FINALITY)
        parts = (self.posting, self.snapshotting, self.tape)
        found += [part.problem for part in parts if part.problem]
        return found

    # --- running ---

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises Halt where going on could lose money."""
        if self._signers is None:
            await self._run(stop)
            return
        try:
            await self._signers.pool.start(self.engine.wake.set)
            await self._run(stop)
        finally:
            await self._signers.pool.close()

    async def _run(self, stop: asyncio.Event) -> None:
        ending = asyncio.Event()
        # These two finish what they are writing.
        writers = [
            asyncio.create_task(part)
            for part in (self.engine.run(ending), self.snapshotting.run(ending))
        ]
        others = [
            asyncio.create_task(part)
            for part in (
                self.watch.run(ending),
                self.posting.run(ending),
                self._tick(),
                stop.wait(),
            )
        ]
        try:
            await asyncio.wait([*writers, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._is_stopping = True
            ending.set()
            self.engine.wake.set()
            self.snapshotting.wake.set()
            for task in others:
                task.cancel()
            ended = await asyncio.gather(*writers, *others, return_exceptions=True)
            self._end([error for error in ended if isinstance(error, Exception)])
        if self._failure is not None:
            raise self._failure

    def _end(self, errors: list[Exception]) -> None:
        """Answer whoever still waits, and close the journal and the snapshots."""
        for error in errors:
            log.error("sequencer_failed", exc_info=error)
        if errors:
            halt = next((error for error in errors if isinstance(error, Halt)), None)
            self._failure = halt or Halt(
                f"the sequencer failed and must be restarted: {errors[0]!r}"
            )
        self._intake.fail(self._failure or stopping())
        journal, snapshots = self._history.journal, self._history.snapshots
        if snapshots is not None:
            snapshots.store.close()
        if errors and not journal.is_synced:
            # Whoever sent what is in it was told that it is not on disk.
            journal.abandon()
            return
        try:
            journal.close()
        except Halt as error:
            self._failure = self._failure or error

    async def _tick(self) -> None:
        """Time alone can make a batch due."""
        while True:
            await self._clock.sleep(self.config.tick_seconds)
            self.engine.wake.set()


def _posting_limits(terms: RollupTerms) -> PostingLimits:
    parameters = terms.parameters
    return PostingLimits(inbox_delay=parameters.inbox_delay, time_lag_max=parameters.time_lag_max)


async def open_sequencer(
    config: SequencerConfig,
    client: L1Client,
    key: bytes,
    clock: Clock,
    *,
    disk: Disk | None = None,
    open_database: OpenDatabase = open_leveldb,
    run_blocking: RunBlocking = asyncio.to_thread,
) -> SequencerService:
    """The service over a rollup on L1, its snapshot loaded and the journal replayed from there.

    `key` signs what is posted. Raises Halt where key, settings, journal or snapshots do not
    belong to this rollup.
    """
    reader = RollupReader(client, config.rollup)
    terms = await reader.deployment()
    sender = TransactionSender(client, key, clock, chain_id=terms.chain_id)
    if sender.address != terms.sequencer:
        raise Halt(
            f"the rollup takes batches from 0x{terms.sequencer.hex()}, the key given is that of "
            f"0x{sender.address.hex()}: start the node with the key of the rollup's sequencer"
        )
    if not config.engine.policy.is_within(terms.parameters.time_lag_max):
        raise Halt(
            f"batches are sealed after {config.engine.policy.age_max} s, and this rollup takes "
            f"none older than {terms.parameters.time_lag_max} s: seal within an eighth of that"
        )
    paths = Paths(config.journal, config.snapshots)
    ahead = signers(terms.domain, config.signature_workers)
    verifier = Verifier(terms.domain, ahead.known.recover if ahead else recover)
    history = await run_blocking(
        lambda: recovered(
            paths, config.snapshot_policy, verifier, disk or SystemDisk(), open_database
        )
    )
    poster = Poster(sender, config.rollup, corrupt=config.corrupt_batch)
    return SequencerService(
        config,
        terms,
        history,
        reader=reader,
        poster=poster,
        clock=clock,
        run_blocking=run_blocking,
        signers=ahead,
    )
