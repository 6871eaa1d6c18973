"""One step on L1: which contracts a deployment has, and the calldata that shows them a step.

Their rules are in docs/step.md. None has storage, so one deployment of them serves any
number of rollups.
"""

from collections.abc import Mapping, Sequence

import msgspec
from eth_abi.abi import encode

from contracts.abi import Function

CHUNKS = "chunks"
"""Also what the rollup asks about a chunk that is none."""

RULES = (
    "leaves",
    "admission",
    "matching",
    "cancelling",
    "cash",
    "blocks",
    "prices",
    "items",
    CHUNKS,
)
"""What the router is told, in this order, by their names in `contracts/steps/`."""

ROUTER = "step"

STEP = Function(
    "step",
    (
        "bytes32",
        "bytes",
        "bytes32[3]",
        "bytes",
        "bytes",
        "bytes",
        "(bytes32,bytes32,bool,bytes32,bytes32)",
    ),
    ("bytes32", "uint256"),
)

PROVE_STEP = Function("prove_step", STEP.inputs[:-1], STEP.outputs)
"""Of a rollup, which knows the facts itself."""


class StepFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What L1 knows beside a claim: 32 bytes each, zero where the step does not ask."""

    separator: bytes
    batch_hash: bytes = bytes(32)
    is_void: bool = False
    accumulator: bytes = bytes(32)
    next_accumulator: bytes = bytes(32)


class StepResult(msgspec.Struct, frozen=True):
    """The state root after a step, and the status it leaves in the machine."""

    root: bytes
    status: int


def source(name: str) -> str:
    """The contract `name` of this module as `contracts.compiler` knows it."""
    return f"steps/{name}"


def router(creation_code: bytes, rules: Mapping[str, bytes]) -> bytes:
    """The data of the transaction that deploys the router over `rules`, addresses by name."""
    addresses = [rules[name] for name in RULES]
    return creation_code + encode(["address"] * len(addresses), addresses)


def step(
    root: bytes,
    *,
    machine: bytes,
    roots: Sequence[bytes],
    leaves: bytes,
    proofs: bytes,
    given: bytes,
    facts: StepFacts,
) -> bytes:
    """Asks for the step that follows `root`: a witness in its parts, what the step reads, facts."""
    known = msgspec.structs.astuple(facts)
    return STEP.encode(root, machine, tuple(roots), leaves, proofs, given, known)


def prove_step(
    root: bytes,
    *,
    machine: bytes,
    roots: Sequence[bytes],
    leaves: bytes,
    proofs: bytes,
    given: bytes,
) -> bytes:
    """Asks a rollup the same; it adds the facts."""
    return PROVE_STEP.encode(root, machine, tuple(roots), leaves, proofs, given)


def step_result(answer: bytes) -> StepResult:
    """What the router answered. UnexpectedAnswer where it is none."""
    return StepResult(*STEP.decode(answer))
