"""A batch step by step: the trace of its roots, and any one of its steps with its proof."""

import pytest
from builders import DOMAIN, VERIFIER
from recorded_batches import recorded_batches

from prover.derivation import derive_batch, genesis_cursor
from prover.facts import BatchFacts
from prover.one_step import prove_step
from prover.trace import trace_batch
from prover.walk import BatchWalk, NoSuchStep
from state.commitment import Committer
from state.execution import OnStep
from state.memory import MemoryState
from state.steps import Step
from state.store import Changes


def fok_batch() -> tuple[MemoryState, BatchFacts]:
    """The state before, and the facts of, the first batch of a history that saves and restores."""
    state, cursor = MemoryState(), genesis_cursor(DOMAIN)
    for logged in recorded_batches(1, 200):
        derived = derive_batch(
            logged.header, logged.payload, logged.items, after=cursor, batch_hash=logged.batch_hash
        )
        of = BatchFacts(derived.batch, accumulator=cursor.accumulator, separator=DOMAIN.separator)
        cursor = derived.cursor
        before = state.snapshot()
        rewinds = {taken.changes.rewind for taken in BatchWalk(state, of, VERIFIER).steps()}
        if {"save", "restore"} <= rewinds:
            return before, of
    raise AssertionError("no batch of the history has a FOK that is killed")


def traced(state: MemoryState, of: BatchFacts, on_step: OnStep | None = None) -> list[bytes]:
    return trace_batch(state, Committer(state).commit(), of.batch, VERIFIER, on_step)


def test_a_walk_takes_the_steps_of_the_trace() -> None:
    before, of = fok_batch()
    machines = []

    def keep(_: Step, changes: Changes) -> None:
        machines.append(changes.machine)

    roots = traced(before.snapshot(), of, keep)
    steps = list(BatchWalk(before.snapshot(), of, VERIFIER).steps())
    assert [taken.number for taken in steps] == list(range(1, len(roots) + 1))
    assert [taken.changes.machine for taken in steps] == machines
    assert [taken.before for taken in steps[1:]] == machines[:-1]


def test_every_step_is_shown_with_a_proof_that_leads_along_the_trace() -> None:
    """Also between SAVE and RESTORE, where the machine holds roots of before."""
    before, of = fok_batch()
    root = Committer(before.snapshot()).commit().state_root
    roots = [root, *traced(before.snapshot(), of)]
    saved = 0
    for number in range(1, len(roots)):
        shown = BatchWalk(before.snapshot(), of, VERIFIER).show(number)
        assert (shown.root_before, shown.root_after) == (roots[number - 1], roots[number])
        given = shown.taken.given.encode()
        proven = prove_step(shown.root_before, shown.witness.encode(), given, shown.facts, VERIFIER)
        assert proven == (shown.root_after, shown.taken.changes.machine.status)
        saved += shown.taken.before.saved is not None
    assert saved > 1


def test_a_batch_has_no_step_after_halt() -> None:
    before, of = fok_batch()
    count = len(traced(before.snapshot(), of))
    with pytest.raises(NoSuchStep, match=f"step {count + 1} of a batch of {count}") as refused:
        BatchWalk(before, of, VERIFIER).show(count + 1)
    assert refused.value.steps == count
