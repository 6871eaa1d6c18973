"""From the bytes on L1 to a batch: whoever holds the logs derives the same one.

Two things can be wrong, and they are kept apart. A chunk that is no chunk is the
poster's fault: the batch is void, and everyone agrees that it is. Bytes that do not
follow from what was derived before are ours: L1 never accepted them in this order, so
the node must look at L1 again.
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from state.batch import CALLDATA, VERSION, BatchHeader, decode_header
from state.chunks import Row, decode_chunk, split_payload
from state.crypto import ZERO_HASH, keccak
from state.eip712 import Domain
from state.execution import Batch
from state.inbox import InboxItem, accumulate
from state.lz4_block import CodecError
from state.packing import NotCanonical


class InconsistentReason(StrEnum):
    """What does not follow from what was derived before."""

    HEADER_FORM = "HEADER_FORM"
    UNKNOWN_VERSION = "UNKNOWN_VERSION"
    UNKNOWN_MODE = "UNKNOWN_MODE"
    BATCH_HASH = "BATCH_HASH"
    BATCH_NUMBER = "BATCH_NUMBER"
    PARENT = "PARENT"
    INBOX_RANGE = "INBOX_RANGE"
    ACCUMULATOR = "ACCUMULATOR"
    CHUNK_HASH = "CHUNK_HASH"
    LOGS_MISSING = "LOGS_MISSING"


class Inconsistent(Exception):
    """L1 cannot have accepted this: our view of it is broken, not the batch."""

    def __init__(self, reason: InconsistentReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}; the logs must be read from L1 again")
        self.reason = reason


class Cursor(Struct, frozen=True):
    """Where derivation stands: the last batch, and the inbox items taken up to it."""

    number: int
    batch_hash: bytes
    inbox: int
    accumulator: bytes


class Derived(Struct, frozen=True, kw_only=True):
    """A batch as everyone sees it. `void_reason` is empty unless it is void."""

    batch: Batch
    batch_hash: bytes
    cursor: Cursor
    void_reason: str = ""
    compressed_bytes: int = 0


def genesis_cursor(domain: Domain) -> Cursor:
    """Before batch 1 of a deployment."""
    return Cursor(0, domain.genesis_hash, 0, ZERO_HASH)


def derive_batch(
    header: bytes, payload: bytes, items: Sequence[InboxItem], *, after: Cursor, batch_hash: bytes
) -> Derived:
    """The batch that L1 logged as `batch_hash`, with the `items` of its inbox range.

    `payload` is its compressed chunks end to end. Inconsistent where it does not
    follow `after`; never because of what a chunk holds.
    """
    decoded = _header(header, batch_hash)
    cursor = _follow(decoded, items, after, batch_hash)
    chunks, void_reason = chunks_of(decoded, payload)
    return Derived(
        batch=Batch(decoded, items, chunks, void=bool(void_reason)),
        batch_hash=batch_hash,
        cursor=cursor,
        void_reason=void_reason,
        compressed_bytes=len(payload),
    )


def _header(data: bytes, batch_hash: bytes) -> BatchHeader:
    if keccak(data) != batch_hash:
        detail = f"the header hashes to {keccak(data).hex()}, but L1 logged {batch_hash.hex()}"
        raise Inconsistent(InconsistentReason.BATCH_HASH, detail)
    try:
        header = decode_header(data)
    except NotCanonical as error:
        raise Inconsistent(InconsistentReason.HEADER_FORM, f"the header: {error}") from error
    if header.version != VERSION:
        detail = f"batch {header.number} has version {header.version}, this node runs {VERSION}"
        raise Inconsistent(InconsistentReason.UNKNOWN_VERSION, detail)
    if header.mode != CALLDATA:
        detail = f"batch {header.number} has data mode {header.mode}, this node reads {CALLDATA}"
        raise Inconsistent(InconsistentReason.UNKNOWN_MODE, detail)
    return header


def _follow(
    header: BatchHeader, items: Sequence[InboxItem], after: Cursor, batch_hash: bytes
) -> Cursor:
    """The cursor behind this batch, which must be the next one and take the next items."""
    if header.number != after.number + 1:
        detail = f"batch {after.number + 1} expected, batch {header.number} found"
        raise Inconsistent(InconsistentReason.BATCH_NUMBER, detail)
    if header.parent != after.batch_hash:
        detail = (
            f"batch {header.number} follows {header.parent.hex()}, not {after.batch_hash.hex()}"
        )
        raise Inconsistent(InconsistentReason.PARENT, detail)
    expected = range(after.inbox, header.inbox_to)
    if header.inbox_from != after.inbox or [item.index for item in items] != list(expected):
        detail = (
            f"batch {header.number} takes items {header.inbox_from} to {header.inbox_to}; "
            f"{after.inbox} were taken before it, and {len(items)} items were found for it"
        )
        raise Inconsistent(InconsistentReason.INBOX_RANGE, detail)
    accumulator = after.accumulator
    for item in items:
        accumulator = accumulate(accumulator, item)
    if accumulator != header.inbox_accumulator:
        detail = (
            f"the items of batch {header.number} accumulate to {accumulator.hex()}, "
            f"not {header.inbox_accumulator.hex()}"
        )
        raise Inconsistent(InconsistentReason.ACCUMULATOR, detail)
    return Cursor(header.number, batch_hash, header.inbox_to, accumulator)


def chunks_of(header: BatchHeader, payload: bytes) -> tuple[list[list[Row]], str]:
    """Every chunk's transactions, or none and why: one bad chunk voids the batch.

    Inconsistent where a chunk is not the one that the header names.
    """
    try:
        compressed = split_payload(payload, [chunk.size for chunk in header.chunks])
    except CodecError as error:
        return [], str(error)
    for index, (data, chunk) in enumerate(zip(compressed, header.chunks, strict=True)):
        # L1 hashed these bytes itself: other ones are not what it was given.
        if keccak(data) != chunk.compressed_hash:
            detail = f"chunk {index} of batch {header.number} is not what its header names"
            raise Inconsistent(InconsistentReason.CHUNK_HASH, detail)
    chunks = []
    for index, (data, chunk) in enumerate(zip(compressed, header.chunks, strict=True)):
        try:
            chunks.append(decode_chunk(data, chunk.raw_hash))
        except CodecError as error:
            return [], f"chunk {index}: {error}"
    return chunks, ""
