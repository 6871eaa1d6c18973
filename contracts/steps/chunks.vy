# pragma version 0.4.3
"""
@title Chunks on L1: what makes a batch void, and one transaction out of a chunk
@notice Sections 1 to 3 of docs/codec.md. Pure: the same bytes have the same answer for ever.
"""

from ..state import chunks
from ..state import lz4_block


@external
@pure
def malformed(compressed: Bytes[lz4_block.BLOCK_BYTES_MAX], raw_hash: bytes32) -> uint256:
    """
    @notice Zero where `compressed` is a chunk whose raw bytes hash to `raw_hash`, otherwise
            the CodecReason of state/lz4_block.py, 1 to 14 or 20 to 28. Never reverts.
    """
    return chunks._decode_chunk(compressed, raw_hash)


@external
@pure
def decode(
    compressed: Bytes[lz4_block.BLOCK_BYTES_MAX],
) -> (uint256, Bytes[chunks.CHUNK_BYTES_MAX]):
    """
    @notice Zero and the raw bytes of a block, or the CodecReason against it and no bytes. Never
            reverts. Whether they are a chunk is not asked.
    """
    return lz4_block._decode(compressed, chunks.CHUNK_BYTES_MAX)


@external
@pure
def row_at(
    raw: Bytes[chunks.CHUNK_BYTES_MAX], index: uint256
) -> (Bytes[chunks.TRANSACTION_BYTES_MAX], bool):
    """
    @notice Transaction `index` of a raw chunk as u8 kind | row | signatures, and whether it is
            the chunk's last. Reverts where `raw` has not the exact form, or has no such row.
    """
    return chunks._row_at(raw, index)
