"""The whole of one step from bytes: what L1 does when a step is shown to it."""

import struct

from prover.facts import Facts
from prover.post_state import root_after
from prover.refusal import WitnessFault, WitnessRefused
from prover.step import decode_input, take_step
from prover.witness_reader import decode_witness
from prover.witness_state import WitnessState
from state.authentication import Verifier


def prove_step(
    root: bytes, witness: bytes, given: bytes, facts: Facts, verifier: Verifier
) -> tuple[bytes, int]:
    """The state root after the step that follows `root`, and the status it leaves.

    WitnessRefused, and nothing else, where witness or input prove nothing about it.
    """
    state = WitnessState(decode_witness(witness), root)
    read = decode_input(state.machine, given)
    try:
        changes = take_step(state, read, facts, verifier)
        return root_after(state, changes), changes.machine.status
    except (AssertionError, ArithmeticError, struct.error) as error:
        # A root may be of a state that no steps lead to: somebody claimed it, leaf by leaf
        # well formed. What the rules take for granted does not hold there, or a figure leaves
        # its field, and L1 reverts.
        detail = f"no steps lead to a state of this root: {error or type(error).__name__}"
        raise WitnessRefused(WitnessFault.STATE, detail) from error
