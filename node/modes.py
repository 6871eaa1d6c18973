"""How a venue's claims are settled: under bond, with time to object, or by a proof."""

from contracts.mock_verifier import PROOF_SYSTEM_NAME

OPTIMISTIC, VALIDITY_MOCK, VALIDITY = "optimistic", "validity-mock", "validity"

MODES = (OPTIMISTIC, VALIDITY_MOCK)
"""Those that we can deploy: nobody has written a genuine prover yet."""


def mode_of(proof_system: str) -> str:
    """The mode of a venue whose verifier calls itself so; without a verifier it is empty."""
    if not proof_system:
        return OPTIMISTIC
    return VALIDITY_MOCK if proof_system == PROOF_SYSTEM_NAME else VALIDITY


def settled_by(proof_system: str) -> str:
    """What is said of a batch that such a venue's L1 has confirmed."""
    return f"proven ({proof_system})" if proof_system else "claimed"
