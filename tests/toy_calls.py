"""Calldata by which a toy trace is defended: sound, but for what a test changes."""

from typing import Any, Protocol

import msgspec
from toy_machine import BATCH_HASH, ROOTS, STEP, ToyTrace, number, read

from contracts import disputes
from contracts.disputes import DisputedStep

ZERO = bytes(32)
NOTHING = (ZERO, ZERO)


def enter(trace: ToyTrace, grandparent: bytes, parent_output: bytes, /, **changes: Any) -> bytes:
    """Enter the trace for the claim of its output."""
    left, right = trace.children(trace.height, 0)
    arguments: dict[str, Any] = {
        "grandparent": grandparent,
        "parent_output": parent_output,
        "output": trace.output,
        "machine": trace.last,
        "roots": ROOTS,
        "trace_root": trace.root,
        "left": left,
        "right": right,
        "first": trace.leaves[0],
        "first_branch": trace.branch(0),
        "last_branch": trace.branch(len(trace.leaves) - 1),
    }
    return disputes.enter(**arguments | changes)


def enter_published(
    trace: ToyTrace, grandparent: bytes, parent_output: bytes, /, **changes: Any
) -> bytes:
    """The same with all roots that are no padding."""
    arguments: dict[str, Any] = {
        "grandparent": grandparent,
        "parent_output": parent_output,
        "output": trace.output,
        "machine": trace.last,
        "roots": ROOTS,
        "leaves": trace.leaves[: number(trace.last, STEP)],
    }
    return disputes.enter_published(**arguments | changes)


class Play(Protocol):
    """Where a match stands, as L1 or its twin shows it."""

    @property
    def height(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def left(self) -> bytes: ...


def move(found: Play, trace: ToyTrace) -> dict[str, bytes]:
    """What a trace has to show, whoever's turn it is."""
    left, right = trace.children(max(found.height, 1), found.index >> (found.height == 0))
    next_left, next_right = NOTHING
    if found.height > 1:
        child = 2 * found.index + (left == found.left)
        next_left, next_right = trace.children(found.height - 1, child)
    return {"left": left, "right": right, "next_left": next_left, "next_right": next_right}


def advance(match: bytes, found: Play, trace: ToyTrace, **changes: bytes) -> bytes:
    """Make that move."""
    return disputes.advance(match=match, **move(found, trace) | changes)


def step(trace: ToyTrace, index: int, **changes: Any) -> DisputedStep:
    """What shows the step that leads to leaf `index`."""
    machine = trace.machine_before(index)
    is_at_rest = read(machine, BATCH_HASH) == ZERO
    shown = DisputedStep(
        previous=trace.root_before(index),
        previous_branch=tuple(trace.branch(index - 1)) if index else (),
        machine=machine,
        roots=ROOTS,
        leaves=b"" if is_at_rest else b"leaves",
        proofs=b"" if is_at_rest else b"proofs",
        given=b"" if is_at_rest and index else b"input",
    )
    return msgspec.structs.replace(shown, **changes)


def settle(
    match: bytes,
    index: int,
    trace: ToyTrace,
    children: tuple[bytes, bytes] | None = None,
    **changes: Any,
) -> bytes:
    """Show the step behind the last leaf that both sides have; `trace` is the winner's."""
    left, right = children or trace.children(trace.height, 0)
    shown = step(trace, index, **changes)
    return disputes.settle(match=match, step=shown, left=left, right=right)


def refute(
    entry: bytes, trace: ToyTrace, index: int, opponent: ToyTrace | None, **changes: Any
) -> bytes:
    """Show that leaf `index` is not what the step before it leads to."""
    left, right = opponent.children(opponent.height, 0) if opponent else NOTHING
    return disputes.refute(
        entry=entry,
        index=index,
        leaf=trace.leaves[index],
        leaf_branch=trace.branch(index),
        step=step(trace, index, **changes),
        left=left,
        right=right,
    )
