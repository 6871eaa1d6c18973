# pragma version 0.4.3
"""
@title Batch headers, as a step reads them
@notice As state/batch.py; laid out in section 6 of docs/protocol.md.
"""

from . import limits
from . import packing


# version .. count of chunks
HEADER_LAYOUT: constant(bytes32) = (
    0x0208200808200820080801010000000000000000000000000000000000000000
)
HEADER_BYTES: constant(uint256) = 148
# u16 size | bytes32 keccak(compressed) | bytes32 keccak(raw)
CHUNK_BYTES: constant(uint256) = 66
RAW_HASH: constant(uint256) = 34
HEADER_BYTES_MAX: constant(uint256) = HEADER_BYTES + limits.BATCH_CHUNKS_MAX * CHUNK_BYTES


struct BatchHeader:
    version: uint256
    number: uint256
    parent: bytes32
    inbox_from: uint256
    inbox_to: uint256
    inbox_accumulator: bytes32
    origin_number: uint256
    origin_hash: bytes32
    time_min: uint256
    time_max: uint256
    mode: uint256
    chunks: uint256


@internal
@pure
def _decode_header(data: Bytes[HEADER_BYTES_MAX]) -> BatchHeader:
    """
    @notice The header of these bytes, less its chunks. Reverts for any that no header has.
    """
    head: Bytes[HEADER_BYTES] = b""
    if len(data) >= HEADER_BYTES:
        head = slice(data, 0, HEADER_BYTES)
    header: BatchHeader = abi_decode(packing._unpack(head, 0, HEADER_LAYOUT), BatchHeader)
    size: uint256 = HEADER_BYTES + header.chunks * CHUNK_BYTES
    is_header: bool = header.chunks <= limits.BATCH_CHUNKS_MAX and len(data) == size
    assert is_header, "batch: not a header"
    return header


@internal
@pure
def _raw_hash(data: Bytes[HEADER_BYTES_MAX], chunk: uint256) -> bytes32:
    """
    @notice The hash of a raw chunk that the header has.
    """
    return extract32(data, HEADER_BYTES + chunk * CHUNK_BYTES + RAW_HASH)
