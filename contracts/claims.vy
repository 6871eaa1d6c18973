# pragma version 0.4.3
"""
@title Claims: what the venue became, asserted under bond
@notice Section 7 of docs/protocol.md.
        claim = keccak(parent claim | keccak(output))
        A claim is refused at once where it contradicts what L1 knows itself. What L1
        cannot know is left to rivals: another claim of the same parent stalls
        confirmation of both until the contract of disputes names the winner. Until then no
        money leaves on a contested claim; safety is bought with time.
"""

from . import batches
from . import inbox
from . import outputs

uses: batches
uses: inbox


# Where inbox_to begins in a batch header.
HEADER_INBOX_TO: constant(uint256) = 50

U8: constant(uint256) = 2**8 - 1
U16: constant(uint256) = 2**16 - 1
U40: constant(uint256) = 2**40 - 1
U160: constant(uint256) = 2**160 - 1

STATUS_PENDING: constant(uint8) = 1
STATUS_CONFIRMED: constant(uint8) = 2
STATUS_REJECTED: constant(uint8) = 3

# One child is no rival, and of more than one the number does not matter.
CHILDREN_MAX: constant(uint16) = 2

# What a dispute has come to; 0 while it is open.
RESULT_WON: constant(uint8) = 1
RESULT_NOBODY_WON: constant(uint8) = 2


interface Disputes:
    def ROLLUP() -> address: view
    def ENTRY_WINDOW() -> uint64: view
    def result(parent_claim: bytes32, contested_at: uint64) -> (uint8, bytes32, bytes32): view
    def forfeited(parent_claim: bytes32, contested_at: uint64, caller: address): payable


# @notice The claim that everything descends from; confirmed from the start.
GENESIS_CLAIM: public(immutable(bytes32))

# @notice Seconds a claim must have stood before it can be confirmed.
CLAIM_WINDOW: public(immutable(uint64))

# @notice Wei that come with a claim.
CLAIM_BOND: public(immutable(uint256))

# @notice The contract that decides between rivals; zero where nobody does.
DISPUTES: public(immutable(address))

# @notice The contract that says whether a claim is proven; zero where claims stand under bond.
VERIFIER: public(immutable(address))


struct Record:
    time: uint64  # seconds, of the L1 block that brought it
    claimant: address
    status: uint8  # 0 unknown, 1 pending, 2 confirmed, 3 rejected
    children: uint16  # claims that name this one as their parent, counted up to two
    batch: uint32


struct ConfirmedHead:
    batch: uint64
    claim: bytes32


# u32 batch | u16 children | u8 status | u40 time | address claimant
_packed_claims: HashMap[bytes32, uint256]

_confirmed_claim: bytes32

# Since when a claim has had a child, in seconds.
_first_at: HashMap[bytes32, uint64]

# @notice Since when a claim has had rivals among its children, in seconds; 0 where it has none.
contested_at: public(HashMap[bytes32, uint64])

# @notice Wei of settled bonds that a claimant may withdraw.
claim_bonds: public(HashMap[address, uint256])


event Claimed:
    batch: indexed(uint64)
    claim: indexed(bytes32)
    parent: bytes32
    claimant: address
    output: Bytes[outputs.OUTPUT_BYTES]


event Confirmed:
    batch: indexed(uint64)
    claim: indexed(bytes32)


event Contested:
    batch: indexed(uint64)
    parent: indexed(bytes32)
    time: uint64


event Rejected:
    batch: indexed(uint64)
    claim: indexed(bytes32)


event ClaimBondWithdrawn:
    claimant: indexed(address)
    amount: uint256


