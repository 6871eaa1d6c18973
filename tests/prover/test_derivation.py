"""Everyone who holds the logs derives the same batch, or knows that the logs are not L1's."""

from collections.abc import Callable
from typing import Any

import pytest
from builders import DOMAIN, FAR, NOW
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from recorded_batches import Chain, LoggedBatch

from prover.derivation import Cursor, Derived, Inconsistent, derive_batch, genesis_cursor
from state.batch import BatchHeader, decode_header, encode_header
from state.chunks import Row, encode_chunk
from state.crypto import keccak
from state.transactions import Header, Transaction, Transfer, encode_transaction
from state.transactions.kinds import InboxKind

START = genesis_cursor(DOMAIN)
DEPOSIT = (InboxKind.DEPOSIT, bytes(31) + b"\x01")
SECOND_CHUNK = 1


def rows(*transactions: Transaction) -> list[Row]:
    return [
        Row(*encode_transaction(tx), b"" if isinstance(tx, Header) else bytes(64))
        for tx in transactions
    ]


CHUNKS = (
    rows(*[Header(NOW + second) for second in range(30)]),
    rows(Header(NOW + 40), *[Transfer(256, at, 257, 10**9, FAR) for at in range(5)]),
)


def logged(**changed: Any) -> LoggedBatch:
    """Batch 1: two deposits and two chunks, but for `changed` in its header."""
    return Chain().append([DEPOSIT, DEPOSIT], CHUNKS, **changed)


def derive(batch: LoggedBatch, after: Cursor = START) -> Derived:
    return derive_batch(
        batch.header, batch.payload, batch.items, after=after, batch_hash=batch.batch_hash
    )


def with_header(batch: LoggedBatch, change: Callable[[BatchHeader], BatchHeader]) -> LoggedBatch:
    header = encode_header(change(decode_header(batch.header)))
    return LoggedBatch(header, batch.payload, batch.items)


def test_what_was_posted_is_what_is_derived() -> None:
    batch = logged()
    derived = derive(batch)
    assert derived.batch.chunks == list(CHUNKS) and not derived.batch.void
    assert derived.batch.header == decode_header(batch.header)
    assert derived.void_reason == "" and derived.compressed_bytes == len(batch.payload)
    accumulator = derived.batch.header.inbox_accumulator
    assert derived.cursor == Cursor(1, batch.batch_hash, 2, accumulator)


def test_the_next_batch_follows_the_cursor() -> None:
    chain = Chain()
    first = chain.append([DEPOSIT], CHUNKS[:1])
    second = chain.append([DEPOSIT, DEPOSIT], CHUNKS[1:])
    cursor = derive(second, derive(first).cursor).cursor
    assert (cursor.number, cursor.inbox, cursor.batch_hash) == (2, 3, second.batch_hash)


def test_a_forced_batch_has_items_and_no_chunks() -> None:
    derived = derive(Chain().append([DEPOSIT], []))
    assert derived.batch.chunks == [] and derived.void_reason == ""


# --- inconsistent: ours ---


@pytest.mark.parametrize(
    ("reason", "changed"),
    [
        ("UNKNOWN_VERSION", {"version": 2}),
        ("UNKNOWN_MODE", {"mode": 1}),
        ("BATCH_NUMBER", {"number": 2}),
        ("PARENT", {"parent": bytes(32)}),
        ("INBOX_RANGE", {"inbox_from": 1}),
        ("INBOX_RANGE", {"inbox_to": 3}),
        ("INBOX_RANGE", {"inbox_to": 1}),
        ("ACCUMULATOR", {"inbox_accumulator": bytes(32)}),
    ],
)
def test_a_header_that_does_not_follow_is_not_l1s(reason: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Inconsistent, match=rf"^{reason}: .*must be read from L1 again$"):
        derive(logged(**changed))


def test_other_bytes_than_the_logged_hash_are_not_l1s() -> None:
    batch = logged()
    for header in (batch.header + b"\0", b"", batch.header[:-1]):
        with pytest.raises(Inconsistent, match=r"^BATCH_HASH"):
            derive_batch(header, b"", (), after=START, batch_hash=batch.batch_hash)
        with pytest.raises(Inconsistent, match=r"^HEADER_FORM"):
            derive_batch(header, b"", (), after=START, batch_hash=keccak(header))


