"""When the sequencer takes a snapshot, and of what: the state after a batch that is final.

That state is not the one that stands: later batches may still be undone. But a batch keeps
its commitment until it is final, and the trees of a commitment hold its leaves; which of
them changed since the last snapshot, the undo logs say.
"""

from collections.abc import Sequence

from msgspec import Struct

from node.journal_reading import Position
from node.sequencing.answers import Answers
from node.sequencing.l1_view import L1Base
from node.sequencing.snapshot_store import (
    LAYOUT,
    Entry,
    Head,
    Loaded,
    Mark,
    Snapshot,
    SnapshotStore,
)
from node.snapshot_policy import SnapshotPolicy
from node.tape.storage import kept_tape
from node.tape.tape import Tape
from node.view import BatchRecord
from sequencer.batches import BatchContent, SealedBatch
from sequencer.sequencer import Submission
from state.chunks import Row
from state.transactions import encode_transaction
from state.undo import Place


class Ending(Struct, frozen=True):
    """What stood beside the state when a batch ended; see `Mark`."""

    position: Position
    time: int
    owed: Sequence[Submission]
    undone: dict[bytes, str]

    @property
    def mark(self) -> Mark:
        rows = tuple(Row(*encode_transaction(tx), signature) for tx, signature in self.owed)
        return Mark(self.position, self.time, rows, self.undone)


class Final(Struct, frozen=True):
    """The last final batch, and what became final since the last snapshot."""

    batch: SealedBatch
    ending: Ending
    places: set[Place]
    records: int


class Snapshots:
    """What was sealed since the last snapshot, and how much of it became final.

    `number` is the batch of the snapshot that is stored, zero before the first.
    """

    def __init__(self, store: SnapshotStore, policy: SnapshotPolicy | None = None) -> None:
        self.store = store
        self.policy = policy or SnapshotPolicy()
        self.number = 0
        self._answers_from = 1
        self._endings: dict[int, Ending] = {}
        self._final: Final | None = None

    def load(self) -> Loaded | None:
        """As `SnapshotStore.load`; what follows is counted from there."""
        loaded = self.store.load()
        if loaded is not None:
            self._stored(loaded.head)
        return loaded

    # --- what happens ---

    def ended(self, number: int, ending: Ending) -> None:
        """Batch `number` was sealed or adopted."""
        self._endings[number] = ending

    def rewound(self, number: int) -> None:
        """Everything after batch `number` was undone."""
        for undone in [later for later in self._endings if later > number]:
            del self._endings[undone]

    def final(self, batch: SealedBatch) -> None:
        """L1 called `batch` final: the next one after those before."""
        places = {(name, key) for name, key, _ in batch.undo if name != "machine"}
        records = len(batch.rows) + len(batch.items)
        self._merge(Final(batch, self._endings.pop(batch.number), places, records))

    def _merge(self, later: Final) -> None:
        before = self._final
        if before is not None:
            before.places.update(later.places)
            records = before.records + later.records
            later = Final(later.batch, later.ending, before.places, records)
        self._final = later

    # --- taking one ---

    @property
    def next(self) -> int:
        """The batch that the next snapshot would be of; zero before one is final."""
        return 0 if self._final is None else self._final.batch.number

    @property
    def is_due(self) -> bool:
        """Whether a restart would have to replay too much without it."""
        final = self._final
        if final is None:
            return False
        return self.policy.is_due(final.batch.number - self.number, final.records)

    def take(
        self,
        contents: Sequence[BatchContent],
        records: Sequence[BatchRecord],
        answers: Answers,
        tape: Tape,
        base: L1Base | None = None,
    ) -> tuple[Snapshot, Final]:
        """What brings the store up to the last final batch, and what it is made of.

        Everything that it refers to must be on disk in the journal already.
        """
        final = self._final
        assert final is not None
        self._final = None
        last, root = final.batch.number, final.batch.commitment.state_root
        oldest = max(self._answers_from, min(answers.oldest, last + 1))
        snapshot = Snapshot(
            head=Head(LAYOUT, self.store.identity, last, root, final.ending.mark, oldest),
            commitment=final.batch.commitment,
            places=final.places,
            entries=[Entry(contents[at], records[at]) for at in range(self.number, last)],
            answers=answers.of_batches(self.number + 1, last),
            stale_answers=range(self._answers_from, oldest),
            base=base,
            tape=kept_tape(tape, last),
        )
        tape.kept(last)
        return snapshot, final

    def written(self, snapshot: Snapshot) -> None:
        """It is on disk."""
        self._stored(snapshot.head)

    def failed(self, final: Final) -> None:
        """It is not; the next one holds what this one would have held."""
        later, self._final = self._final, final
        if later is not None:
            self._merge(later)

    def _stored(self, head: Head) -> None:
        self.number, self._answers_from = head.number, head.answers_from
