# pragma version 0.4.3
"""
@title Entries: a claim and a trace under bond, by dispute
@notice docs/disputes.md, sections 1 and 2.
        dispute = keccak(parent claim | u256 contested at);  entry = keccak(dispute | trace root)
        second entry = keccak(entry | dispute), where the first has lost and the batch is void
"""

from . import batches
from . import claims
from . import outputs
from . import traces
from .state import machine


STATUS_WAITING: constant(uint8) = 1
STATUS_IN_MATCH: constant(uint8) = 2
STATUS_LOST: constant(uint8) = 3
STATUS_REDEEMED: constant(uint8) = 4

RESULT_OPEN: constant(uint8) = 0

U8: constant(uint256) = 2**8 - 1
U32: constant(uint256) = 2**32 - 1
U64: constant(uint256) = 2**64 - 1
U160: constant(uint256) = 2**160 - 1


interface Rollup:
    def claim_record(claim: bytes32) -> claims.Record: view
    def contested_at(parent_claim: bytes32) -> uint64: view
    def confirmed_head() -> claims.ConfirmedHead: view
    def void_batches(number: uint64) -> bool: view


# @notice The rollup whose claims these are.
ROLLUP: public(immutable(address))

# @notice Levels of a trace tree.
HEIGHT: public(immutable(uint8))

# @notice Seconds from when a claim is contested in which its children may be entered.
ENTRY_WINDOW: public(immutable(uint64))

# @notice Wei that come with an entry.
ENTRY_BOND: public(immutable(uint256))

# @notice Batches of up to so many steps are entered with all their roots.
PUBLISHED_STEPS: public(immutable(uint16))


struct Dispute:
    parent_root: bytes32  # the state root before the batch
    waiting: bytes32  # the one entry without a match, or zero
    batch: uint64
    ends_at: uint64  # seconds; entries are taken up to and with then
    entries: uint64
    alive: uint64  # entries that have not lost
    paid: bool  # whether the winner was paid for entering


struct Entry:
    dispute: bytes32
    claim: bytes32
    trace_root: bytes32
    match: bytes32  # the last it was in
    owner: address
    status: uint8


# What stands under bond once all is checked that L1 knows.
struct Claimed:
    parent: bytes32
    dispute: bytes32
    claim: bytes32
    batch: uint64
    ends_at: uint64
    steps: uint256


# u64 ends_at | u64 batch | u56 entries | u56 alive | u8 paid
struct StoredDispute:
    parent_root: bytes32
    waiting: bytes32
    counts: uint256


# u32 cost | u8 status | address owner
struct StoredEntry:
    dispute: bytes32
    claim: bytes32
    trace_root: bytes32
    match: bytes32
    standing: uint256


_disputes: HashMap[bytes32, StoredDispute]
_entries: HashMap[bytes32, StoredEntry]


event Entered:
    dispute: indexed(bytes32)
    entry: indexed(bytes32)
    parent: bytes32
    claim: bytes32
    trace_root: bytes32
    owner: address
    left: bytes32
    right: bytes32
    first: bytes32
    first_branch: DynArray[bytes32, traces.HEIGHT_MAX]


event Lost:
    dispute: indexed(bytes32)
    entry: indexed(bytes32)
    how: uint8


@deploy
def __init__(
    rollup: address,
    height: uint8,
    entry_window: uint64,
    entry_bond: uint256,
    published_steps: uint16,
):
    """
    @notice The entry window in seconds, the bond in wei.
    """
    assert rollup != empty(address), "entries: no rollup"
    levels: uint256 = convert(height, uint256)
    assert levels > 0 and levels <= traces.HEIGHT_MAX, "entries: height out of range"
    assert entry_window > 0, "entries: window is zero"
    assert entry_window <= batches.DURATION_MAX, "entries: window is too long"
    steps: uint256 = convert(published_steps, uint256)
    assert steps <= traces.PUBLISHED_STEPS_MAX, "entries: too many steps to publish"
    ROLLUP = rollup
    HEIGHT = height
    ENTRY_WINDOW = entry_window
    ENTRY_BOND = entry_bond
    PUBLISHED_STEPS = published_steps


