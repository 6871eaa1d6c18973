"""The sequencer and its journal, moved together: what happened can always be replayed.

Nothing here waits. `sync` is to be called before anybody is told what was done.
"""

from collections.abc import Sequence

import structlog

from node.errors import Halt
from node.journal import Journal
from node.records import (
    Adopted,
    Final,
    ItemsTaken,
    Record,
    Rewound,
    Sealed,
    Settled,
    Taken,
)
from node.sequencing.answers import Answers, market_of, sequenced
from node.sequencing.batch_records import batch_of, record_of
from node.sequencing.l1_view import GENESIS
from node.sequencing.news import News
from node.sequencing.snapshot_store import Loaded
from node.sequencing.snapshots import Ending, Snapshots
from node.tape.tape import Tape
from node.view import BatchRecord, Executed, SequencedReceipt
from prover.derivation import Derived
from sequencer.batches import SealedBatch
from sequencer.draft import is_included
from sequencer.sequencer import Sequencer, Submission, Unrewindable
from state.batch import encode_header
from state.book_changes import BookChange, BookWatch
from state.chunks import Row
from state.execution import Batch, Receipt
from state.inbox import InboxItem
from state.transactions import Header, Transaction, decode_transaction, encode_transaction
from state.undo import places_of

log = structlog.get_logger(__name__)


