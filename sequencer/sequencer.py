"""What happens next: transactions are executed one by one, and batches sealed from them.

A transaction runs before the header of its batch is known. BOOT gets a provisional one,
which says when the batch begins and leaves everything else as wide as it can be; HALT
sets to zero what came from it, so the state after a batch is the one that whoever
derives the batch from L1 computes.
"""

from collections.abc import Sequence
from typing import Any

from sequencer.batches import BatchContent, OpenBatch, SealedBatch
from sequencer.draft import Draft, is_included, steps_max
from sequencer.payload import Payload
from state.authentication import Verifier
from state.chunks import Row, row_size
from state.commitment import Commitment, Committer
from state.crypto import ZERO_HASH
from state.execution import Batch, OnItem, OnReceipt, Receipt, finish_order, run_batch
from state.inbox import InboxItem
from state.limits import BATCH_STEPS_MAX, INBOX_STEPS_MAX
from state.memory import MemoryState
from state.status import STATUSES, Status
from state.steps import halt, take_item
from state.store import Changes
from state.transactions import Header, Transaction, decode_transaction, encode_transaction
from state.transactions.kinds import INBOX_WEIGHTS, SIGNED_KINDS, InboxKind, Kind

Submission = tuple[Transaction, bytes]
"""A transaction and its signature."""


def _is_outdone(kind: Kind) -> bool:
    """Whether another kind takes at least as many bytes and steps, and more of one."""
    own = row_size(kind), steps_max(kind)
    others = [(row_size(other), steps_max(other)) for other in SIGNED_KINDS]
    return any(
        size >= own[0] and steps >= own[1] and (size, steps) != own for size, steps in others
    )


_GREEDIEST = tuple(kind for kind in SIGNED_KINDS if not _is_outdone(kind))
"""Kinds that no other outdoes: where they fit, every kind does."""


_ROOMY = 2 + 1 + max(map(steps_max, SIGNED_KINDS)) + 1
"""Steps for two OPENs, a header, a transaction of any kind, and HALT."""


class Unrewindable(Exception):
    """The batches after the one to go back to were forgotten, because L1 called them final."""

    def __init__(self, number: int, final: int) -> None:
        super().__init__(f"cannot go back to batch {number}: batch {final} is final")