@deploy
def __init__(
    genesis_output_hash: bytes32,
    claim_window: uint64,
    claim_bond: uint256,
    disputes: address,
    verifier: address,
):
    """
    @notice genesis claim = keccak(bytes32 0 | keccak(genesis output)), confirmed without a bond.
    @param disputes A deployment of disputes.vy that was told this address, or zero.
    @param verifier Whoever implements IProofVerifier of statements.vy, or zero.
    """
    assert genesis_output_hash != empty(bytes32), "claims: no genesis output"
    assert claim_window > 0, "claims: window is zero"
    assert claim_window <= batches.DURATION_MAX, "claims: window is too long"
    assert claim_bond > 0, "claims: bond is zero"
    GENESIS_CLAIM = keccak256(concat(empty(bytes32), genesis_output_hash))
    CLAIM_WINDOW = claim_window
    CLAIM_BOND = claim_bond
    if disputes != empty(address):
        assert staticcall Disputes(disputes).ROLLUP() == self, "claims: disputes of another rollup"
        # Whoever claims last must have time left to enter.
        entry_window: uint64 = staticcall Disputes(disputes).ENTRY_WINDOW()
        assert entry_window > claim_window, "claims: entries end before claims"
    DISPUTES = disputes
    takes_bonds: bool = verifier == empty(address)
    assert takes_bonds or verifier.is_contract, "claims: verifier is not a contract"
    VERIFIER = verifier
    self._confirmed_claim = GENESIS_CLAIM
    self._store(
        GENESIS_CLAIM,
        Record(
            time=convert(block.timestamp, uint64),
            claimant=empty(address),
            status=STATUS_CONFIRMED,
            children=0,
            batch=0,
        ),
    )


@external
@payable
def claim(
    parent_claim: bytes32,
    output: Bytes[outputs.OUTPUT_BYTES],
    header: Bytes[batches.HEADER_BYTES_MAX],
) -> bytes32:
    """
    @notice Assert that the batch after the parent's ends in `output`. Anyone may, with a bond
            of exactly CLAIM_BOND; beside others within CLAIM_WINDOW of the first of them, or of
            the contest.
    @param parent_claim A claim of the batch before, confirmed or not, but not passed over.
    @param output Packed; see outputs.vy.
    @param header The batch's header as logged: handing it in again is cheaper than a slot of
           storage a batch.
    @return The claim.
    """
    self._check_optimistic()
    assert msg.value == CLAIM_BOND, "claims: not the exact bond"
    parent: Record = self._record(parent_claim)
    assert parent.status != 0, "claims: unknown parent"
    claim: bytes32 = self._claim(parent_claim, keccak256(output))
    assert self._packed_claims[claim] == 0, "claims: already claimed"
    batch: uint64 = convert(parent.batch, uint64) + 1
    settled: uint64 = self._confirmed_head().batch
    assert batch > settled, "claims: batch is settled"
    is_alive: bool = parent.status == STATUS_CONFIRMED or batch - 1 > settled
    assert is_alive, "claims: parent is rejected"
    self._check_output(batch, output, header)

    # What stood for its window is left alone, though its parent may still be undecided: else one
    # bond after the other, each at the last second, held up everything for ever.
    now: uint64 = convert(block.timestamp, uint64)
    if parent.children == 0:
        self._first_at[parent_claim] = now
    else:
        since: uint64 = max(self._first_at[parent_claim], self.contested_at[parent_claim])
        assert now - since <= CLAIM_WINDOW, "claims: too late for a rival"
        if parent.children == 1:
            self._contest(batch, parent_claim)
    parent.children = min(parent.children + 1, CHILDREN_MAX)
    self._store(parent_claim, parent)
    self._make(batch, parent_claim, claim, output, STATUS_PENDING)
    return claim


