"""The mock prover: executes the batch again, and signs that it came to what is asserted.

A proof of its making says nothing to anybody who does not trust the key. It stands where a
genuine one will, and has its name, MOCK, in every place where it is shown.

    proof = "TALLYSTICK-MOCK-PROOF-1" | signature (EIP-2098, 64 bytes) of the digest

contracts/mock_verifier.vy is its verifier.
"""

from collections.abc import Callable

from prover.validity import ProvableBatch, Statement, check, execute
from state.authentication import Verifier
from state.crypto import keccak
from state.eip712 import address_word, word

PROOF_SYSTEM = "MOCK-ATTESTED"
MAGIC = b"TALLYSTICK-MOCK-PROOF-1"

DOMAIN_TYPE = "EIP712Domain(string name,string version)"
DOMAIN_NAME = "Tallystick MOCK-ATTESTED proof"
DOMAIN_VERSION = "1"
STATEMENT_TYPE = (
    "Statement(uint256 chainId,address rollup,bytes32 preStateRoot,bytes32 postStateRoot,"
    "bytes32 batchHash,bytes32 inboxAccumulator,bytes32 outputHash)"
)
SEPARATOR = keccak(
    keccak(DOMAIN_TYPE.encode()) + keccak(DOMAIN_NAME.encode()) + keccak(DOMAIN_VERSION.encode())
)
STATEMENT_TYPE_HASH = keccak(STATEMENT_TYPE.encode())

Sign = Callable[[bytes], bytes]
"""A digest to its EIP-2098 signature by the attester."""


class MockProver:
    """Attests what it executed itself, and refuses to attest anything else."""

    proof_system = PROOF_SYSTEM

    def __init__(self, verifier: Verifier, sign: Sign) -> None:
        self._verifier = verifier
        self._sign = sign

    def prove(self, statement: Statement, batch: ProvableBatch) -> bytes:
        """The attester's word. ProofRefused where the batch comes to something else."""
        check(statement, execute(batch, self._verifier))
        return mock_proof(self._sign(digest(statement)))


def digest(statement: Statement) -> bytes:
    """keccak(0x1901 | separator | keccak(type hash | statement)), EIP-712."""
    words = (
        STATEMENT_TYPE_HASH,
        word(statement.chain_id),
        address_word(statement.rollup),
        statement.pre_state_root,
        statement.post_state_root,
        statement.batch_hash,
        statement.inbox_accumulator,
        statement.output_hash,
    )
    return keccak(b"\x19\x01" + SEPARATOR + keccak(b"".join(words)))


def mock_proof(signature: bytes) -> bytes:
    """The bytes of a proof, which say that it is none."""
    return MAGIC + signature
