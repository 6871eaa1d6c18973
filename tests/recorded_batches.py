"""Random histories as L1 would log them: headers, payloads and inbox items, from one seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import histories
from builders import DOMAIN, Venue
from histories import History

from state.batch import BatchHeader, ChunkCommitment, encode_header
from state.chunks import Row, encode_chunk
from state.crypto import keccak
from state.execution import Receipt
from state.inbox import InboxItem, accumulate
from state.limits import CHUNK_TRANSACTIONS_MAX
from state.status import Status
from state.transactions import Transaction, encode_transaction

CHUNK_ROWS = 40
L1_TIME = 1_700_000_000
TIME_MAX = 2**40 - 1
SENDER = bytes(19) + b"\x01"

Asked = tuple[int, bytes] | tuple[int, bytes, bytes]
"""An inbox item's kind, payload and, where it matters, sender."""


@dataclass(frozen=True)
class LoggedBatch:
    """What the log of one batch holds, and the items of its range."""

    header: bytes
    payload: bytes
    items: tuple[InboxItem, ...]

    @property
    def batch_hash(self) -> bytes:
        return keccak(self.header)


@dataclass
class Chain:
    """Batches one after the other, as L1 chains them."""

    parent: bytes = DOMAIN.genesis_hash
    number: int = 0
    accumulator: bytes = bytes(32)
    inbox: int = 0
    batches: list[LoggedBatch] = field(default_factory=list)

    def append(
        self, asked: Sequence[Asked], chunks: Sequence[Sequence[Row]], **changed: Any
    ) -> LoggedBatch:
        """The next batch: inbox items as `asked`, then `chunks`; `changed` forges its header."""
        items = tuple(
            InboxItem(kind, self.inbox + at, L1_TIME, sender[0] if sender else SENDER, payload)
            for at, (kind, payload, *sender) in enumerate(asked)
        )
        for item in items:
            self.accumulator = accumulate(self.accumulator, item)
        encoded = [encode_chunk(rows) for rows in chunks]
        fields: dict[str, Any] = {
            "number": self.number + 1,
            "parent": self.parent,
            "inbox_from": self.inbox,
            "inbox_to": self.inbox + len(items),
            "inbox_accumulator": self.accumulator,
            "origin_number": 1,
            "origin_hash": bytes(32),
            "time_min": 0,
            "time_max": TIME_MAX,
            "chunks": tuple(
                ChunkCommitment(len(compressed), keccak(compressed), keccak(raw))
                for compressed, raw in encoded
            ),
        }
        header = encode_header(BatchHeader(**fields | changed))
        batch = LoggedBatch(header, b"".join(compressed for compressed, _ in encoded), items)
        self.inbox += len(items)
        self.number, self.parent = self.number + 1, batch.batch_hash
        self.batches.append(batch)
        return batch


class RecordedVenue(Venue):
    """A venue that keeps what it was given, in order."""

    given: list[Asked | Row]

    def __post_init__(self) -> None:
        self.given = []
        super().__post_init__()

    def item(self, kind: int, payload: bytes, sender: bytes = SENDER) -> Status:
        self.given.append((kind, payload, sender))
        return super().item(kind, payload, sender)

    def run(self, tx: Transaction, signature: bytes = b"") -> Receipt:
        kind, row = encode_transaction(tx)
        self.given.append(Row(kind, row, signature))
        return super().run(tx, signature)


def recorded_batches(seed: int, transactions: int) -> list[LoggedBatch]:
    """A random history cut into batches: an inbox item opens a new one."""
    with patch.object(histories, "Venue", RecordedVenue):
        history = History(seed)
    history.run(transactions)
    assert isinstance(history.venue, RecordedVenue)
    chain = Chain()
    items: list[Asked] = []
    rows: list[Row] = []
    for given in history.venue.given:
        if isinstance(given, Row):
            rows.append(given)
            continue
        if rows:
            chain.append(items, in_chunks(rows))
            items, rows = [], []
        items.append(given)
    chain.append(items, in_chunks(rows))
    return chain.batches


def in_chunks(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Rows cut so that every batch of more than a few has several chunks."""
    assert CHUNK_ROWS <= CHUNK_TRANSACTIONS_MAX
    return [rows[at : at + CHUNK_ROWS] for at in range(0, len(rows), CHUNK_ROWS)]
