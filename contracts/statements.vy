# pragma version 0.4.3
"""
@title Statements: what a proof of validity is of
@notice docs/validity.md. L1 makes a statement from what it knows itself and from the claim; a verifier says
        whether a proof is one of that very statement. Any proof system can stand behind the interface.
"""


# The longest proof that a rollup passes on. Those that L1 can check at all are shorter.
PROOF_BYTES_MAX: constant(uint256) = 32_768

PROOF_SYSTEM_BYTES_MAX: constant(uint256) = 32


struct Statement:
    chain_id: uint256
    rollup: address
    pre_state_root: bytes32
    post_state_root: bytes32
    batch_hash: bytes32
    inbox_accumulator: bytes32  # of all items up to the batch's end
    output_hash: bytes32


interface IProofVerifier:
    def verify(statement: Statement, proof: Bytes[PROOF_BYTES_MAX]) -> bool: view
    def proof_system() -> String[PROOF_SYSTEM_BYTES_MAX]: view
