# pragma version 0.4.3
"""
@title Mock verifier: takes the word of one key for a proof
@notice docs/validity.md. The attester says to have executed the batch, and signs that. This proves
        nothing to anybody who does not trust that key: it stands where a genuine verifier will.
        proof = magic | signature (EIP-2098) of keccak(0x1901 | domain | keccak(type | statement))
"""

from . import statements
from .state import authentication

implements: statements.IProofVerifier


# What a proof begins with: that it is a mock, and the version of its form.
MAGIC_BYTES: constant(uint256) = 23
MAGIC: constant(bytes32) = keccak256("TALLYSTICK-MOCK-PROOF-1")
PROOF_BYTES: constant(uint256) = MAGIC_BYTES + authentication.SIGNATURE_BYTES

# Another domain than that of what traders sign; chain and rollup are in the statement.
DOMAIN_TYPE_HASH: constant(bytes32) = keccak256("EIP712Domain(string name,string version)")
NAME_HASH: constant(bytes32) = keccak256("Tallystick MOCK-ATTESTED proof")
VERSION_HASH: constant(bytes32) = keccak256("1")
STATEMENT_TYPE_HASH: constant(bytes32) = keccak256(
    "Statement(uint256 chainId,address rollup,bytes32 preStateRoot,bytes32 postStateRoot,bytes32 batchHash,bytes32 inboxAccumulator,bytes32 outputHash)"
)


# @notice The key whose word is taken.
ATTESTER: public(immutable(address))

SEPARATOR: immutable(bytes32)


@deploy
def __init__(attester: address):
    """
    @param attester Nobody can be given this role later.
    """
    assert attester != empty(address), "mock_verifier: no attester"
    ATTESTER = attester
    SEPARATOR = keccak256(abi_encode(DOMAIN_TYPE_HASH, NAME_HASH, VERSION_HASH))


@external
@view
def verify(
    statement: statements.Statement, proof: Bytes[statements.PROOF_BYTES_MAX]
) -> bool:
    """
    @notice Whether the attester signed this very statement. False for anything else.
    """
    if len(proof) != PROOF_BYTES:
        return False
    if keccak256(slice(proof, 0, MAGIC_BYTES)) != MAGIC:
        return False
    digest: bytes32 = keccak256(
        concat(
            b"\x19\x01",
            SEPARATOR,
            keccak256(abi_encode(STATEMENT_TYPE_HASH, statement)),
        )
    )
    signature: Bytes[authentication.SIGNATURE_BYTES] = slice(
        proof, MAGIC_BYTES, authentication.SIGNATURE_BYTES
    )
    # Zero, which a failed recovery is, can be no attester.
    return authentication._recover(digest, signature) == convert(ATTESTER, uint256)


@external
@view
def proof_system() -> String[statements.PROOF_SYSTEM_BYTES_MAX]:
    """
    @notice What the proofs are worth, in a word for logs and nodes.
    """
    return "MOCK-ATTESTED"
