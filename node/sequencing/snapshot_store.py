"""Snapshots of the sequencer on disk: the state after a final batch, and what belongs to it.

    head            what the rest belongs to: batch, root, place in the journal, what is owed
    leaf/…          the state's leaves (node/leaves.py)
    batch/ u64      a batch's content and record, from the first to the head's
    answers/ u64    answers to the transactions of a batch, as far back as they are remembered
    l1              up to which block L1 need not be read again, and what it showed by then
    posted/ u64     where on L1 a batch is
    tape, tape/…    trades, candles, orders and profit (node/tape/storage.py)

A snapshot is one synced write over the one before it, of what changed between the two: the
store holds the one or the other. The journal remains the truth, and is on disk first.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from node.database import OpenDatabase, open_leveldb
from node.errors import Halt
from node.journal_reading import Position
from node.leaves import leaf_changes, load_state
from node.rollup_events import BatchPosted, ItemAdded
from node.scanner import Mark as L1Mark
from node.sequencing.answers import Answer
from node.sequencing.l1_view import GENESIS, L1Base
from node.store import Store
from node.tape.storage import KeptTape, load_tape, tape_changes
from node.tape.tape import Tape
from node.view import BatchRecord
from sequencer.batches import BatchContent
from state.chunks import Row
from state.commitment import Commitment
from state.memory import MemoryState
from state.undo import Place

LAYOUT = 1
HEAD, BATCH, ANSWERS = b"head", b"batch/", b"answers/"
ORIGIN, POSTED = b"l1", b"posted/"
MEND = "delete this folder, and the node replays its journal from the beginning"


class Mark(Struct, frozen=True):
    """What a restart behind the sealing of a batch needs to know besides the state.

    `owed` transactions had not been retried yet; of them `undone` are the client order ids.
    """

    position: Position
    time: int
    owed: tuple[Row, ...]
    undone: dict[bytes, str]


class Head(Struct, frozen=True):
    """Of which batch a snapshot is. `answers_from` is the first batch that may have answers."""

    layout: int
    identity: bytes
    number: int
    state_root: bytes
    mark: Mark
    answers_from: int


class Stamp(Struct, frozen=True):
    """As much of a head as every version of it has."""

    layout: int
    identity: bytes


class Entry(Struct, frozen=True):
    """A batch, to be compared with L1, and for readers."""

    content: BatchContent
    record: BatchRecord


class Origin(Struct, frozen=True):
    """What L1 showed up to a final block; the batches posted until then have entries of their own.

    See `L1Base`.
    """

    mark: L1Mark
    batches: int
    first_item: int
    accumulator: bytes
    items: tuple[ItemAdded, ...]
    confirmed: int


class Snapshot(Struct, frozen=True, kw_only=True):
    """What is to be written: nothing in it changes any more."""

    head: Head
    commitment: Commitment
    places: set[Place]
    entries: Sequence[Entry]
    answers: dict[int, list[Answer]]
    stale_answers: range
    base: L1Base | None
    tape: KeptTape


class Loaded(Struct, frozen=True):
    """What a restart begins with."""

    head: Head
    state: MemoryState
    entries: list[Entry]
    answers: list[Answer]
    base: L1Base


class SnapshotStore:
    """The newest snapshot of one deployment, whose genesis hash is `identity`."""

    def __init__(self, store: Store, identity: bytes) -> None:
        self.identity = identity
        self._store = store

    def damaged(self, detail: str) -> Halt:
        """What to raise where the snapshot is not what it was."""
        return self._store.damaged(detail)

    def close(self) -> None:
        self._store.close()

    def write(self, snapshot: Snapshot) -> None:
        """Blocks until the snapshot is on disk, whole. Halt where it is not."""
        self._check_before(snapshot.entries[0].content.number - 1)
        changes = dict(leaf_changes(snapshot.commitment, snapshot.places))
        changes |= tape_changes(snapshot.tape, self._store)
        for entry in snapshot.entries:
            changes[_key(BATCH, entry.content.number)] = msgspec.msgpack.encode(entry)
        for number in snapshot.stale_answers:
            changes[_key(ANSWERS, number)] = None
        for number, answers in snapshot.answers.items():
            changes[_key(ANSWERS, number)] = msgspec.msgpack.encode(answers)
        if snapshot.base is not None:
            changes |= self._origin(snapshot.base)
        changes[HEAD] = msgspec.msgpack.encode(snapshot.head)
        self._store.write(changes)

    def _check_before(self, number: int) -> None:
        """StoreDamaged where the snapshot that this one goes on from is there no more."""
        head: Head | None = self._read(HEAD, Head)
        if (head.number if head else 0) < number:
            raise self.damaged(f"the snapshot of batch {number} is gone")

    def _origin(self, base: L1Base) -> dict[bytes, bytes | None]:
        """What brings the store to `base`: final batches are posted once and for all."""
        before: Origin | None = self._read(ORIGIN, Origin)
        if before is not None and base.mark.block < before.mark.block:
            # An endpoint that lags calls less final than another one did.
            return {}
        count = len(base.batches)
        origin = Origin(
            *(base.mark, count, base.first_item, base.accumulator),
            *(tuple(base.items), base.confirmed),
        )
        changes: dict[bytes, bytes | None] = {ORIGIN: msgspec.msgpack.encode(origin)}
        for posted in base.batches[before.batches if before else 0 :]:
            changes[_key(POSTED, posted.number)] = msgspec.msgpack.encode(posted)
        return changes

    def _base(self, batches: int) -> L1Base:
        """What L1 had shown; GENESIS where a snapshot was taken before it was known."""
        origin: Origin | None = self._read(ORIGIN, Origin)
        if origin is None:
            return GENESIS
        posted = [self._decode(value, BatchPosted) for _, value in self._store.entries(POSTED)]
        if [one.number for one in posted] != list(range(1, origin.batches + 1)):
            raise self.damaged(f"{origin.batches} posted batches expected, {len(posted)} found")
        if origin.batches > batches:
            raise self.damaged(f"{origin.batches} batches were posted of {batches}")
        return L1Base(
            *(origin.mark, posted, origin.first_item, origin.accumulator),
            *(origin.items, origin.confirmed),
        )

    def load(self) -> Loaded | None:
        """The snapshot; None where none was ever written. Its root is still to be compared.

        Halt where it is another deployment's or version's, StoreDamaged where a part is missing.
        """
        encoded = self._store.read(HEAD)
        if encoded is None:
            if next(self._store.entries(b""), None) is not None:
                raise self.damaged("the head of the snapshot is missing")
            return None
        self._check(self._decode(encoded, Stamp))
        head: Head = self._decode(encoded, Head)
        entries: list[Entry] = []
        for key, value in self._store.entries(BATCH):
            if key != _key(BATCH, len(entries) + 1):
                raise self.damaged(f"the record of batch {len(entries) + 1} is missing")
            entries.append(self._decode(value, Entry))
        if len(entries) != head.number:
            raise self.damaged(f"{head.number} batches expected, {len(entries)} found")
        answers = [
            answer
            for _, value in self._store.entries(ANSWERS)
            for answer in self._decode(value, list[Answer])
        ]
        state = load_state(self._store)
        return Loaded(head, state, entries, answers, self._base(len(entries)))

    def load_tape(self, tape: Tape, loaded: Loaded) -> None:
        """What was kept of the tape, into `tape`; see `node.tape.storage.load_tape`."""
        fills = sum(entry.record.fills for entry in loaded.entries)
        load_tape(tape, self._store, loaded.state, fills)

    def _check(self, head: Stamp) -> None:
        if head.identity != self.identity:
            raise Halt(
                f"OTHER_ROLLUP: {self._store.directory} holds snapshots of another deployment; "
                "give the node the data directory that it used with this rollup, or an empty one"
            )
        if head.layout != LAYOUT:
            raise Halt(
                f"OTHER_VERSION: {self._store.directory} has layout {head.layout}, this program "
                f"writes {LAYOUT}; {MEND}"
            )

    def _read(self, key: bytes, shape: Any) -> Any:
        value = self._store.read(key)
        return None if value is None else self._decode(value, shape)

    def _decode(self, value: bytes, shape: Any) -> Any:
        try:
            return msgspec.msgpack.decode(value, type=shape)
        except msgspec.MsgspecError as error:
            raise self.damaged(f"a record does not read: {error}") from error


def _key(prefix: bytes, number: int) -> bytes:
    return prefix + number.to_bytes(8, "big")


def open_snapshots(
    directory: Path, identity: bytes, open_database: OpenDatabase = open_leveldb
) -> SnapshotStore:
    """The snapshots in a folder, made if need be. Halt where it is damaged or in use."""
    return SnapshotStore(Store(directory, mend=MEND, open_database=open_database), identity)
