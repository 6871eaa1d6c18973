"""When a batch is sealed, reason by reason and at the edge of each."""

from random import Random

import pytest

from sequencer.payload import Payload, compressed_size_max
from sequencer.sealing import BatchFigures, SealingPolicy, SealReason, seal_reason
from state.chunks import Row, chunk_size, encode_chunk, row_size
from state.limits import BATCH_CHUNKS_MAX, CHUNK_BYTES_MAX, CHUNK_TRANSACTIONS_MAX
from state.lz4_block import encode
from state.transactions.kinds import ROW_WIDTHS, Kind

POLICY = SealingPolicy(age_max=2.0, item_wait_max=0.5, payload_bytes=1_000)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({}, None),
        ({"age": 2.0}, SealReason.AGE),
        ({"age": 1.999}, None),
        ({"payload_bytes": 1_000}, SealReason.LARGE),
        ({"payload_bytes": 999}, None),
        ({"item_wait": 0.5}, SealReason.ITEMS),
        ({"item_wait": 0.499}, None),
        ({"item_wait": 0.0, "age": 2.0}, SealReason.AGE),
        ({"item_wait": 9.0, "age": 9.0}, SealReason.ITEMS),
        ({"item_wait": 9.0, "age": 9.0, "payload_bytes": 9_999}, SealReason.LARGE),
        ({"is_full": True, "payload_bytes": 9_999}, SealReason.FULL),
    ],
)
def test_a_batch_is_sealed_for_the_first_reason_that_holds(
    figures: dict[str, float], reason: SealReason | None
) -> None:
    small: dict[str, float] = {"age": 0.1, "payload_bytes": 10, "is_full": False}
    assert seal_reason(POLICY, BatchFigures(**small | figures)) == reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age_max", "lag", "fits"), [(2.0, 16, True), (2.0, 15, False), (0.0, 300, False)]
)
def test_a_policy_leaves_most_of_the_time_lag_for_posting(
    age_max: float, lag: int, fits: bool
) -> None:
    assert SealingPolicy(age_max=age_max).is_within(lag) == fits


def row(kind: Kind, fill: int) -> Row:
    """Bytes that do not compress: a different signature each."""
    signature = (
        b"" if kind == Kind.HEADER else bytes((fill * 31 + at * 7) % 256 for at in range(64))
    )
    return Row(kind, fill.to_bytes(ROW_WIDTHS[kind], "big"), signature)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [(Kind.HEADER, CHUNK_TRANSACTIONS_MAX), (Kind.ORDER, 83), (Kind.WITHDRAW, 74)],
)
def test_a_chunk_is_closed_before_it_would_be_too_large(kind: Kind, rows: int) -> None:
    payload = Payload()
    for at in range(rows):
        assert payload.openings([kind]) == [at == 0]
        payload.add(row(kind, at))
    assert payload.openings([kind]) == [True]
    payload.add(row(kind, rows))
    (chunk,) = payload.chunks
    assert (len(chunk.rows), len(payload.rows)) == (rows, 1)
    assert chunk_size(row.kind for row in chunk.rows) <= CHUNK_BYTES_MAX
    assert chunk.compressed == encode_chunk(chunk.rows)[0]


def test_a_small_transaction_may_join_a_chunk_that_a_large_one_does_not_fit() -> None:
    payload = Payload()
    for at in range(83):
        payload.add(row(Kind.ORDER, at))
    assert payload.openings([Kind.ORDER]) == [True]
    assert payload.openings([Kind.HEADER, Kind.ORDER]) == [False, True]


def test_a_batch_has_no_more_chunks_than_l1_takes() -> None:
    payload = Payload()
    for at in range(CHUNK_TRANSACTIONS_MAX * BATCH_CHUNKS_MAX):
        assert payload.openings([Kind.HEADER]) is not None
        payload.add(row(Kind.HEADER, at))
    assert payload.openings([Kind.HEADER]) is None


@pytest.mark.parametrize("kind", [Kind.HEADER, Kind.ORDER])
def test_where_a_batch_looks_roomy_any_two_fit_and_it_does_nearly_to_its_end(kind: Kind) -> None:
    payload, random = Payload(), Random(4)  # noqa: S311  (a seed must reproduce a failure)
    widest = max(ROW_WIDTHS, key=lambda each: row_size(each))
    roomy = rows = 0
    while payload.openings([kind]) is not None:
        if payload.is_roomy:
            roomy += 1
            for pair in ([Kind.HEADER, widest], [widest, widest], [Kind.HEADER, Kind.HEADER]):
                assert payload.openings(pair) is not None, f"after {rows} rows"
        payload.add(
            Row(kind, random.randbytes(ROW_WIDTHS[kind]), random.randbytes(64 * (kind > 1)))
        )
        rows += 1
    assert not payload.is_roomy and rows * 9 < roomy * 10


@pytest.mark.parametrize("size", [1, 14, 15, 16, 269, 270, 271, CHUNK_BYTES_MAX])
def test_nothing_compresses_to_more_than_the_bound(size: int) -> None:
    raw = b"".join((at * 2_654_435_761 % 2**32).to_bytes(4, "big") for at in range(size))[:size]
    assert len(encode(raw)) <= compressed_size_max(size)


def test_the_size_on_l1_is_never_more_than_was_counted() -> None:
    payload = Payload()
    for at in range(300):
        payload.add(row(Kind.ORDER, at))
        counted = payload.size_max
    payload.close()
    assert sum(len(chunk.compressed) for chunk in payload.chunks) == payload.size_max <= counted
