"""A machine of one number: BOOT takes a batch up with its steps, each step hashes the number, HALT
rests.

    state = u8 at rest | u32 batch | u32 step | bytes32 value;   root = keccak(state)

The witness of a step is the state itself.
"""

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct, structs

from prover.dispute.ledger import Refused
from state.crypto import keccak

VOID_STEPS = 2
"""A void batch is BOOT and HALT."""


class ToyState(Struct, frozen=True):
    """`step` counts those that the batch has taken."""

    is_at_rest: bool
    batch: int
    step: int
    value: bytes

    @property
    def root(self) -> bytes:
        return _root(self)


@lru_cache(maxsize=4096)
def _root(state: ToyState) -> bytes:
    """A game asks for the same roots again and again."""
    head = bytes([state.is_at_rest]) + state.batch.to_bytes(4) + state.step.to_bytes(4)
    return keccak(head + state.value)


GENESIS = ToyState(True, 0, 0, keccak(b"genesis"))


def after(state: ToyState, steps: int) -> ToyState:
    """The state after the next step, of a batch of `steps` of them. At rest it is the next BOOT."""
    if state.is_at_rest:
        value = keccak(state.value + steps.to_bytes(4))
        return ToyState(False, state.batch + 1, 1, value)
    value = keccak(state.value + state.step.to_bytes(4))
    step = state.step + 1
    return structs.replace(state, step=step, value=value, is_at_rest=step >= steps)


def run(state: ToyState, steps: int) -> list[ToyState]:
    """The state after each step until the machine rests, which a batch takes two for at least."""
    states = [after(state, steps)]
    while not states[-1].is_at_rest:
        states.append(after(states[-1], steps))
    return states


def shown(root: bytes, witness: object) -> ToyState:
    """The state that a witness is; refused where it is not under `root`."""
    if not isinstance(witness, ToyState) or witness.root != root:
        raise Refused("machine: of another state")
    return witness


def roots(states: Sequence[ToyState]) -> list[bytes]:
    return [state.root for state in states]
