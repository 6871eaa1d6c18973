# pragma version 0.4.3
"""
@title Malformed: a batch with a chunk that is none, made void
@notice Rule BATCH-7 of docs/protocol.md. Every node finds such a batch by itself. That L1 knows
        it too takes one call with the chunk, which is decoded here: a chunk that decodes to
        what its header says is one for everybody, so an honest batch cannot be voided.
"""

from . import batches
from . import claims
from .steps import chunks

uses: batches
uses: claims


# Where a batch header counts its chunks, in the last byte of a word, and where in the record
# of a chunk its two hashes begin.
HEADER_CHUNKS: constant(uint256) = 147 - 31
HEADER_RECORDS: constant(uint256) = 148
RECORD_COMPRESSED_HASH: constant(uint256) = 2
RECORD_RAW_HASH: constant(uint256) = 34

U8: constant(uint256) = 2**8 - 1

# What the size of a chunk in a header can say.
COMPRESSED_BYTES_MAX: constant(uint256) = 2**16 - 1


# @notice The contract that decodes a chunk; steps/chunks.vy.
CHUNKS: public(immutable(address))

# @notice Whether a batch was proven to be void: of its steps, only the inbox items run.
void_batches: public(HashMap[uint64, bool])


event BatchVoided:
    number: indexed(uint64)
    chunk: uint8
    reason: uint8
    by: address


@deploy
def __init__(chunks_address: address):
    """
    @param chunks_address A deployment of steps/chunks.vy.
    """
    assert chunks_address.is_contract, "malformed: decoder of chunks is not a contract"
    CHUNKS = chunks_address


@external
def prove_malformed(
    number: uint64,
    header: Bytes[batches.HEADER_BYTES_MAX],
    chunk: uint8,
    compressed: Bytes[COMPRESSED_BYTES_MAX],
):
    """
    @notice Make a batch void, by a chunk of it that does not decode, not to the raw bytes that
            the header names, or to bytes that are no chunk. Anyone may, until a claim on the
            batch has confirmed.
    @param header The batch's header as logged.
    @param chunk Which of its chunks, counted from 0.
    @param compressed That chunk as logged.
    """
    assert number > claims._confirmed_head().batch, "malformed: batch is settled"
    assert not self.void_batches[number], "malformed: batch is void already"
    assert keccak256(header) == batches.batch_hashes[number], "malformed: wrong header"
    count: uint256 = extract32(header, HEADER_CHUNKS, output_type=uint256) & U8
    index: uint256 = convert(chunk, uint256)
    assert index < count, "malformed: no such chunk"

    record: uint256 = HEADER_RECORDS + index * batches.CHUNK_RECORD_BYTES
    compressed_hash: bytes32 = extract32(header, record + RECORD_COMPRESSED_HASH)
    assert keccak256(compressed) == compressed_hash, "malformed: wrong chunk"
    raw_hash: bytes32 = extract32(header, record + RECORD_RAW_HASH)
    reason: uint256 = staticcall chunks.__interface__(CHUNKS).malformed(compressed, raw_hash)
    assert reason != 0, "malformed: chunk is well-formed"

    self.void_batches[number] = True
    log BatchVoided(number=number, chunk=chunk, reason=convert(reason, uint8), by=msg.sender)
