"""Calldata for everything the contract of disputes can be asked to do, and for its deployment.

Delays are seconds, amounts wei, hashes 32 bytes, addresses 20. The rules are in docs/disputes.md.
"""

from collections.abc import Sequence

import msgspec
from eth_abi.abi import encode

from contracts.abi import Function

PUBLISHED_STEPS_MAX = 3_500
"""What one transaction can carry, also where a byte of calldata costs 64 gas."""

STEP_TYPE = "(bytes32,bytes32[],bytes,bytes32[3],bytes,bytes,bytes)"

ENTER = Function(
    "enter",
    (
        "bytes32",
        "bytes",
        "bytes",
        "bytes",
        "bytes32[3]",
        "bytes32",
        "bytes32",
        "bytes32",
        "bytes32",
        "bytes32[]",
        "bytes32[]",
    ),
)
ENTER_PUBLISHED = Function(
    "enter_published", ("bytes32", "bytes", "bytes", "bytes", "bytes32[3]", "bytes32[]")
)
ADVANCE = Function("advance", ("bytes32", "bytes32", "bytes32", "bytes32", "bytes32"))
SETTLE = Function("settle", ("bytes32", STEP_TYPE, "bytes32", "bytes32"))
REFUTE = Function(
    "refute", ("bytes32", "uint256", "bytes32", "bytes32[]", STEP_TYPE, "bytes32", "bytes32")
)
TIME_OUT = Function("time_out", ("bytes32", "bytes32", "bytes32"))
COLLECT = Function("collect", ("bytes32",))
REDEEM = Function("redeem", ("bytes32",))
WITHDRAW = Function("withdraw")
FORFEITED = Function("forfeited", ("bytes32", "uint64", "address"))
"""Of the rollup alone."""

FUNCTIONS = (
    ENTER,
    ENTER_PUBLISHED,
    ADVANCE,
    SETTLE,
    REFUTE,
    TIME_OUT,
    COLLECT,
    REDEEM,
    WITHDRAW,
    FORFEITED,
)

CONSTRUCTOR_INPUTS = (
    "address",
    "address",
    "(uint8,uint64,uint64,uint64,uint256,uint256,uint16)",
)


class DisputeParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment fixes for ever.

    `height` of the trace tree; `clock`, `move_time` and `entry_window` in seconds, `entry_bond`
    and `base_fee_cap` in wei. Batches of up to `published_steps` steps are entered with all roots.
    """

    height: int
    clock: int
    move_time: int
    entry_window: int
    entry_bond: int
    base_fee_cap: int
    published_steps: int


class DisputedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step, shown to L1: the root before it, the branch that proves that root to be the
    trace's, a witness in its parts, and what the step reads.

    The branch of the root before leaf 0 is empty. Where the machine is at rest behind leaf 0,
    `leaves`, `proofs` and `given` are empty.
    """

    previous: bytes
    previous_branch: tuple[bytes, ...]
    machine: bytes
    roots: tuple[bytes, ...]
    leaves: bytes = b""
    proofs: bytes = b""
    given: bytes = b""


def deployment(
    creation_code: bytes, *, rollup: bytes, insurance: bytes, parameters: DisputeParameters
) -> bytes:
    """Creation code with its arguments; `rollup` is the foretold address of the next contract."""
    arguments = (rollup, insurance, msgspec.structs.astuple(parameters))
    return creation_code + encode(CONSTRUCTOR_INPUTS, arguments)


def enter(
    *,
    grandparent: bytes,
    parent_output: bytes,
    output: bytes,
    machine: bytes,
    roots: Sequence[bytes],
    trace_root: bytes,
    left: bytes,
    right: bytes,
    first: bytes,
    first_branch: Sequence[bytes],
    last_branch: Sequence[bytes],
) -> bytes:
    """Enters a trace for the claim of `output`; the value sent is the bond. `machine` and `roots`
    are those behind the batch, the branches those of the first and the last leaf.
    """
    return ENTER.encode(
        grandparent,
        parent_output,
        output,
        machine,
        tuple(roots),
        trace_root,
        left,
        right,
        first,
        first_branch,
        last_branch,
    )


def enter_published(
    *,
    grandparent: bytes,
    parent_output: bytes,
    output: bytes,
    machine: bytes,
    roots: Sequence[bytes],
    leaves: Sequence[bytes],
) -> bytes:
    """The same with the roots after every step, without the padding."""
    return ENTER_PUBLISHED.encode(grandparent, parent_output, output, machine, tuple(roots), leaves)


def advance(
    *, match: bytes, left: bytes, right: bytes, next_left: bytes, next_right: bytes
) -> bytes:
    """Shows the children of the mover's node, and those of the child that differs."""
    return ADVANCE.encode(match, left, right, next_left, next_right)


def settle(*, match: bytes, step: DisputedStep, left: bytes, right: bytes) -> bytes:
    """Has L1 take the step that a sealed match has come down to; `left` and `right` are the
    children of the winner's trace root.
    """
    return SETTLE.encode(match, msgspec.structs.astuple(step), left, right)


def refute(
    *,
    entry: bytes,
    index: int,
    leaf: bytes,
    leaf_branch: Sequence[bytes],
    step: DisputedStep,
    left: bytes,
    right: bytes,
) -> bytes:
    """Ends `entry` by leaf `index` of its trace; `left` and `right` are the children of the trace
    root of its opponent, zero where it has none.
    """
    known = msgspec.structs.astuple(step)
    return REFUTE.encode(entry, index, leaf, leaf_branch, known, left, right)


def time_out(*, match: bytes, left: bytes, right: bytes) -> bytes:
    """Ends a match whose mover is late, or that nobody settled in time."""
    return TIME_OUT.encode(match, left, right)


def collect(match: bytes) -> bytes:
    """Credits what the sender has earned in a match by moving for the side that won."""
    return COLLECT.encode(match)


def redeem(entry: bytes) -> bytes:
    """Credits the bond of a winner's entry, once its claim is confirmed."""
    return REDEEM.encode(entry)


def withdraw() -> bytes:
    """Sends the sender their credits."""
    return WITHDRAW.encode()