@external
def confirm(parent_claim: bytes32, output_hash: bytes32):
    """
    @notice Settle a claim whose parent is settled, whose window has passed, and that has no
            rival or has won against all of them. Anyone may.
    """
    self._check_optimistic()
    claim: bytes32 = self._claim(parent_claim, output_hash)
    record: Record = self._record(claim)
    parent: Record = self._record(parent_claim)
    assert record.status == STATUS_PENDING, "claims: not a pending claim"
    assert parent.status == STATUS_CONFIRMED, "claims: parent is not confirmed"
    age: uint64 = convert(block.timestamp, uint64) - record.time
    assert age >= CLAIM_WINDOW, "claims: window is open"
    if parent.children > 1:
        won: bool = self._result(parent_claim, claim) == RESULT_WON
        assert won, "claims: rivals are undecided"

    record.status = STATUS_CONFIRMED
    self._store(claim, record)
    self.claim_bonds[record.claimant] += CLAIM_BOND
    self._settle(convert(record.batch, uint64), claim)


@external
def reject(parent_claim: bytes32, output_hash: bytes32):
    """
    @notice Take the bond of a claim that can never confirm: the confirmed head has reached its
            batch. Anyone may; the contract of disputes says who gets what of it.
    @dev Without one nothing that has rivals confirms, and so nothing is ever passed over.
    """
    self._check_optimistic()
    claim: bytes32 = self._claim(parent_claim, output_hash)
    record: Record = self._record(claim)
    assert record.status == STATUS_PENDING, "claims: not a pending claim"
    batch: uint64 = convert(record.batch, uint64)
    assert batch <= self._confirmed_head().batch, "claims: claim may still confirm"

    record.status = STATUS_REJECTED
    self._store(claim, record)
    log Rejected(batch=batch, claim=claim)
    extcall Disputes(DISPUTES).forfeited(
        parent_claim, self.contested_at[parent_claim], msg.sender, value=CLAIM_BOND
    )


@external
def reopen(parent_claim: bytes32):
    """
    @notice Contest a claim anew whose dispute nobody won: with the children it has, and with
            those that come within CLAIM_WINDOW from now on. Anyone may.
    """
    self._check_optimistic()
    nobody_won: bool = self._result(parent_claim, empty(bytes32)) == RESULT_NOBODY_WON
    assert nobody_won, "claims: not without a winner"
    self._contest(convert(self._record(parent_claim).batch, uint64) + 1, parent_claim)


@external
@nonreentrant
def claim_bond_withdraw():
    """
    @notice Send the caller the bonds of their settled claims.
    """
    amount: uint256 = self.claim_bonds[msg.sender]
    assert amount > 0, "claims: no bond to withdraw"
    self.claim_bonds[msg.sender] = 0
    sent: bool = raw_call(msg.sender, b"", value=amount, revert_on_failure=False)
    assert sent, "claims: receiver refused bond"
    log ClaimBondWithdrawn(claimant=msg.sender, amount=amount)


@external
@view
def claim_record(claim: bytes32) -> Record:
    """
    @notice What is kept of a claim; all zero where there is none.
    """
    return self._record(claim)


@external
@view
def confirmed_head() -> ConfirmedHead:
    """
    @notice The last confirmed claim and its batch.
    """
    return self._confirmed_head()


@internal
@view
def _check_output(
    batch: uint64,
    output: Bytes[outputs.OUTPUT_BYTES],
    header: Bytes[batches.HEADER_BYTES_MAX],
):
    """
    @notice The output is of this version, of the batch that was posted under this number and
            of the inbox cursor that it ended at, and its sums add up.
    """
    assert len(output) == outputs.OUTPUT_BYTES, "claims: wrong output length"
    version: uint256 = outputs._unsigned(output, outputs.VERSION, 16)
    assert version == convert(batches.VERSION, uint256), "claims: unknown version"
    claimed: uint256 = outputs._unsigned(output, outputs.BATCH, 64)
    assert claimed == convert(batch, uint256), "claims: batch is not the next"

    batch_hash: bytes32 = batches.batch_hashes[batch]
    assert batch_hash != empty(bytes32), "claims: batch is not posted"
    claimed_hash: bytes32 = extract32(output, outputs.BATCH_HASH)
    assert claimed_hash == batch_hash, "claims: wrong batch hash"
    assert keccak256(header) == batch_hash, "claims: wrong header"
    inbox_to: uint256 = extract32(header, HEADER_INBOX_TO, output_type=uint256) >> 192
    cursor: uint256 = outputs._unsigned(output, outputs.INBOX, 64)
    assert cursor == inbox_to, "claims: wrong inbox cursor"

    micro: uint128 = inbox._item_before(convert(cursor, uint64)).deposited
    outputs._check_steps(output)
    outputs._check_sums(output, convert(micro, uint256))


