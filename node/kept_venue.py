"""The venue a follower holds, and its events on disk: the two always tell the same."""

from collections.abc import Sequence
from pathlib import Path

import structlog

from node.clock import Clock
from node.database import OpenDatabase, open_leveldb
from node.errors import Halt
from node.event_store import EventStore
from node.followed import Followed, told
from node.followed_snapshots import FollowedSnapshots
from node.rollup import RollupTerms
from node.rollup_events import BatchPosted, Claimed, RollupEvent
from node.scanner import Mark
from node.signers.ahead import BatchesAhead
from node.snapshot_policy import SnapshotPolicy
from node.view import BatchRecord, FillFeed, UpdateFeed
from prover.derivation import Inconsistent
from prover.replay import Replayed
from state.memory import MemoryState

log = structlog.get_logger(__name__)


class InvariantBroken(Halt):
    """The rules led to a state that they themselves forbid."""

    def __init__(self, number: int, broken: AssertionError) -> None:
        super().__init__(
            f"INVARIANT_BROKEN: executing batch {number} broke the venue's own rules: {broken}; "
            "this node claims and follows nothing from here on: keep its data directory and "
            "report it"
        )


class KeptVenue:
    """Takes events and keeps them. `followed` is None until `load` or `begin` knew the terms.

    New batches and what L1 takes back are told to `updates`, their fills also to `fills`.
    Between batches others get their turn.
    """

    def __init__(
        self,
        directory: Path,
        *,
        check: bool,
        fills: FillFeed,
        updates: UpdateFeed,
        clock: Clock,
        open_database: OpenDatabase = open_leveldb,
        policy: SnapshotPolicy | None = None,
        signature_workers: int = 0,
    ) -> None:
        self.store = EventStore(directory, open_database)
        self._snapshots = FollowedSnapshots(self.store.store, policy)
        self.followed: Followed | None = None
        self._check = check
        self._fills = fills
        self._updates = updates
        self._clock = clock
        self._ahead = BatchesAhead(signature_workers)

    @property
    def final_block(self) -> int:
        """A block that an earlier run knew to be final; -1 where none is known."""
        return self._snapshots.final_block

    async def close(self) -> None:
        await self._ahead.close()
        self.store.close()

    def _new(self, terms: RollupTerms) -> Followed:
        return Followed(terms, check=self._check, recover=self._ahead.known.recover)

    async def load(self, rollup: bytes) -> None:
        """Execute what is on disk. Halt where it is another rollup's, or damaged."""
        terms = self.store.terms
        if terms is None:
            return
        if terms.rollup != rollup:
            raise Halt(
                f"OTHER_ROLLUP: {self.store.directory} follows 0x{terms.rollup.hex()}, not "
                f"0x{rollup.hex()}; give each rollup a data directory of its own"
            )
        self._replace(await self._executed(terms, publish=True), rewound=0)

    def earlier_state(self, number: int) -> MemoryState | None:
        """The newest state that is kept and not after batch `number`, if any: its root is not
        checked yet. StoreDamaged where it does not read.
        """
        return self._snapshots.earlier.state(number)

    def begin(self, terms: RollupTerms) -> None:
        """A venue in which nothing has happened, in place of whatever was known."""
        self.store.begin(terms)
        self._snapshots.forget()
        self._replace(self._new(terms), rewound=0)

    def _replace(self, followed: Followed, *, rewound: int) -> None:
        """Another state stands from here on: whatever either of the two has may differ."""
        places = set(followed.replayer.state.places())
        if self.followed is not None:
            places.update(self.followed.replayer.state.places())
        self.followed = followed
        self._updates.publish((), places, rewound)

    async def take(self, events: Sequence[RollupEvent], mark: Mark) -> None:
        """What happened up to `mark`. Inconsistent where it does not follow: then `begin` again."""
        followed = self._known()
        await self._ahead.start(followed.terms.domain)
        async for event in self._ahead.over(events):
            replayed = self._execute(followed, event, publish=True)
            self._report(followed, event, replayed)
            if replayed is not None:
                self._updates.publish(told(replayed), replayed.places)
            await self._clock.sleep(0)
        self.store.append(events, mark)
        for event in events:
            if isinstance(event, BatchPosted):
                root = followed.batches[event.number - 1].record.state_root
                self.store.put_root(event.number, root)

    async def rewind(self, block: int) -> None:
        """L1 took back everything after `block`."""
        followed = self._known()
        before = followed.number
        if self._snapshots.number > followed.number_at(block):
            self._snapshots.drop()
        self.store.rewind(block)
        number = followed.number_at(block)
        places = followed.replayer.written_after(number)
        if followed.rewind(block):
            if number < before:
                self._updates.publish((), places, rewound=number)
        else:
            followed = await self._executed(followed.terms, publish=False)
            self._replace(followed, rewound=number)
        log.warning("L1 reorganised", block=block, batch_before=before, batch=followed.number)

    async def _executed(self, terms: RollupTerms, *, publish: bool) -> Followed:
        """What the kept events lead to, which must be what they led to when they were new.

        Those up to the snapshot's batch were executed before it was taken.
        """
        followed = self._new(terms)
        await self._ahead.start(terms.domain)
        self._snapshots.resume(followed)
        if publish:
            self._fills.last = followed.fills
        resumed, posted = followed.number, 0
        async for event in self._ahead.over(self.store.events(), after=resumed):
            posted += isinstance(event, BatchPosted)
            if isinstance(event, BatchPosted) and event.number <= resumed:
                self._recognise(followed.batches[event.number - 1].record, event)
            else:
                await self._execute_kept(followed, event, publish=publish)
        if posted < resumed:
            raise self.store.damaged(f"the events end before the snapshot of batch {resumed}")
        log.info("executed what was kept", batch=followed.number, events=len(self.store))
        return followed

    async def _execute_kept(self, followed: Followed, event: RollupEvent, *, publish: bool) -> None:
        try:
            replayed = self._execute(followed, event, publish=publish)
        except Inconsistent as error:
            raise self.store.damaged(str(error)) from error
        if replayed is not None:
            self._compare(followed.batches[-1].record)
            await self._clock.sleep(0)

    def _recognise(self, record: BatchRecord, event: BatchPosted) -> None:
        if record.batch_hash != event.batch_hash:
            raise self.store.damaged(f"the snapshot knows another batch {event.number}")
        self._compare(record)

    def snapshot(self, final: int) -> None:
        """Keep what the events up to batch `final` led to, if a restart would otherwise take long.

        A batch that is not final may be kept too: when L1 takes it back, so is the snapshot.
        """
        followed = self._known()
        if self._snapshots.keep(followed, final):
            log.info("snapshot written", batch=self._snapshots.number)

    def _execute(self, followed: Followed, event: RollupEvent, *, publish: bool) -> Replayed | None:
        try:
            replayed = followed.take(event)
        except AssertionError as broken:
            raise InvariantBroken(followed.number + 1, broken) from broken
        if replayed is not None and publish:
            first = followed.fills - len(replayed.fills) + 1
            for at, (time, fill) in enumerate(replayed.fills):
                self._fills.publish(replayed.output.batch, time, fill, first + at)
        return replayed

    def _compare(self, record: BatchRecord) -> None:
        kept = self.store.root(record.number)
        if kept is not None and kept != record.state_root:
            raise self.store.damaged(
                f"batch {record.number} led to {kept.hex()} before and leads to "
                f"{record.state_root.hex()} now, so its record or this program has changed"
            )

    def _report(self, followed: Followed, event: RollupEvent, replayed: Replayed | None) -> None:
        if replayed is not None:
            record = followed.batches[-1].record
            log.info(
                "batch",
                number=record.number,
                transactions=record.transactions,
                fills=record.fills,
                items=record.items,
                state_root=record.state_root.hex(),
            )
            if record.void:
                log.warning("batch is void", number=record.number, reason=record.void)
        elif isinstance(event, Claimed) and event in followed.wrong_claims[-1:]:
            log.error("wrong claim", problem=followed.problems()[-1])

    def _known(self) -> Followed:
        assert self.followed is not None, "`load` or `begin` comes first"
        return self.followed
