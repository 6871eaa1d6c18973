"""`batch decode` and `batch diff`: what was posted, in words, and where two of them part."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from proving_world import BUSY, TRADING, VOID, ProvingWorld, proving_world

from node.cli.main import tallystick
from node.proving.posted import PostedBatch, parted, read_posted
from state.batch import ChunkCommitment, decode_header, encode_header
from state.chunks import Row, encode_chunk
from state.crypto import keccak
from state.transactions import Header, decode_transaction, encode_transaction


@pytest.fixture(scope="module")
def world() -> Iterator[ProvingWorld]:
    with proving_world() as running:
        yield running


@pytest.fixture
def busy(world: ProvingWorld, tmp_path: Path) -> Path:
    """The busy batch in a file."""
    path = tmp_path / "busy"
    world.run("batch", "decode", str(BUSY), "--out", str(path))
    return path


def alone(*words: str, code: int = 0) -> str:
    """What a command says that needs no L1."""
    result = CliRunner().invoke(tallystick, words, prog_name="tallystick")
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.stdout + result.stderr


def with_rows(path: Path, chunk: int, rows: list[Row]) -> Path:
    """A file beside `path` of the same batch with another chunk."""
    batch = read_posted(*parted(path.read_bytes()))
    return written(
        path.with_name("other"),
        batch,
        [rows if place == chunk else list(found) for place, found in enumerate(batch.chunks)],
    )


def written(path: Path, batch: PostedBatch, chunks: list[list[Row]]) -> Path:
    encoded = [encode_chunk(rows) for rows in chunks]
    named = tuple(
        ChunkCommitment(len(compressed), keccak(compressed), keccak(raw))
        for compressed, raw in encoded
    )
    header = encode_header(replace(batch.header, chunks=named))
    path.write_bytes(header + b"".join(compressed for compressed, _ in encoded))
    return path


def test_every_transaction_is_told(world: ProvingWorld) -> None:
    found = world.json("batch", "decode", str(BUSY))
    kinds = [(one["chunk"], one["row"], one["kind"]) for one in found["transactions"]]
    assert kinds == [
        *((0, 0, "header"), (0, 1, "price")),
        *(
            (1, row, kind)
            for row, kind in enumerate(
                ("order", "order", "order", "order", "cancel all", "withdraw")
            )
        ),
    ]
    order = found["transactions"][3]
    assert order["fields"]["flags"] == "buy limit FOK cancel-resting"
    assert (order["fields"]["lots"], order["fields"]["ticks"]) == (10, 500_000)
    assert len(order["signature"]) == 2 + 128
    assert found["sizes"]["transactions"] == 8 and found["sizes"]["items"] == 1
    assert found["void"] == "" and found["header"]["number"] == BUSY
    shown = world.run("batch", "decode", str(BUSY)).stdout
    assert "buy limit FOK" in shown and "cancel all" in shown and "inbox_accumulator" in shown


def test_a_void_batch_says_why(world: ProvingWorld) -> None:
    found = world.json("batch", "decode", str(VOID))
    assert found["void"].startswith("chunk 0: ") and found["transactions"] == []
    assert "WRONG_HASH" in found["void"]
    assert "WRONG_HASH" in world.run("batch", "decode", str(VOID)).stdout


def test_a_file_is_read_without_l1(busy: Path) -> None:
    assert "withdraw" in alone("batch", "decode", str(busy))
    assert '"number": 3' in alone("batch", "decode", str(busy), "--json")


def test_a_batch_is_the_same_as_its_file(world: ProvingWorld, busy: Path) -> None:
    assert world.run("batch", "diff", str(BUSY), str(busy)).stdout == "they are the same\n"
    assert world.json("batch", "diff", str(BUSY), str(busy)) == {
        "same": True,
        "header": [],
        "firstTransaction": None,
        "firstByte": None,
    }


def test_the_first_transaction_that_differs_is_told(world: ProvingWorld, busy: Path) -> None:
    batch = read_posted(*parted(busy.read_bytes()))
    rows = list(batch.chunks[1])
    tx = decode_transaction(rows[2].kind, rows[2].row)
    changed = replace(tx, lots=5)
    rows[2] = Row(*encode_transaction(changed), rows[2].signature)
    other = with_rows(busy, 1, rows)
    found = world.json("batch", "diff", str(BUSY), str(other), code=1)
    assert not found["same"] and found["firstTransaction"]["transaction"] == 4
    assert found["firstTransaction"]["differences"] == [{"field": "lots", "one": 4, "other": 5}]
    fields = {one["field"] for one in found["header"]}
    assert fields >= {"chunks[1].raw_hash", "chunks[1].compressed_hash"}
    said = alone("batch", "diff", str(busy), str(other), code=1)
    assert "lots" in said and "they differ, first in transaction 4" in said


def test_a_transaction_that_only_one_has_is_the_first(busy: Path) -> None:
    batch = read_posted(*parted(busy.read_bytes()))
    other = with_rows(busy, 1, [*batch.chunks[1], Row(*encode_transaction(Header(7)))])
    said = alone("batch", "diff", str(busy), str(other), code=1)
    assert "they differ, first in transaction 8" in said and "absent" in said


def test_batches_without_transactions_differ_in_bytes(world: ProvingWorld, tmp_path: Path) -> None:
    """A chunk that is none, its last byte changed, and named as it is: void on both sides."""
    path = tmp_path / "void"
    world.run("batch", "decode", str(VOID), "--out", str(path))
    header, payload = parted(path.read_bytes())
    changed = payload[:-1] + bytes([payload[-1] ^ 1])
    decoded = decode_header(header)
    chunks = (replace(decoded.chunks[0], compressed_hash=keccak(changed)),)
    other = tmp_path / "other"
    other.write_bytes(encode_header(replace(decoded, chunks=chunks)) + changed)
    said = alone("batch", "diff", str(path), str(other), code=1)
    assert f"they differ, first in byte {len(payload) - 1} of their payloads" in said


def test_headers_alone_may_differ(busy: Path, tmp_path: Path) -> None:
    header, payload = parted(busy.read_bytes())
    other = tmp_path / "other"
    other.write_bytes(encode_header(replace(decode_header(header), time_max=7)) + payload)
    said = alone("batch", "diff", str(busy), str(other), code=1)
    assert "time_max" in said and "they differ in their headers alone" in said


def test_two_batches_of_l1_are_compared(world: ProvingWorld) -> None:
    found = world.json("batch", "diff", str(TRADING), str(VOID), code=1)
    fields = {one["field"]: one for one in found["header"]}
    assert (fields["number"]["one"], fields["number"]["other"]) == (TRADING, VOID)
    assert fields["void"]["one"] == "no" and fields["void"]["other"].startswith("chunk 0")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes are no batch: expected a header of 148 bytes"),
        (bytes(147), "147 bytes are no batch"),
        (bytes(147) + b"\2", "expected a header of 280 bytes"),
        (bytes(147) + b"\xff" + bytes(255 * 66), "255 chunks, at most 64"),
        (bytes(147) + b"\1" + bytes(66), "chunk 0 of batch 0 is not what its header names"),
    ],
)
def test_what_is_no_batch_is_put_wrongly(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "batch"
    path.write_bytes(content)
    assert said in alone("batch", "decode", str(path), code=2)


@pytest.mark.parametrize("name", ["99", "0", "9" * 5_000])
def test_a_number_that_l1_does_not_have_is_told(world: ProvingWorld, name: str) -> None:
    said = world.run("batch", "decode", name, code=1).stderr
    assert "NO_SUCH_BATCH" in said


def test_a_file_that_is_not_there_is_told() -> None:
    said = alone("batch", "decode", "no-such-file", code=1)
    assert "cannot read no-such-file: No such file or directory; a batch is its number" in said


@given(data=st.binary(max_size=600))
def test_any_bytes_are_a_batch_or_none(data: bytes) -> None:
    try:
        header, payload = parted(data)
        batch = read_posted(header, payload)
    except ValueError:
        return
    assert batch.encoded == data