@internal
@view
def _check_optimistic():
    """
    @notice Refuse what makes no sense where claims are proven.
    """
    assert VERIFIER == empty(address), "claims: this venue takes proofs"


@internal
def _make(
    batch: uint64,
    parent_claim: bytes32,
    claim: bytes32,
    output: Bytes[outputs.OUTPUT_BYTES],
    status: uint8,
):
    """
    @notice Keep and tell a new claim, which is the sender's.
    """
    self._store(
        claim,
        Record(
            time=convert(block.timestamp, uint64),
            claimant=msg.sender,
            status=status,
            children=0,
            batch=convert(batch, uint32),
        ),
    )
    log Claimed(
        batch=batch, claim=claim, parent=parent_claim, claimant=msg.sender, output=output
    )


@internal
def _settle(batch: uint64, claim: bytes32):
    """
    @notice Everything that is claimed next descends from this claim, whose record says so already.
    """
    self._confirmed_claim = claim
    log Confirmed(batch=batch, claim=claim)


@internal
def _contest(batch: uint64, parent_claim: bytes32):
    """
    @notice The children of a claim, which are of `batch`, are rivals from now on.
    """
    now: uint64 = convert(block.timestamp, uint64)
    self.contested_at[parent_claim] = now
    log Contested(batch=batch, parent=parent_claim, time=now)


@internal
@view
def _result(parent_claim: bytes32, claim: bytes32) -> uint8:
    """
    @notice What the dispute over a parent's children has come to for one of them: open, this one
            or nobody won. Open as well where another one won, or where nothing decides.
    """
    if DISPUTES == empty(address):
        return 0
    status: uint8 = 0
    winner: bytes32 = empty(bytes32)
    entry: bytes32 = empty(bytes32)
    status, winner, entry = staticcall Disputes(DISPUTES).result(
        parent_claim, self.contested_at[parent_claim]
    )
    return status if winner == claim else 0


@internal
@pure
def _claim(parent_claim: bytes32, output_hash: bytes32) -> bytes32:
    """
    @notice keccak(parent claim | keccak(output))
    """
    return keccak256(concat(parent_claim, output_hash))


@internal
@view
def _is_confirmed(claim: bytes32) -> bool:
    """
    @notice Whether withdrawals may be proven against it.
    """
    return self._record(claim).status == STATUS_CONFIRMED


@internal
@view
def _confirmed_head() -> ConfirmedHead:
    """
    @notice Its batch stands in its record, so one slot is enough.
    """
    claim: bytes32 = self._confirmed_claim
    return ConfirmedHead(batch=convert(self._record(claim).batch, uint64), claim=claim)


@internal
@view
def _record(claim: bytes32) -> Record:
    """
    @notice What is kept of a claim, unpacked.
    """
    packed: uint256 = self._packed_claims[claim]
    return Record(
        time=convert((packed >> 160) & U40, uint64),
        claimant=convert(packed & U160, address),
        status=convert((packed >> 200) & U8, uint8),
        children=convert((packed >> 208) & U16, uint16),
        batch=convert(packed >> 224, uint32),
    )


@internal
def _store(claim: bytes32, record: Record):
    """
    @notice All of a claim in one slot.
    """
    self._packed_claims[claim] = (
        (convert(record.batch, uint256) << 224)
        | (convert(record.children, uint256) << 208)
        | (convert(record.status, uint256) << 200)
        | (convert(record.time, uint256) << 160)
        | convert(record.claimant, uint256)
    )
