# pragma version 0.4.3
"""
@title A rollup of a toy machine, as the contract of disputes sees one
@notice Claims, times and batches are what the test says. The machine has the bytes of the real one and a
        simple rule: BOOT takes the batch up, every further step counts, and the step at which the
        batch ends puts the machine to rest. A void batch ends with its second step.
"""

from contracts.state import limits
from contracts.state import machine


interface Disputes:
    def forfeited(parent_claim: bytes32, contested_at: uint64, caller: address): payable


struct Record:
    time: uint64
    claimant: address
    status: uint8
    children: uint16
    batch: uint32


struct ConfirmedHead:
    batch: uint64
    claim: bytes32


STATE_VERSION: constant(bytes2) = 0x0001
VOID_STEPS: constant(uint256) = 2

# Of a step that is no BOOT; of BOOT the leaves are empty.
LEAVES: constant(Bytes[6]) = b"leaves"
PROOFS: constant(Bytes[6]) = b"proofs"
INPUT: constant(Bytes[5]) = b"input"

claim_record: public(HashMap[bytes32, Record])
confirmed_head: public(ConfirmedHead)
contested_at: public(HashMap[bytes32, uint64])
batch_hashes: public(HashMap[uint256, bytes32])
batch_steps: public(HashMap[uint256, uint256])
void_batches: public(HashMap[uint64, bool])
disputes: address


@external
def set_disputes(disputes: address):
    self.disputes = disputes


@external
def set_claim(claim: bytes32, batch: uint32, status: uint8, claimant: address):
    self.claim_record[claim] = Record(
        time=convert(block.timestamp, uint64),
        claimant=claimant,
        status=status,
        children=0,
        batch=batch,
    )


@external
def set_contested(claim: bytes32, time: uint64):
    self.contested_at[claim] = time


@external
def set_head(batch: uint64, claim: bytes32):
    self.confirmed_head = ConfirmedHead(batch=batch, claim=claim)


@external
def set_batch(number: uint256, batch_hash: bytes32, steps: uint256, is_void: bool):
    self.batch_hashes[number] = batch_hash
    self.batch_steps[number] = steps
    self.void_batches[convert(number, uint64)] = is_void


@external
@payable
def forfeit(parent_claim: bytes32, contested_at: uint64, caller: address):
    extcall Disputes(self.disputes).forfeited(parent_claim, contested_at, caller, value=msg.value)


@external
@view
def prove_step(
    root: bytes32,
    machine_bytes: Bytes[machine.MACHINE_BYTES],
    roots: bytes32[3],
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    proofs: Bytes[limits.PROOFS_BYTES_MAX],
    given: Bytes[limits.INPUT_BYTES_MAX],
) -> (bytes32, uint256):
    assert self._root(roots, machine_bytes) == root, "toy_rollup: of another state"
    assert given == INPUT, "toy_rollup: nothing to read"
    batch: uint256 = convert(slice(machine_bytes, 1, 8), uint256)
    batch_hash: bytes32 = extract32(machine_bytes, 9)
    step: uint256 = convert(slice(machine_bytes, 41, 4), uint256)
    chunks: uint256 = convert(slice(machine_bytes, 92, 1), uint256)
    if batch_hash == empty(bytes32):
        assert len(leaves) == 0 and len(proofs) == 0, "toy_rollup: BOOT touches no leaf"
        batch += 1
        batch_hash = self.batch_hashes[batch]
        step = 1
        chunks = 0 if self.void_batches[convert(batch, uint64)] else 1
    else:
        assert leaves == LEAVES and proofs == PROOFS, "toy_rollup: not the leaves of the step"
        step += 1
        if step == (VOID_STEPS if chunks == 0 else self.batch_steps[batch]):
            batch_hash = empty(bytes32)
            chunks = 0
    after: Bytes[machine.MACHINE_BYTES] = concat(
        slice(machine_bytes, 0, 1),
        convert(convert(batch, uint64), bytes8),
        batch_hash,
        convert(convert(step, uint32), bytes4),
        slice(machine_bytes, 45, 47),
        convert(convert(chunks, uint8), bytes1),
        slice(machine_bytes, 93, 571),
    )
    return self._root(roots, after), 0


@internal
@pure
def _root(roots: bytes32[3], machine_bytes: Bytes[machine.MACHINE_BYTES]) -> bytes32:
    return keccak256(
        concat(STATE_VERSION, roots[0], roots[1], roots[2], keccak256(machine_bytes))
    )
