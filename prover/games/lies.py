"""Traces that are entered, the right one and wrong ones of every kind."""

from collections.abc import Callable, Sequence
from enum import Enum

from msgspec import Struct, structs

from prover.dispute.trace_tree import TraceTree
from prover.games.machine import GENESIS, ToyState, after, roots
from state.crypto import keccak

Draw = Callable[[int], int]
"""An integer from 0 to below the one given, drawn by whoever plays."""


class Lie(Enum):
    """How a trace is wrong from step k on."""

    STEP = "a step with another outcome, and what truly follows from it"
    WAY = "leaves that no state has, and the right end"
    PADDING = "a machine that moves after it has come to rest, and the right end"
    AFTERLIFE = "a machine that comes to rest rightly and wakes up elsewhere"
    NONSENSE = "leaves that no state has, and a wrong end"
    SHORT = "a machine that rests too early"


class Trace(Struct, frozen=True):
    """`leaves` without the padding; the state before each, where the player knows it; and the
    state at rest to which it is said to lead.
    """

    tree: TraceTree
    before: Sequence[ToyState | None]
    end: ToyState

    def witness(self, index: int) -> ToyState | None:
        """What proves the step to leaf `index`; behind the last one the machine stands still."""
        return self.before[index] if index < len(self.before) else self.end


def truth(states: Sequence[ToyState], height: int) -> Trace:
    """The trace of what happened."""
    return Trace(TraceTree(roots(states), height), [GENESIS, *states[:-1]], states[-1])


def lie(kind: Lie, at: int, salt: int, states: Sequence[ToyState], height: int) -> Trace:
    """A trace that is right before leaf `at`. `salt` tells two of one kind apart."""
    other = keccak(b"lie" + salt.to_bytes(8))
    before: list[ToyState | None] = [GENESIS, *states[:-1]]
    if kind == Lie.STEP:
        return _of_states(_lied(at, other, states), height)
    if kind == Lie.SHORT:
        end = structs.replace(states[at], is_at_rest=True, value=other, step=max(at, 1))
        return _of_states([*states[:at], end], height)
    if kind == Lie.NONSENSE:
        end = structs.replace(states[-1], value=other)
        leaves = [*roots(states[:at]), *_nonsense(other, len(states) - 1 - at), end.root]
        return Trace(TraceTree(leaves, height), [*before[: at + 1], *_unknown(leaves, at)], end)
    size = 1 << height
    if kind == Lie.AFTERLIFE:
        end = structs.replace(states[-1], value=other)
        at = max(at, len(states))
        leaves = [*roots(states), *[states[-1].root] * (at - len(states)), end.root]
        known = [*before, *[states[-1]] * (at - len(states) + 1)]
        return Trace(TraceTree(leaves[:size], height), known, end)
    if kind == Lie.PADDING:
        at = max(at, len(states))
    leaves = roots(states) + [states[-1].root] * (at + 2 - len(states))
    leaves[at] = other
    known = [*before, *[states[-1]] * (at + 2 - len(states))]
    known[at + 1] = None
    return Trace(TraceTree(leaves, height), known, states[-1])


def is_possible(kind: Lie, at: int, states: Sequence[ToyState], height: int) -> bool:
    """Whether the tree has room for it, and the end a leaf that is not the lie."""
    size = 1 << height
    if kind in (Lie.STEP, Lie.NONSENSE, Lie.SHORT):
        return at < len(states) - (kind == Lie.SHORT)
    if kind == Lie.AFTERLIFE:
        return max(at, len(states)) < size
    if kind == Lie.PADDING:
        return max(at, len(states)) < size - 1
    return at < len(states) - 1


def _lied(at: int, other: bytes, states: Sequence[ToyState]) -> list[ToyState]:
    lied = [*states[:at], structs.replace(states[at], value=other)]
    while len(lied) < len(states):
        lied.append(after(lied[-1], len(states)))
    return lied


def _of_states(states: Sequence[ToyState], height: int) -> Trace:
    return Trace(TraceTree(roots(states), height), [GENESIS, *states[:-1]], states[-1])


def _nonsense(other: bytes, count: int) -> list[bytes]:
    return [keccak(other + number.to_bytes(4)) for number in range(count)]


def _unknown(leaves: Sequence[bytes], at: int) -> list[None]:
    """Nobody knows a state before the leaves that follow nonsense."""
    return [None] * (len(leaves) - at - 1)
