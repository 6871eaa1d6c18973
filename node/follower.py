"""The follower: reaches the venue's state from an L1 URL and the rollup's address alone."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import structlog
from msgspec import Struct

from node.clock import Clock
from node.database import OpenDatabase, open_leveldb
from node.errors import Halt, L1Error, Retry
from node.followed import Followed
from node.kept_venue import KeptVenue
from node.l1.client import L1Client, Patience
from node.made_claims import made_claims, paid
from node.rollup import RollupFault, RollupReader, WrongRollup
from node.rollup_events import RollupEvent
from node.scanner import L1Scanner, Mark
from node.snapshot_policy import SnapshotPolicy
from node.stopping import run_until
from node.tape.tape import Tape
from node.view import (
    BatchRecord,
    ClaimRecord,
    FillFeed,
    Heads,
    MadeClaim,
    PaymentRecord,
    UpdateFeed,
)
from prover.derivation import Inconsistent, InconsistentReason
from state.commitment import Commitment, Committer
from state.crypto import ZERO_ADDRESS
from state.eip712 import domain
from state.memory import MemoryState

log = structlog.get_logger(__name__)

FOLDER = "l1-events"
# The service comes back by itself, and must be able to tell of its trouble meanwhile.
ONE_TRY = Patience(answer=30.0, question=0.0)


class FollowerConfig(Struct, frozen=True, kw_only=True):
    """`chain_id` is checked where it is given. `check_invariants` recomputes every sum of the
    venue after every batch. Blocks less than `confirmations` under L1's head are left alone.
    """

    l1_url: str
    rollup: bytes
    data_directory: Path
    poll_seconds: float = 1.0
    chain_id: int | None = None
    confirmations: int = 0
    check_invariants: bool = True
    snapshot_policy: SnapshotPolicy = SnapshotPolicy()
    signature_workers: int = 0


class FollowerService:
    """A `VenueView` and a `SettlementView` of what L1 says.

    Until `ready` is set the venue looks empty and its chain id is zero: nothing is known
    before L1, or the data directory, was read for the first time.
    """

    role = "follower"

    def __init__(
        self,
        config: FollowerConfig,
        clock: Clock,
        *,
        client: L1Client | None = None,
        open_database: OpenDatabase = open_leveldb,
    ) -> None:
        self.config = config
        self.clock = clock
        self.client = client or L1Client(config.l1_url, clock=clock, patience=ONE_TRY)
        self._open_database = open_database
        self.reader = RollupReader(self.client, config.rollup)
        self.ready = asyncio.Event()
        self.domain = domain(0, config.rollup)
        self.token = ZERO_ADDRESS
        self.proof_system = ""
        self._no_state = MemoryState()
        self.heads = Heads()
        self.fills = FillFeed()
        self.updates = UpdateFeed()
        self._kept: KeptVenue | None = None
        self._no_tape = Tape()
        self._scanner: L1Scanner | None = None
        self._is_checked = False
        self._trouble = ""
        self._distrusted = ""
        self._finalized_block = -1

    # --- VenueView and SettlementView ---

    @property
    def followed(self) -> Followed | None:
        """All that is known; None before `ready`."""
        return self._kept.followed if self._kept else None

    @property
    def state(self) -> MemoryState:
        """As it stands after the last batch; whoever is told of a change reads this one."""
        return self.followed.replayer.state if self.followed else self._no_state

    @property
    def tape(self) -> Tape:
        """What happened, for readers."""
        return self.followed.tape if self.followed else self._no_tape

    def commitment(self) -> Commitment:
        if self.followed is None:
            return Committer(self.state).commit()
        return self.followed.replayer.commitment()

    def batch(self, number: int) -> BatchRecord | None:
        found = self.followed.batch(number) if self.followed else None
        return found.record if found else None

    def claim(self, batch: int) -> ClaimRecord | None:
        return self.followed.claim_record(batch) if self.followed else None

    def payment(self, index: int) -> PaymentRecord | None:
        return self.followed.payment_record(index) if self.followed else None

    def claims_on(self, batch: int) -> list[MadeClaim]:
        return made_claims(self.followed, batch) if self.followed else []

    def paid(self, withdrawals: int) -> int:
        return paid(self.followed, withdrawals) if self.followed else 0

    def problems(self) -> list[str]:
        trouble = [self._trouble] if self._trouble else []
        if self._distrusted:
            trouble.append(
                f"L1_READ_AGAIN: {self._distrusted}; until that is done this node shows less "
                "than there is"
            )
        if self.tape.problem:
            trouble.append(self.tape.problem)
        return trouble + (self.followed.problems() if self.followed else [])

    def kept_events(self, since: int = 0) -> Iterator[RollupEvent]:
        """What happened so far from block `since` on, as it is kept on disk. StoreDamaged where
        that changed.
        """
        return self._kept.store.since(since) if self._kept is not None else iter(())

    def earlier_state(self, number: int) -> MemoryState | None:
        """As `KeptVenue.earlier_state`, which says what to check."""
        return self._kept.earlier_state(number) if self._kept is not None else None

    @property
    def scanned(self) -> int:
        """The L1 block up to which everything was read; 0 before `ready`."""
        return self._scanner.scanned if self._scanner is not None else 0

    @property
    def is_behind(self) -> bool:
        """Whether L1 did not answer, or lacks what was final, at the last look."""
        return bool(self._trouble)

    # --- running ---

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set. Raises Halt where going on would be wrong."""
        try:
            await run_until(stop, self._follow())
        except Halt as halt:
            self._trouble = str(halt)
            log.error("the node stops", problem=str(halt))
            raise
        finally:
            await self.close()

    async def _follow(self) -> None:
        await self.open()
        while True:
            if await self.attempt():
                await self.clock.sleep(self.config.poll_seconds)

    async def open(self) -> None:
        """Execute what the data directory holds. That L1 may be away does not matter yet."""
        self._kept = KeptVenue(
            self.config.data_directory / FOLDER,
            check=self.config.check_invariants,
            fills=self.fills,
            updates=self.updates,
            clock=self.clock,
            open_database=self._open_database,
            policy=self.config.snapshot_policy,
            signature_workers=self.config.signature_workers,
        )
        await self._kept.load(self.config.rollup)
        if self._kept.followed is not None:
            self._begin(self._kept)

    async def close(self) -> None:
        """What is known stays readable; nothing new arrives."""
        await self.client.close()
        if self._kept is not None:
            await self._kept.close()

    async def attempt(self) -> bool:
        """One `turn`. An L1 that is away is a problem for readers to see, and no error."""
        try:
            caught_up = await self.turn()
        except (Retry, L1Error) as error:
            trouble = f"L1_AWAY: {error}; this node shows what it knew, and goes on once L1 answers"
            if self._trouble != trouble:
                log.warning("L1 is away", problem=trouble)
            self._trouble = trouble
            # Whoever answers next may be another chain.
            self._is_checked = False
            return True
        self._trouble = ""
        return caught_up

    async def turn(self) -> bool:
        """Look at L1 once and execute what is new; True where nothing more is waiting."""
        kept = self._kept
        assert kept is not None, "`open` comes first"
        if not self._is_checked:
            await self._check(kept)
        assert self._scanner is not None
        scan = await self._scanner.poll()
        if scan.rewound_to is not None:
            await kept.rewind(scan.rewound_to)
            # The rollup itself may be among what L1 took back.
            self._is_checked = False
        elif scan.mark is not None:
            try:
                await kept.take(scan.events, scan.mark)
                if scan.is_caught_up:
                    await self._count(kept.followed, scan.mark)
            except Inconsistent as error:
                self._start_over(kept, error)
                return False
        await self._look(kept, scan.head)
        if scan.is_caught_up:
            self._distrusted = ""
        return scan.is_caught_up

    async def _count(self, followed: Followed | None, mark: Mark) -> None:
        """Inconsistent where the contract counts more, or less, than its logs told of."""
        assert followed is not None
        counts = await self.reader.counts(mark.hash)
        missing = counts.difference(followed.counts) if counts is not None else ""
        if missing:
            raise Inconsistent(InconsistentReason.LOGS_MISSING, missing)

    async def _check(self, kept: KeptVenue) -> None:
        """That L1 has the rollup that is followed; the first time, which rollup that is."""
        known = kept.followed.terms if kept.followed else None
        try:
            terms = await self.reader.deployment(known.chain_id if known else self.config.chain_id)
        except WrongRollup as wrong:
            if wrong.fault == RollupFault.NO_CONTRACT and self._scanner is not None:
                await self._scanner.check_synced()
            raise
        if known is None:
            kept.begin(terms)
            self._begin(kept)
        elif terms != known:
            raise Halt(
                f"OTHER_ROLLUP: 0x{terms.rollup.hex()} was deployed anew since this node first "
                f"read it; delete {kept.store.directory}, and it is made again from L1"
            )
        self._is_checked = True

    def _begin(self, kept: KeptVenue) -> None:
        """Read on from where the kept events end."""
        assert kept.followed is not None
        terms = kept.followed.terms
        self._scanner = L1Scanner(
            self.reader,
            first=terms.deployed_at,
            marks=kept.store.marks(),
            confirmations=self.config.confirmations,
            in_portions=True,
        )
        self.domain, self.token = terms.domain, terms.token
        self.proof_system = terms.proof_system
        self._finalize(kept.final_block)
        self._show(kept.followed, l1_block=self._scanner.scanned)
        self.ready.set()

    async def _look(self, kept: KeptVenue, l1_block: int) -> None:
        assert kept.followed is not None
        try:
            block = await self.client.block("finalized")
        except L1Error:
            # An L1 without the tag has nothing that it calls final.
            block = None
        self._finalize(block.number if block else -1)
        self._show(kept.followed, l1_block=l1_block)
        kept.snapshot(self.heads.finalized)

    def _finalize(self, block: int) -> None:
        """Behind a shorter branch, or an endpoint that lags, what was final still is."""
        assert self._scanner is not None
        self._finalized_block = max(self._finalized_block, block)
        self._scanner.final_block = self._finalized_block

    def _show(self, followed: Followed, *, l1_block: int) -> None:
        self.heads = Heads(
            unsafe=followed.number,
            safe=followed.number,
            finalized=followed.number_at(self._finalized_block),
            confirmed=followed.confirmed,
            l1_block=l1_block,
        )

    def _start_over(self, kept: KeptVenue, error: Inconsistent) -> None:
        """What L1 sent does not fit together: perhaps it reorganised unseen. Once is enough."""
        if self._distrusted == str(error):
            raise Halt(
                f"L1_INCONSISTENT: {error}, which was done and changed nothing; use another L1"
            )
        self._distrusted = str(error)
        log.warning("L1's logs do not fit together", error=str(error))
        assert kept.followed is not None
        kept.begin(kept.followed.terms)
        self._begin(kept)