@external
@view
def result(parent_claim: bytes32, contested_at: uint64) -> (uint8, bytes32, bytes32):
    """
    @notice What a dispute has come to: its status, and where one has won the claim and its entry.
    """
    return self._result(parent_claim, contested_at)


@external
@view
def dispute(dispute: bytes32) -> Dispute:
    """
    @notice What is kept of a dispute; all zero before its first entry.
    """
    return self._dispute(dispute)


@external
@view
def entry(entry: bytes32) -> Entry:
    """
    @notice What is kept of an entry; all zero where there is none.
    """
    return self._entry(entry)


@internal
@view
def _claimed(
    grandparent: bytes32,
    parent_output: Bytes[outputs.OUTPUT_BYTES],
    output: Bytes[outputs.OUTPUT_BYTES],
) -> Claimed:
    """
    @notice The claim of `output` on that of `parent_output` is a rival that may be entered.
    """
    rollup: Rollup = Rollup(ROLLUP)
    found: Claimed = empty(Claimed)
    found.parent = claims._claim(grandparent, keccak256(parent_output))
    contested_at: uint64 = staticcall rollup.contested_at(found.parent)
    assert contested_at != 0, "entries: parent is not contested"
    found.ends_at = contested_at + ENTRY_WINDOW
    assert block.timestamp <= convert(found.ends_at, uint256), "entries: window is over"
    parent: claims.Record = staticcall rollup.claim_record(found.parent)
    settled: uint64 = (staticcall rollup.confirmed_head()).batch
    confirms: bool = convert(parent.batch, uint64) > settled
    is_alive: bool = parent.status == claims.STATUS_CONFIRMED or confirms
    assert is_alive, "entries: parent is rejected"

    found.claim = claims._claim(found.parent, keccak256(output))
    record: claims.Record = staticcall rollup.claim_record(found.claim)
    assert record.status == claims.STATUS_PENDING, "entries: not a pending claim"
    found.batch = convert(record.batch, uint64)
    found.dispute = self._dispute_id(found.parent, contested_at)
    found.steps = outputs._unsigned(output, outputs.STEPS, 32)
    return found


@internal
@payable
def _enter(claimed: Claimed, parent_root: bytes32, trace_root: bytes32, cost: uint256) -> bytes32:
    """
    @notice A further entry, which has no match yet.
    """
    assert msg.value == ENTRY_BOND, "entries: not the exact bond"
    entry: bytes32 = keccak256(concat(claimed.dispute, trace_root))
    if self._entry(entry).status == STATUS_LOST:
        # Before L1 knew that the batch is void, the right trace could be shown to be wrong.
        if staticcall Rollup(ROLLUP).void_batches(claimed.batch):
            entry = keccak256(concat(entry, claimed.dispute))
    assert self._entries[entry].standing == 0, "entries: entered already"
    counts: Dispute = self._dispute(claimed.dispute)
    if counts.entries == 0:
        self._disputes[claimed.dispute].parent_root = parent_root
        counts.batch = claimed.batch
        counts.ends_at = claimed.ends_at
    counts.entries += 1
    counts.alive += 1
    self._store(claimed.dispute, counts)
    self._entries[entry] = StoredEntry(
        dispute=claimed.dispute,
        claim=claimed.claim,
        trace_root=trace_root,
        match=empty(bytes32),
        standing=(cost << 168) | convert(msg.sender, uint256),
    )
    return entry


@internal
def _lose(entry: bytes32, how: uint8):
    """
    @notice An entry is out; its bond is no longer live.
    """
    self._set_status(entry, STATUS_LOST)
    self._leave(entry)
    log Lost(dispute=self._entries[entry].dispute, entry=entry, how=how)


