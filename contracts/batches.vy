# pragma version 0.4.3
"""
@title Batches: the order of the venue, posted and bounded
@notice Section 6 of docs/protocol.md. L1 keeps one hash a batch; header and compressed
        chunks are in the log, so whoever has the logs has the batch. L1 writes into
        the header itself what it knows better than the sequencer: number, parent,
        inbox range and accumulator, and the hash of every compressed chunk.
"""

from . import inbox

uses: inbox


VERSION: public(constant(uint16)) = 1

CHUNKS_MAX: constant(uint256) = 64
PAYLOAD_BYTES_MAX: constant(uint256) = 110_000

# Per chunk: u16 size | bytes32 keccak(compressed) | bytes32 keccak(raw).
CHUNK_RECORD_BYTES: constant(uint256) = 66
CHUNK_RECORDS_BYTES_MAX: constant(uint256) = CHUNKS_MAX * CHUNK_RECORD_BYTES
HEADER_BYTES_MAX: constant(uint256) = 148 + CHUNK_RECORDS_BYTES_MAX

MODE_CALLDATA: constant(uint8) = 0

# Steps of one batch that inbox items may take.
INBOX_STEPS_MAX: constant(uint64) = 16_384

# The EVM remembers the hashes of the last 256 blocks.
ORIGIN_AGE_MAX: constant(uint256) = 255

# Seconds, about 34 years: no sum or difference with a block's time leaves its bounds.
DURATION_MAX: constant(uint64) = 2**30


# @notice The only account that may order transactions.
SEQUENCER: public(immutable(address))

# @notice Seconds after which an inbox item that fits may no longer be left out.
INBOX_DELAY: public(immutable(uint64))

# @notice Seconds after which anyone may post the inbox without the sequencer.
FORCE_DELAY: public(immutable(uint64))

# @notice Seconds that a batch's times may lie before its L1 block.
TIME_LAG_MAX: public(immutable(uint64))


struct Head:
    number: uint64
    time_max: uint64  # seconds; the next batch may not begin earlier
    inbox_to: uint64  # items taken so far


# @notice keccak(header) of each batch; batch 0 has none and stands for this deployment.
batch_hashes: public(HashMap[uint64, bytes32])

# u64 number | u64 time_max | u64 inbox_to
_packed_head: uint256


event BatchPosted:
    number: indexed(uint64)
    batch_hash: indexed(bytes32)
    header: Bytes[HEADER_BYTES_MAX]
    payload: Bytes[PAYLOAD_BYTES_MAX]


@deploy
def __init__(sequencer: address, inbox_delay: uint64, force_delay: uint64, time_lag_max: uint64):
    """
    @notice Delays in seconds. Batch 0 is this deployment on this chain.
    """
    assert sequencer != empty(address), "batches: no sequencer"
    # The sequencer must have had its chance before anyone else takes a turn.
    assert force_delay > inbox_delay, "batches: force delay is not above inbox delay"
    assert force_delay <= DURATION_MAX, "batches: force delay is too long"
    assert time_lag_max > 0, "batches: time lag is zero"
    assert time_lag_max <= DURATION_MAX, "batches: time lag is too long"
    SEQUENCER = sequencer
    INBOX_DELAY = inbox_delay
    FORCE_DELAY = force_delay
    TIME_LAG_MAX = time_lag_max
    self.batch_hashes[0] = keccak256(
        concat(b"tallystick genesis", convert(chain.id, bytes32), convert(self, bytes20))
    )


@external
def post_batch(
    inbox_to: uint64,
    origin_number: uint64,
    origin_hash: bytes32,
    time_min: uint64,
    time_max: uint64,
    sizes: DynArray[uint16, CHUNKS_MAX],
    raw_hashes: DynArray[bytes32, CHUNKS_MAX],
    payload: Bytes[PAYLOAD_BYTES_MAX],
    parent: bytes32,
):
    """
    @notice Post the next batch: inbox items up to `inbox_to`, then the chunks whose
            compressed bytes stand end to end in `payload`. The sequencer only.
    @param inbox_to Items taken when the batch is done, counted from the first ever.
    @param origin_number A recent block of the L1 branch that the batch was made on.
    @param time_min Seconds; with `time_max`, the bounds of every time inside the batch.
    @param sizes Compressed bytes of each chunk.
    @param raw_hashes keccak of each chunk before compression, on the sequencer's word.
    @param parent Hash of the batch that this one was made behind. A copy of the call reverts,
           and so does one whose parent was replaced by a reorganisation of L1 or by force.
    """
    assert msg.sender == SEQUENCER, "batches: not the sequencer"
    number: uint64 = self._head().number + 1
    assert parent == self.batch_hashes[number - 1], "batches: parent is not the last batch"
    assert len(raw_hashes) == len(sizes), "batches: hashes and sizes differ"

    records: Bytes[CHUNK_RECORDS_BYTES_MAX] = b""
    offset: uint256 = 0
    for i: uint256 in range(len(sizes), bound=CHUNKS_MAX):
        size: uint256 = convert(sizes[i], uint256)
        assert size > 0, "batches: empty chunk"
        assert offset + size <= len(payload), "batches: sizes exceed payload"
        # A statement of its own, or its large buffer would push all others up in memory.
        compressed_hash: bytes32 = keccak256(slice(payload, offset, size))
        records = convert(
            concat(records, convert(sizes[i], bytes2), compressed_hash, raw_hashes[i]),
            Bytes[CHUNK_RECORDS_BYTES_MAX],
        )
        offset += size
    assert offset == len(payload), "batches: sizes fall short"

    header: Bytes[HEADER_BYTES_MAX] = self._seal(
        inbox_to, origin_number, origin_hash, time_min, time_max, records
    )
    log BatchPosted(
        number=number, batch_hash=self.batch_hashes[number], header=header, payload=payload
    )


