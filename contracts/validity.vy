# pragma version 0.4.3
"""
@title Validity: what the venue became, proven
@notice docs/validity.md. A deployment with a verifier takes proofs in the place of bonds: a claim that its
        verifier takes as proven confirms at once. Nothing is waited for and there are no rivals,
        and all of it is worth what the verifier is.
"""

from . import batches
from . import claims
from . import outputs
from . import statements

uses: claims


# Where an output has its state root, and a batch header the accumulator of the inbox.
OUTPUT_STATE_ROOT: constant(uint256) = 42
HEADER_ACCUMULATOR: constant(uint256) = 58


# @notice What the verifier called itself at deployment; empty where there is none.
PROOF_SYSTEM: public(immutable(String[statements.PROOF_SYSTEM_BYTES_MAX]))


event Proven:
    batch: indexed(uint64)
    claim: indexed(bytes32)
    proof_system: String[statements.PROOF_SYSTEM_BYTES_MAX]


@deploy
def __init__():
    """
    @notice Ask the verifier, which claims.vy was told, for its name.
    """
    proof_system: String[statements.PROOF_SYSTEM_BYTES_MAX] = ""
    if claims.VERIFIER != empty(address):
        proof_system = staticcall statements.IProofVerifier(claims.VERIFIER).proof_system()
    PROOF_SYSTEM = proof_system


@external
def prove_claim(
    grandparent: bytes32,
    parent_output: Bytes[outputs.OUTPUT_BYTES],
    output: Bytes[outputs.OUTPUT_BYTES],
    header: Bytes[batches.HEADER_BYTES_MAX],
    proof: Bytes[statements.PROOF_BYTES_MAX],
) -> bytes32:
    """
    @notice Confirm that the batch after the last confirmed one ends in `output`. Anyone may, with a
            proof.
    @param grandparent With `parent_output` the last confirmed claim, taken apart for its state root.
    @param output Packed; see outputs.vy.
    @param header The batch's header as logged.
    @param proof What the verifier takes as a proof of the statement.
    @return The claim.
    """
    assert claims.VERIFIER != empty(address), "validity: no verifier is set"
    head: claims.ConfirmedHead = claims._confirmed_head()
    parent: bytes32 = claims._claim(grandparent, keccak256(parent_output))
    assert parent == head.claim, "validity: parent is not the last"
    batch: uint64 = head.batch + 1
    claims._check_output(batch, output, header)

    output_hash: bytes32 = keccak256(output)
    is_proven: bool = staticcall statements.IProofVerifier(claims.VERIFIER).verify(
        statements.Statement(
            chain_id=chain.id,
            rollup=self,
            pre_state_root=extract32(parent_output, OUTPUT_STATE_ROOT),
            post_state_root=extract32(output, OUTPUT_STATE_ROOT),
            batch_hash=extract32(output, outputs.BATCH_HASH),
            # L1 wrote it into the header itself, and the header is the one that was posted.
            inbox_accumulator=extract32(header, HEADER_ACCUMULATOR),
            output_hash=output_hash,
        ),
        proof,
    )
    assert is_proven, "validity: not proven"

    claim: bytes32 = claims._claim(parent, output_hash)
    claims._make(batch, parent, claim, output, claims.STATUS_CONFIRMED)
    claims._settle(batch, claim)
    log Proven(batch=batch, claim=claim, proof_system=PROOF_SYSTEM)
    return claim
