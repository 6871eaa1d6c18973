"""Batches: the one being filled, and the sealed ones that can still be taken back."""

from msgspec import Struct

from sequencer.payload import Payload
from state.batch import BatchHeader, ChunkCommitment
from state.chunks import COUNT_BYTES, Row, row_size
from state.commitment import Commitment
from state.inbox import InboxItem, accumulate
from state.machine import Machine
from state.transactions.header import decode_header
from state.transactions.kinds import INBOX_WEIGHTS, InboxKind, Kind
from state.undo import Undo


class BatchContent(Struct, frozen=True, kw_only=True):
    """What L1 must show of a batch for it to be this one.

    The batch began at `time_min`; its last header is not later than `time_max`.
    """

    number: int
    inbox_from: int
    inbox_to: int
    accumulator: bytes
    time_min: int
    time_max: int
    chunks: tuple[ChunkCommitment, ...]

    def is_behind(self, header: BatchHeader) -> bool:
        """Whether whoever runs the batch of `header` does what was done here.

        L1 hashed the compressed chunks itself, so equal hashes leave nothing to decode.
        """
        return (
            (self.number, self.inbox_from, self.inbox_to)
            == (header.number, header.inbox_from, header.inbox_to)
            and self.accumulator == header.inbox_accumulator
            and self.chunks == header.chunks
            and header.time_min == self.time_min
            and header.time_max >= self.time_max
        )


class SealedBatch(Struct, frozen=True, kw_only=True):
    """A batch that was executed to its HALT. `machine` is as HALT left it.

    `payload` is its compressed chunks. An `adopted` batch came from L1 and is not ours to
    post; `void` says why its sequenced part was dropped, if it was.
    """

    content: BatchContent
    items: tuple[InboxItem, ...]
    rows: tuple[Row, ...]
    machine: Machine
    commitment: Commitment
    fills: int
    undo: list[Undo]
    payload: tuple[bytes, ...] = ()
    adopted: bool = False
    void: str = ""

    @property
    def number(self) -> int:
        return self.content.number

    @property
    def steps(self) -> int:
        """From BOOT to HALT, both counted."""
        return self.machine.step

    @property
    def orders(self) -> int:
        return sum(row.kind == Kind.ORDER for row in self.rows)

    @property
    def raw_bytes(self) -> int:
        """What its chunks take before compression; nothing where they were dropped."""
        per_row = sum(row_size(row.kind) for row in self.rows)
        return per_row + COUNT_BYTES * len(self.content.chunks) * bool(self.rows)

    @property
    def compressed_bytes(self) -> int:
        """What its chunks take on L1."""
        return sum(chunk.size for chunk in self.content.chunks)


class OpenBatch:
    """The batch being filled: items first, then transactions."""

    def __init__(self, inbox_from: int, accumulator: bytes, time: int) -> None:
        self.inbox_from = inbox_from
        self.accumulator = accumulator
        self.time_min = self.time_max = time
        self.items: list[InboxItem] = []
        self.weight = 0
        self.payload = Payload()
        self.fills = 0

    @property
    def has_rows(self) -> bool:
        return bool(self.payload.rows or self.payload.chunks)

    @property
    def rows(self) -> list[Row]:
        """Its transactions so far, headers included."""
        closed = [row for chunk in self.payload.chunks for row in chunk.rows]
        return closed + self.payload.rows

    def add_item(self, item: InboxItem) -> None:
        assert not self.has_rows, "items come before transactions"
        self.items.append(item)
        self.weight += INBOX_WEIGHTS[InboxKind(item.kind)]
        self.accumulator = accumulate(self.accumulator, item)

    def add_row(self, row: Row) -> None:
        self.payload.add(row)
        if row.kind == Kind.HEADER:
            self.time_max = decode_header(row.row).time

    def content(self, number: int) -> BatchContent:
        """What L1 will show of it, its last chunk closed."""
        self.payload.close()
        return BatchContent(
            number=number,
            inbox_from=self.inbox_from,
            inbox_to=self.inbox_from + len(self.items),
            accumulator=self.accumulator,
            time_min=self.time_min,
            time_max=self.time_max,
            chunks=tuple(chunk.commitment for chunk in self.payload.chunks),
        )