class Sequencer:
    """The venue's state, the batch that is being filled, and those that may be undone."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier
        self.state = MemoryState()
        self.open: OpenBatch | None = None
        self.batches: dict[int, SealedBatch] = {}
        self.contents: list[BatchContent] = []
        self.time = 0
        self._committer = Committer(self.state)

    def resume(self, state: MemoryState, contents: Sequence[BatchContent], time: int) -> None:
        """Begin at a state that was kept: after the last of `contents`, with the clock at `time`.

        Those batches are final.
        """
        assert not self.contents and self.open is None, "something happened already"
        assert state.machine.batch == len(contents), "the state of another batch"
        self.state, self._committer = state, Committer(state)
        self.contents = list(contents)
        self.time = time

    # --- where it stands ---

    @property
    def number(self) -> int:
        """The last sealed batch."""
        return len(self.contents)

    def advance_clock(self, time: int) -> None:
        """What follows happens at `time`; a clock that goes back is held.

        The header is written with the next transaction, so a quiet venue seals no batches.
        """
        self.time = max(self.time, time)

    def commitment(self) -> Commitment:
        """Trees and root of the state as it stands."""
        return self._committer.commit()

    # --- filling a batch ---

    def fitting(self, items: Sequence[InboxItem]) -> Sequence[InboxItem]:
        """Those of the next inbox `items` that run in the open batch: none after a transaction."""
        if self.open is not None and self.open.has_rows:
            return ()
        weight = self.open.weight if self.open is not None else 0
        for count, item in enumerate(items):
            weight += INBOX_WEIGHTS[InboxKind(item.kind)]
            if weight > INBOX_STEPS_MAX:
                return items[:count]
        return items

    def take_items(self, items: Sequence[InboxItem]) -> list[Receipt]:
        """Run the next inbox items, which must be `fitting`: what became of each."""
        assert len(self.fitting(items)) == len(items) > 0, "items that do not fit the batch"
        opened = self._begin(Draft(self.state, self.time))
        changes = Changes(self.state)
        changes.machine.inbox_end += len(items)
        self.state.apply(changes)
        receipts: list[Receipt] = []
        for item in items:
            self.state.apply(take_item(self.state, item))
            opened.add_item(item)
            receipts.append(Receipt(Status(self.state.machine.status), (), 1))
        return receipts

    def can_take(self, kind: int) -> bool:
        """Whether the open batch has the bytes and the steps for one more of `kind`.

        Its worst case must fit, HALT included: an order that meets every front it may.
        """
        if self._is_roomy:
            return True
        kinds = [Kind.HEADER, kind] if self.time > self.state.machine.time else [kind]
        openings = self._openings(kinds)
        if openings is None:
            return False
        steps_left = BATCH_STEPS_MAX - 1 if self.open is None else self.state.machine.steps_left
        return sum(openings) + sum(map(steps_max, kinds)) + 1 <= steps_left

    @property
    def is_full(self) -> bool:
        """Whether there is a kind that the open batch cannot take."""
        if self.open is None or self._is_roomy:
            return False
        return not all(map(self.can_take, _GREEDIEST))

    def submit(self, tx: Transaction, signature: bytes, row: Row | None = None) -> Receipt:
        """Execute a trader's transaction; `can_take` must have said yes to its kind.

        `row` is the two of them, for whoever has it already.

        One that `is_included` turns down leaves no trace, nor does its header, and its receipt
        has no steps. One that is refused, but authenticated, is in the batch: its sequence
        number is consumed.
        """
        row = row or row_of(tx, signature)
        if row is None or row.kind == Kind.HEADER:
            return Receipt(Status.MALFORMED, (), 0)
        assert self.can_take(row.kind), "seal the batch first"
        draft, status = Draft(self.state, self.time), Status.OK
        rows = [_header_row(self.time), row] if self.time > draft.time else [row]
        openings = self._openings([row.kind for row in rows])
        assert openings is not None
        for taken, opens in zip(rows, openings, strict=True):
            status = draft.take(taken, self.verifier, opens=opens)
        if not is_included(row.kind, status):
            return Receipt(status, (), 0)
        opened = self._begin(draft)
        fills, steps = finish_order(self.state)
        for taken in rows:
            opened.add_row(taken)
        opened.fills += len(fills)
        return Receipt(STATUSES[self.state.machine.status], fills, 1 + steps)

    def seal(self) -> SealedBatch:
        """HALT: the open batch, which has items or transactions, is done."""
        opened = self.open
        assert opened is not None, "an empty batch is not sealed"
        self.state.apply(halt(self.state))
        content = opened.content(self.state.machine.batch)
        self.open = None
        return self._sealed(
            content,
            items=tuple(opened.items),
            rows=tuple(opened.rows),
            payload=tuple(chunk.compressed for chunk in opened.payload.chunks),
            fills=opened.fills,
        )

    # --- going back ---

    def rewind_to(self, number: int) -> list[Submission]:
        """Undo everything after batch `number`; what traders had submitted since, in order.

        Unrewindable where one of those batches was forgotten.
        """
        forgotten = next((n for n in range(self.number, number, -1) if n not in self.batches), None)
        if forgotten is not None:
            raise Unrewindable(number, forgotten)
        rows: list[Row] = []
        if self.open is not None:
            rows = self.open.rows
            self.state.undo(self.state.cut())
            self.open = None
        while self.number > number:
            batch = self.batches.pop(self.number)
            self.contents.pop()
            self.state.undo(batch.undo)
            rows = [*batch.rows, *rows]
        return [
            (decode_transaction(row.kind, row.row), row.signature)
            for row in rows
            if row.kind != Kind.HEADER
        ]

    def adopt(
        self,
        batch: Batch,
        void: str = "",
        on_receipt: OnReceipt | None = None,
        on_item: OnItem | None = None,
    ) -> SealedBatch:
        """Execute a batch as L1 has it, in the place of ours; no batch may be open.

        `void` is why it has no transactions, whatever its header says.
        """
        assert self.open is None and batch.void == bool(void)
        receipts = run_batch(
            self.state, batch, self.verifier, on_receipt=on_receipt, on_item=on_item
        )
        header = batch.header
        content = BatchContent(
            number=header.number,
            inbox_from=header.inbox_from,
            inbox_to=header.inbox_to,
            accumulator=header.inbox_accumulator,
            time_min=header.time_min,
            time_max=header.time_max,
            chunks=header.chunks,
        )
        return self._sealed(
            content,
            items=tuple(batch.items),
            rows=tuple(row for chunk in batch.chunks for row in chunk),
            fills=sum(len(receipt.fills) for receipt in receipts),
            void=void,
            adopted=True,
        )

    def forget(self, number: int) -> None:
        """Batches up to `number` are final: they are never undone, nor posted again."""
        for done in [n for n in self.batches if n <= number]:
            del self.batches[done]

    # --- parts ---

    @property
    def _is_roomy(self) -> bool:
        """Whether the open batch is so far from its end that every kind fits, at a glance."""
        steps_left = self.state.machine.steps_left
        return self.open is not None and steps_left > _ROOMY and self.open.payload.is_roomy

    def _openings(self, kinds: list[int]) -> list[bool] | None:
        return (self.open.payload if self.open is not None else Payload()).openings(kinds)

    def _begin(self, draft: Draft) -> OpenBatch:
        """Apply `draft`; with BOOT in it, a batch is open from here on."""
        draft.apply()
        if self.open is None:
            accumulator = self.contents[-1].accumulator if self.contents else ZERO_HASH
            self.open = OpenBatch(self.state.machine.inbox, accumulator, self.time)
        return self.open

    def _sealed(self, content: BatchContent, **parts: Any) -> SealedBatch:
        batch = SealedBatch(
            content=content,
            machine=self.state.machine,
            commitment=self._committer.commit(),
            undo=self.state.cut(),
            **parts,
        )
        self.batches[content.number] = batch
        self.contents.append(content)
        # L1 takes no later batch that begins before the end of this one.
        self.advance_clock(content.time_max)
        assert self.number == content.number
        return batch


def row_of(tx: Transaction, signature: bytes) -> Row | None:
    """None where a field does not fit its width."""
    try:
        return Row(*encode_transaction(tx), signature)
    except OverflowError:
        return None


def _header_row(time: int) -> Row:
    return Row(*encode_transaction(Header(time)))