class JournalDiverged(Halt):
    """Replaying the journal does not lead where it led when it was written."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"replaying the journal went another way: {what}. It was written by another version "
            "of the rules: run that version, or move journal and snapshots away to derive again "
            "from L1"
        )


class History:
    """What the sequencer does, written down as it does it.

    `records` says of every sealed batch what it came to. `owed` are acknowledged
    transactions that a rewind took out of their batches: they are retried in order before
    anything else is taken, then `settled` is called. `answers` remembers what became of the
    last transactions, `news` has what was not yet told, and `tape` is for readers of the past.
    """

    def __init__(
        self, sequencer: Sequencer, journal: Journal, snapshots: Snapshots | None = None
    ) -> None:
        self.sequencer = sequencer
        self.journal = journal
        self.snapshots = snapshots
        self.records: list[BatchRecord] = []
        self.owed: list[Submission] = []
        self.answers = Answers()
        self.news = News()
        self.tape = Tape()
        self.fills_sealed = 0
        self.l1_base = GENESIS

    def recover(self) -> int:
        """Load the snapshot, and replay the journal from there; how many records that took.

        Halt where one of the two is damaged, or they do not belong together.
        """
        loaded = None if self.snapshots is None else self.snapshots.load()
        if loaded is not None:
            self._resume(loaded)
        count = 0
        for record in self.journal.read(loaded.head.mark.position if loaded else None):
            self._replay(record)
            self.news.forget(self.sequencer.state)
            count += 1
        self.answers.synced()
        if self.journal.torn is not None:
            torn = self.journal.torn
            log.warning("journal_tail_cut", offset=torn.offset, size=torn.size)
        return count

    def _resume(self, loaded: Loaded) -> None:
        """Stand where the snapshot does. Halt where its leaves do not make its root."""
        assert self.snapshots is not None
        head, mark = loaded.head, loaded.head.mark
        contents = [entry.content for entry in loaded.entries]
        self.sequencer.resume(loaded.state, contents, mark.time)
        root = self.sequencer.commitment().state_root
        self.records = [entry.record for entry in loaded.entries]
        for expected in (head.state_root, self.records[-1].state_root):
            if root != expected:
                raise self.snapshots.store.damaged(
                    f"the leaves after batch {head.number} make the root {root.hex()}, "
                    f"not {expected.hex()}"
                )
        self.fills_sealed = sum(record.fills for record in self.records)
        self.snapshots.store.load_tape(self.tape, loaded)
        self.news.forget(self.sequencer.state)
        self.owed = [(decode_transaction(row.kind, row.row), row.signature) for row in mark.owed]
        self.answers.load(loaded.answers, mark.undone)
        self.l1_base = loaded.base
        log.info("snapshot_loaded", batch=head.number, state_root=root.hex())

    # --- what happens ---

    @property
    def fills(self) -> int:
        """How many fills the venue has had, those of the open batch among them."""
        opened = self.sequencer.open
        return self.fills_sealed + (opened.fills if opened is not None else 0)

    def take_items(self, items: Sequence[InboxItem]) -> None:
        self._take_items(items)
        self.journal.append(ItemsTaken(self.sequencer.time, tuple(items)))

    def submit(
        self, tx: Transaction, signature: bytes, client_order_id: str = "", row: Row | None = None
    ) -> Receipt:
        """As `Sequencer.submit`; written down and remembered if the transaction is included."""
        time, market = self.sequencer.time, market_of(self.sequencer.state, tx)
        books = BookWatch(self.sequencer.state)
        receipt = self.sequencer.submit(tx, signature, row)
        if not receipt.steps:
            return receipt
        client_order_id = client_order_id or self.answers.client_order_id(tx)
        row = row or Row(*encode_transaction(tx), signature)
        self.journal.append(Taken(time, row, client_order_id))
        return self._remember(tx, row, receipt, books.take(), client_order_id, market)

    def seal(self) -> SealedBatch:
        batch = self._seal()
        self.journal.append(Sealed(batch.number, batch.commitment.state_root))
        self._ended()
        return batch

    def rewind_to(self, number: int) -> None:
        """Undo everything after batch `number`. Halt where L1 had called some of it final."""
        try:
            self._rewind_to(number)
        except Unrewindable as error:
            raise Halt(
                f"L1 contradicts what it had called final: {error}. Point the node at an L1 "
                "endpoint on the canonical chain"
            ) from error
        self.journal.append(Rewound(number))

    def adopt(self, derived: Derived, payload: bytes) -> SealedBatch:
        """Execute a batch as L1 has it, behind the last one."""
        header = encode_header(derived.batch.header)
        kept = b"" if derived.void_reason else payload
        items = tuple(derived.batch.items)
        batch = self._adopt(derived.batch, derived.void_reason)
        self.journal.append(Adopted(header, kept, items, derived.void_reason))
        self._ended()
        return batch

    def settled(self) -> None:
        """Everything owed was retried."""
        self._settled()
        self.journal.append(Settled())

    def forget(self, number: int) -> None:
        """Batch `number` is final."""
        self._forget(number)
        self.journal.append(Final(number))

    # --- the same, live and replayed ---

    def _take_items(self, items: Sequence[InboxItem]) -> None:
        for item, receipt in zip(items, self.sequencer.take_items(items), strict=True):
            self._note_item(item, receipt)

    def _seal(self) -> SealedBatch:
        places = self.news.written(self.sequencer.state)
        batch = self.sequencer.seal()
        self.news.cut(places)
        self._record(batch)
        return batch

    def _adopt(self, batch: Batch, void: str) -> SealedBatch:
        books = BookWatch(self.sequencer.state)

        def adopt_receipt(tx: Transaction, signature: bytes, receipt: Receipt) -> None:
            changes = books.take()
            row = Row(*encode_transaction(tx), signature)
            if is_included(row.kind, receipt.status):
                known = self.answers.client_order_id(tx)
                self._remember(tx, row, receipt, changes, known)

        adopted = self.sequencer.adopt(
            batch, void, on_receipt=adopt_receipt, on_item=self._note_item
        )
        self.news.cut(places_of(adopted.undo))
        self._record(adopted)
        return adopted

    def _record(self, batch: SealedBatch) -> None:
        self.records.append(record_of(batch))
        self.fills_sealed += batch.fills

    def _rewind_to(self, number: int) -> None:
        places = places_of(self.sequencer.state.written(0))
        for later in range(number + 1, self.sequencer.number + 1):
            if later in self.sequencer.batches:
                places |= places_of(self.sequencer.batches[later].undo)
        undone = self.sequencer.rewind_to(number)
        self.news.rewound(number, places)
        self.tape.rewind(number)
        self.fills_sealed -= sum(record.fills for record in self.records[number:])
        self.answers.undo(undone)
        self.owed = undone + self.owed
        del self.records[number:]
        if self.snapshots is not None:
            self.snapshots.rewound(number)

    def _ended(self) -> None:
        """A batch was sealed or adopted, and the journal says so: a restart may begin here."""
        if self.snapshots is not None:
            time, undone = self.sequencer.time, self.answers.undone
            ending = Ending(self.journal.position, time, self.owed, undone)
            self.snapshots.ended(self.sequencer.number, ending)

    def _forget(self, number: int) -> None:
        batches = self.sequencer.batches
        if self.snapshots is not None:
            for final in sorted(n for n in batches if n <= number):
                self.snapshots.final(batches[final])
        self.sequencer.forget(number)
        self.tape.forget(number)

    def _settled(self) -> None:
        self.owed = []
        self.answers.settled()

    def _remember(
        self,
        tx: Transaction,
        row: Row,
        receipt: Receipt,
        book: tuple[BookChange, ...],
        client_order_id: str,
        market: int | None = None,
    ) -> SequencedReceipt:
        """The receipt with its place; `state` is as the transaction left it."""
        state = self.sequencer.state
        found = sequenced(
            state,
            tx,
            receipt,
            batch=state.machine.batch,
            client_order_id=client_order_id,
            market=market,
        )
        self.answers.remember(tx, row.signature, found, row)
        if not isinstance(tx, Header):
            time = state.machine.time
            ran = Executed(batch=found.batch, time=time, receipt=found, tx=tx, book=book)
            self.news.note(ran)
            self.tape.take(ran)
        return found

    def _note_item(self, item: InboxItem, receipt: Receipt) -> None:
        machine = self.sequencer.state.machine
        ran = Executed(batch=machine.batch, time=machine.time, receipt=receipt, item=item)
        self.news.note(ran)

    # --- replay ---

    def _replay(self, record: Record) -> None:
        match record:
            case ItemsTaken(time=time, items=items):
                self._replay_items(time, items)
            case Taken():
                self._replay_transaction(record)
            case Sealed():
                self._replay_seal(record)
                self._ended()
            case Rewound(number=number):
                self._rewind_to(number)
            case Adopted():
                self._adopt(batch_of(record), record.void)
                self._ended()
            case Settled():
                self._settled()
            case Final(number=number):
                self._forget(number)

    def _replay_items(self, time: int, items: Sequence[InboxItem]) -> None:
        self.sequencer.advance_clock(time)
        machine = self.sequencer.state.machine
        if items[0].index != machine.inbox or len(self.sequencer.fitting(items)) < len(items):
            raise JournalDiverged(f"item {items[0].index} comes where {machine.inbox} is next")
        self._take_items(items)

    def _replay_transaction(self, record: Taken) -> None:
        row = record.row
        self.sequencer.advance_clock(record.time)
        if not self.sequencer.can_take(row.kind):
            raise JournalDiverged(f"batch {self.sequencer.number + 1} was not full when it was")
        tx = decode_transaction(row.kind, row.row)
        market = market_of(self.sequencer.state, tx)
        books = BookWatch(self.sequencer.state)
        receipt = self.sequencer.submit(tx, row.signature, row)
        if not is_included(row.kind, receipt.status):
            raise JournalDiverged(f"{tx} was taken, and now is {receipt.status.name}")
        known = record.client_order_id
        self._remember(tx, row, receipt, books.take(), known, market)

    def _replay_seal(self, record: Sealed) -> None:
        if self.sequencer.open is None:
            raise JournalDiverged(f"batch {record.number} was sealed, and now is empty")
        batch = self._seal()
        if (batch.number, batch.commitment.state_root) != (record.number, record.state_root):
            raise JournalDiverged(
                f"batch {record.number} ended in {record.state_root.hex()}, "
                f"batch {batch.number} now in {batch.commitment.state_root.hex()}"
            )