@external
def force_batch(inbox_to: uint64, origin_number: uint64, origin_hash: bytes32):
    """
    @notice Post the inbox without the sequencer, once its oldest item has waited for more
            than FORCE_DELAY. Anyone may.
    @dev The batch gets the earliest time that the rules allow, so that what the sequencer
         has stamped but not yet posted is still in time behind it.
    """
    head: Head = self._head()
    assert self._is_older(head.inbox_to, FORCE_DELAY), "batches: nothing is overdue"

    now: uint64 = convert(block.timestamp, uint64)
    time: uint64 = max(head.time_max, now - min(now, TIME_LAG_MAX))
    header: Bytes[HEADER_BYTES_MAX] = self._seal(
        inbox_to, origin_number, origin_hash, time, time, b""
    )
    number: uint64 = head.number + 1
    log BatchPosted(number=number, batch_hash=self.batch_hashes[number], header=header, payload=b"")


@external
@view
def head() -> Head:
    """
    @notice The last batch: its number, its latest time, and the items taken up to it.
    """
    return self._head()


@internal
def _seal(
    inbox_to: uint64,
    origin_number: uint64,
    origin_hash: bytes32,
    time_min: uint64,
    time_max: uint64,
    records: Bytes[CHUNK_RECORDS_BYTES_MAX],
) -> Bytes[HEADER_BYTES_MAX]:
    """
    @notice Check what L1 knows, write the header and make it the head.
    """
    last: Head = self._head()
    assert inbox_to > last.inbox_to or len(records) > 0, "batches: nothing in the batch"
    self._check_origin(origin_number, origin_hash)
    self._check_times(last.time_max, time_min, time_max)
    self._check_inbox(last.inbox_to, inbox_to)

    number: uint64 = last.number + 1
    header: Bytes[HEADER_BYTES_MAX] = concat(
        convert(VERSION, bytes2),
        convert(number, bytes8),
        self.batch_hashes[last.number],
        convert(last.inbox_to, bytes8),
        convert(inbox_to, bytes8),
        inbox.accumulator[inbox_to],
        convert(origin_number, bytes8),
        origin_hash,
        convert(time_min, bytes8),
        convert(time_max, bytes8),
        convert(MODE_CALLDATA, bytes1),
        convert(convert(len(records) // CHUNK_RECORD_BYTES, uint8), bytes1),
        records,
    )
    self.batch_hashes[number] = keccak256(header)
    self._packed_head = (
        (convert(number, uint256) << 128)
        | (convert(time_max, uint256) << 64)
        | convert(inbox_to, uint256)
    )
    return header


@internal
@view
def _check_origin(origin_number: uint64, origin_hash: bytes32):
    """
    @notice The batch was made on this branch of L1, and not long ago.
    """
    origin: uint256 = convert(origin_number, uint256)
    assert origin < block.number, "batches: origin is not in the past"
    assert block.number - origin <= ORIGIN_AGE_MAX, "batches: origin is too old"
    assert blockhash(origin) == origin_hash, "batches: origin is on another branch"


@internal
@view
def _check_times(time_last: uint64, time_min: uint64, time_max: uint64):
    """
    @notice last time_max <= time_min <= time_max <= now, and time_min >= now - TIME_LAG_MAX:
            the sequencer can neither freeze nor race the venue's clock.
    """
    assert time_min >= time_last, "batches: time runs backwards"
    assert time_min <= time_max, "batches: time bounds are crossed"
    now: uint64 = convert(block.timestamp, uint64)
    assert time_max <= now, "batches: time is in the future"
    assert now - time_min <= TIME_LAG_MAX, "batches: time lags too far"


@internal
@view
def _check_inbox(inbox_from: uint64, inbox_to: uint64):
    """
    @notice The items are a prefix of what is waiting, they fit the budget, and no item
            older than INBOX_DELAY is left out although it would fit as well.
    """
    assert inbox_to >= inbox_from, "batches: inbox runs backwards"
    assert inbox_to <= inbox.inbox_size, "batches: inbox has no such item"
    budget_end: uint64 = inbox._item_before(inbox_from).weight + INBOX_STEPS_MAX
    assert inbox._item_before(inbox_to).weight <= budget_end, "batches: inbox budget exceeded"
    if self._is_older(inbox_to, INBOX_DELAY):
        fits: bool = inbox._item_before(inbox_to + 1).weight <= budget_end
        assert not fits, "batches: overdue item left out"


@internal
@view
def _is_older(index: uint64, delay: uint64) -> bool:
    """
    @notice Whether there is such an inbox item and it has waited for more than `delay`.
    """
    if index >= inbox.inbox_size:
        return False
    return convert(block.timestamp, uint64) - inbox._item_before(index + 1).time > delay


@internal
@view
def _head() -> Head:
    """
    @notice The last batch, unpacked.
    """
    packed: uint256 = self._packed_head
    return Head(
        number=convert(packed >> 128, uint64),
        time_max=convert((packed >> 64) & inbox.U64, uint64),
        inbox_to=convert(packed & inbox.U64, uint64),
    )
