"""What a node and its workers say to each other over a pipe: frames of rows, and of signers.

    to a worker:   u32 size | per transaction: u8 kind | row | signatures
    from a worker: u32 size | per signature, in order: digest (32) | address (20)

A frame is answered by one frame, in order.
"""

from collections.abc import Iterable, Iterator, Sequence

from state.chunks import SIGNATURES, WIDTHS, Row
from state.limits import SIGNATURE_BYTES

SIZE_BYTES = 4
PIPE_BYTES = 2**20
"""What a pipe takes in before it is read, where the system allows it."""

DIGEST_BYTES = 32
FOUND_BYTES = DIGEST_BYTES + 20

Known = dict[bytes, bytes]
"""Addresses by digest and signature, one behind the other."""


def framed(body: bytes) -> bytes:
    """A frame on its way."""
    return len(body).to_bytes(SIZE_BYTES, "big") + body


def is_recoverable(row: Row) -> bool:
    """Whether `row` carries the signatures of its kind, so that it fits a frame."""
    width = SIGNATURES.get(row.kind, 0)
    return width > 0 and len(row.signature) == width


def encode_rows(rows: Iterable[Row]) -> bytes:
    """The body to a worker; every row must be recoverable."""
    return b"".join([b"%c%b%b" % row for row in rows])


def decode_rows(body: bytes) -> Iterator[Row]:
    """The rows that `encode_rows` wrote."""
    at = 0
    while at < len(body):
        kind = body[at]
        middle = at + 1 + WIDTHS[kind]
        end = middle + SIGNATURES[kind]
        yield Row(kind, body[at + 1 : middle], body[middle:end])
        at = end


def signatures_of(row: Row) -> list[bytes]:
    """The signatures of a row one by one: a block trade has two."""
    if len(row.signature) == SIGNATURE_BYTES:
        return [row.signature]
    return [
        row.signature[at : at + SIGNATURE_BYTES]
        for at in range(0, len(row.signature), SIGNATURE_BYTES)
    ]


def found_in(body: bytes, rows: Sequence[Row]) -> list[tuple[Row, Known]]:
    """What a worker found for each of `rows`. ValueError for an answer to something else."""
    signatures = [signatures_of(row) for row in rows]
    if len(body) != FOUND_BYTES * sum(map(len, signatures)):
        raise ValueError(f"{len(body)} bytes do not answer a frame of {len(rows)} transactions")
    found, at = [], 0
    for row, own in zip(rows, signatures, strict=True):
        known: Known = {}
        for signature in own:
            middle, end = at + DIGEST_BYTES, at + FOUND_BYTES
            known[body[at:middle] + signature] = body[middle:end]
            at = end
        found.append((row, known))
    return found
