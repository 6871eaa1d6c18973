"""The chunks of a batch that is being filled, and what they weigh on L1."""

from collections.abc import Iterable

from msgspec import Struct

from state.batch import ChunkCommitment
from state.chunks import COUNT_BYTES, Row, encode_chunk, row_size
from state.crypto import keccak
from state.limits import (
    BATCH_CHUNKS_MAX,
    BATCH_PAYLOAD_MAX,
    CHUNK_BYTES_MAX,
    CHUNK_TRANSACTIONS_MAX,
)
from state.transactions.kinds import Kind

_ROW_SIZES = {int(kind): row_size(kind) for kind in Kind}


class Chunk(Struct, frozen=True):
    """A closed chunk: its transactions, its bytes on L1, and what its header says of them."""

    rows: tuple[Row, ...]
    compressed: bytes
    commitment: ChunkCommitment
    raw_size: int


def compressed_size_max(raw_size: int) -> int:
    """A chunk that does not compress is one run of literals."""
    return raw_size + raw_size // 255 + 16


_LONE_CHUNK_MAX = compressed_size_max(COUNT_BYTES + max(_ROW_SIZES.values()))


class Payload:
    """Closed chunks, and the rows of the open one.

    How small a chunk compresses is known once it is closed; until then it counts as if
    it did not compress at all, so what fits here fits on L1.
    """

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.rows: list[Row] = []
        self._raw_size = COUNT_BYTES
        self._compressed_size = 0

    @property
    def size_max(self) -> int:
        """The most bytes that L1 will be given."""
        return self._compressed_size + (compressed_size_max(self._raw_size) if self.rows else 0)

    @property
    def is_roomy(self) -> bool:
        """Whether any two transactions fit, even if each starts a chunk; `openings` is exact."""
        size = self._compressed_size + compressed_size_max(self._raw_size) + 2 * _LONE_CHUNK_MAX
        return size <= BATCH_PAYLOAD_MAX and len(self.chunks) + 3 <= BATCH_CHUNKS_MAX

    def openings(self, kinds: Iterable[int]) -> list[bool] | None:
        """For a transaction of each of `kinds` in turn, whether it would start a chunk.

        None where they do not all fit into the batch.
        """
        closed, closed_size = len(self.chunks), self._compressed_size
        count, size = len(self.rows), self._raw_size
        openings = []
        for kind in kinds:
            opens = _opens_chunk(count, size, kind)
            if opens and count:
                closed, closed_size = closed + 1, closed_size + compressed_size_max(size)
            if opens:
                count, size = 0, COUNT_BYTES
            count, size = count + 1, size + _ROW_SIZES[kind]
            openings.append(opens)
        fits = closed_size + compressed_size_max(size) <= BATCH_PAYLOAD_MAX
        return openings if fits and closed < BATCH_CHUNKS_MAX else None

    def add(self, row: Row) -> None:
        """One more transaction, in a new chunk where the open one has no room for it."""
        if self.rows and _opens_chunk(len(self.rows), self._raw_size, row.kind):
            self.close()
        self.rows.append(row)
        self._raw_size += _ROW_SIZES[row.kind]

    def close(self) -> None:
        """Compress the open chunk, if there is one."""
        if not self.rows:
            return
        compressed, raw = encode_chunk(self.rows)
        commitment = ChunkCommitment(len(compressed), keccak(compressed), keccak(raw))
        self.chunks.append(Chunk(tuple(self.rows), compressed, commitment, len(raw)))
        self._compressed_size += len(compressed)
        self.rows, self._raw_size = [], COUNT_BYTES


def _opens_chunk(count: int, size: int, kind: int) -> bool:
    full = count == CHUNK_TRANSACTIONS_MAX or size + _ROW_SIZES[kind] > CHUNK_BYTES_MAX
    return count == 0 or full
