"""The mock verifier's deployment and views; which bytes it takes says `prover.mock_prover`."""

from eth_abi.abi import encode

from contracts.abi import View

SOURCE = "mock_verifier"
PROOF_SYSTEM_NAME = "MOCK-ATTESTED"
"""What it calls itself, and what everything it stood for is marked with."""

STATEMENT = "(uint256,address,bytes32,bytes32,bytes32,bytes32,bytes32)"

ATTESTER = View("ATTESTER", (), ("address",), bytes)
PROOF_SYSTEM = View("proof_system", (), ("string",), str)
VERIFY = View("verify", (STATEMENT, "bytes"), ("bool",), bool)


def deployment(creation_code: bytes, *, attester: bytes) -> bytes:
    """Creation code with its argument: whose word it will take."""
    return creation_code + encode(("address",), (attester,))