@internal
def _leave(entry: bytes32):
    """
    @notice One entry fewer is alive, and if it waited nobody does.
    """
    dispute: bytes32 = self._entries[entry].dispute
    counts: Dispute = self._dispute(dispute)
    counts.alive -= 1
    self._store(dispute, counts)
    if counts.waiting == entry:
        self._disputes[dispute].waiting = empty(bytes32)


@internal
@view
def _result(parent_claim: bytes32, contested_at: uint64) -> (uint8, bytes32, bytes32):
    """
    @notice Open while entries are taken or more than one is alive.
    """
    ends_at: uint256 = convert(contested_at, uint256) + convert(ENTRY_WINDOW, uint256)
    if contested_at == 0 or block.timestamp <= ends_at:
        return RESULT_OPEN, empty(bytes32), empty(bytes32)
    found: Dispute = self._dispute(self._dispute_id(parent_claim, contested_at))
    if found.alive == 0:
        return claims.RESULT_NOBODY_WON, empty(bytes32), empty(bytes32)
    if found.alive > 1:
        return RESULT_OPEN, empty(bytes32), empty(bytes32)
    return claims.RESULT_WON, self._entries[found.waiting].claim, found.waiting


@internal
@view
def _is_settled(batch: uint64) -> bool:
    """
    @notice Whether the confirmed head has reached a batch.
    """
    return (staticcall Rollup(ROLLUP).confirmed_head()).batch >= batch


@internal
@view
def _is_confirmed(claim: bytes32) -> bool:
    """
    @notice Whether a claim has confirmed.
    """
    record: claims.Record = staticcall Rollup(ROLLUP).claim_record(claim)
    return record.status == claims.STATUS_CONFIRMED


@internal
@pure
def _dispute_id(parent_claim: bytes32, contested_at: uint64) -> bytes32:
    """
    @notice keccak(parent claim | u256 contested at)
    """
    return keccak256(concat(parent_claim, convert(contested_at, bytes32)))


@internal
@view
def _dispute(dispute: bytes32) -> Dispute:
    """
    @notice What is kept of a dispute, unpacked.
    """
    counts: uint256 = self._disputes[dispute].counts
    return Dispute(
        parent_root=self._disputes[dispute].parent_root,
        waiting=self._disputes[dispute].waiting,
        batch=convert((counts >> 128) & U64, uint64),
        ends_at=convert(counts >> 192, uint64),
        entries=convert((counts >> 72) & (U64 >> 8), uint64),
        alive=convert((counts >> 16) & (U64 >> 8), uint64),
        paid=counts & 1 == 1,
    )


@internal
def _store(dispute: bytes32, counts: Dispute):
    """
    @notice Everything but the two hashes, in one slot.
    """
    self._disputes[dispute].counts = (
        (convert(counts.ends_at, uint256) << 192)
        | (convert(counts.batch, uint256) << 128)
        | (convert(counts.entries, uint256) << 72)
        | (convert(counts.alive, uint256) << 16)
        | convert(counts.paid, uint256)
    )


@internal
@view
def _entry(entry: bytes32) -> Entry:
    """
    @notice What is kept of an entry, unpacked.
    """
    standing: uint256 = self._entries[entry].standing
    return Entry(
        dispute=self._entries[entry].dispute,
        claim=self._entries[entry].claim,
        trace_root=self._entries[entry].trace_root,
        match=self._entries[entry].match,
        owner=convert(standing & U160, address),
        status=convert((standing >> 160) & U8, uint8),
    )


@internal
@view
def _cost(entry: bytes32) -> uint256:
    """
    @notice The gas that its claim and it are paid for, if they win.
    """
    return (self._entries[entry].standing >> 168) & U32


@internal
def _set_status(entry: bytes32, status: uint8):
    """
    @notice Owner and cost stay.
    """
    kept: uint256 = self._entries[entry].standing & ~(U8 << 160)
    self._entries[entry].standing = kept | (convert(status, uint256) << 160)