def test_another_item_than_l1_accumulated_is_not_l1s() -> None:
    batch = logged()
    forged = (batch.items[0], replace(batch.items[1], time=batch.items[1].time + 1))
    with pytest.raises(Inconsistent, match=r"^ACCUMULATOR"):
        derive(LoggedBatch(batch.header, batch.payload, forged))


@given(at=st.integers(0, len(logged().payload) - 1), flip=st.integers(1, 255))
def test_another_payload_than_l1_hashed_is_not_l1s(at: int, flip: int) -> None:
    batch = logged()
    payload = bytearray(batch.payload)
    payload[at] ^= flip
    with pytest.raises(Inconsistent, match=r"^CHUNK_HASH"):
        derive(LoggedBatch(batch.header, bytes(payload), batch.items))


# --- void: the poster's ---


def with_second_chunk(compressed: bytes, raw_hash: bytes) -> LoggedBatch:
    """Batch 1 as L1 logs it when its second chunk was posted like this."""
    first, _ = encode_chunk(CHUNKS[0])

    def change(header: BatchHeader) -> BatchHeader:
        second = replace(
            header.chunks[SECOND_CHUNK],
            size=len(compressed),
            compressed_hash=keccak(compressed),
            raw_hash=raw_hash,
        )
        return replace(header, chunks=(header.chunks[0], second))

    batch = with_header(logged(), change)
    return LoggedBatch(batch.header, first + compressed, batch.items)


COMPRESSED, RAW = encode_chunk(CHUNKS[SECOND_CHUNK])
NOT_ROWS = b"\x10A"


@pytest.mark.parametrize(
    ("void", "compressed", "raw_hash"),
    [
        ("chunk 1: EMPTY_BLOCK (1): ", b"", keccak(RAW)),
        ("chunk 1: LITERALS_CUT (6): ", b"\xf0\x00", keccak(RAW)),
        ("chunk 1: WRONG_HASH (20): ", COMPRESSED, keccak(b"another chunk")),
        ("chunk 1: COUNT_CUT (22): ", NOT_ROWS, keccak(b"A")),
    ],
)
def test_one_bad_chunk_voids_the_batch(void: str, compressed: bytes, raw_hash: bytes) -> None:
    batch = with_second_chunk(compressed, raw_hash)
    derived = derive(batch)
    assert derived.void_reason.startswith(void)
    assert derived.batch.void and derived.batch.chunks == []
    # Its items still run, and the next batch follows it.
    assert len(derived.batch.items) == 2 and derived.cursor.batch_hash == batch.batch_hash


@pytest.mark.parametrize(
    ("void", "payload"),
    [
        ("PAYLOAD_CUT (40): ", logged().payload[:-1]),
        ("PAYLOAD_TRAILING_BYTES (41): ", logged().payload + b"\0"),
    ],
)
def test_sizes_that_miss_the_payload_void_the_batch(void: str, payload: bytes) -> None:
    batch = logged()
    derived = derive(LoggedBatch(batch.header, payload, batch.items))
    assert derived.void_reason.startswith(void) and derived.batch.void


@given(data=st.binary(max_size=200), raw_hash=st.sampled_from([keccak(RAW), bytes(32)]))
def test_no_bytes_in_a_chunk_break_derivation(data: bytes, raw_hash: bytes) -> None:
    derived = derive(with_second_chunk(data, raw_hash))
    assert derived.batch.void and derived.void_reason.startswith("chunk 1: ")


@given(at=st.integers(0, len(COMPRESSED) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_in_a_chunk_voids_the_batch_or_decodes_alike(at: int, flip: int) -> None:
    forged = bytearray(COMPRESSED)
    forged[at] ^= flip
    derived = derive(with_second_chunk(bytes(forged), keccak(RAW)))
    assert derived.batch.void or derived.batch.chunks == list(CHUNKS)
