"""The roots after every step, hashed level by level, are the ones that commits one by one give."""

from collections import Counter

import pytest
from builders import DOMAIN, VERIFIER
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from recorded_batches import recorded_batches

from prover.derivation import derive_batch, genesis_cursor
from prover.trace import padded, trace_batch
from prover.versions import roots_by_step
from state.commitment import Committer
from state.execution import Batch, run_batch
from state.memory import MemoryState
from state.steps import Step
from state.store import Changes
from state.tree import Tree


def batches(seed: int, transactions: int) -> list[Batch]:
    """A random history; every third batch with transactions is void."""
    cursor = genesis_cursor(DOMAIN)
    found: list[Batch] = []
    for logged in recorded_batches(seed, transactions):
        derived = derive_batch(
            logged.header, logged.payload, logged.items, after=cursor, batch_hash=logged.batch_hash
        )
        cursor = derived.cursor
        void = len(found) % 3 == 2
        found.append(replace(derived.batch, void=True, chunks=()) if void else derived.batch)
    return found


class OneByOne:
    """A state that is committed to after every step."""

    def __init__(self) -> None:
        self.state = MemoryState()
        self.committer = Committer(self.state)
        self.kinds: Counter[object] = Counter()

    def trace(self, batch: Batch) -> list[bytes]:
        roots: list[bytes] = []

        def commit(step: Step, changes: Changes) -> None:
            self.kinds[step] += 1
            self.kinds[changes.rewind] += 1
            roots.append(self.committer.commit().state_root)

        run_batch(self.state, batch, VERIFIER, commit)
        return roots


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_trace_is_what_commits_after_every_step_give(seed: int) -> None:
    expected, state = OneByOne(), MemoryState()
    committer = Committer(state)
    voids = items = 0
    for batch in batches(seed, 300):
        trace = trace_batch(state, committer.commit(), batch, VERIFIER)
        assert trace == expected.trace(batch), f"seed {seed}, batch {batch.header.number}"
        assert trace[-1] == committer.commit().state_root
        assert len(trace) == state.machine.step
        voids, items = voids + batch.void, items + len(batch.items)
    assert voids and items and set(Step) <= set(expected.kinds)
    assert all(expected.kinds[rewind] for rewind in ("save", "keep", "restore"))


def test_a_trace_is_padded_by_its_fixed_point() -> None:
    trace = [b"boot", b"halt"]
    assert padded(trace, 2) == trace
    assert padded(trace, 5) == [b"boot", *[b"halt"] * 4]
    for size in (0, 1):
        with pytest.raises(ValueError, match=rf"2 steps cannot be padded to {size}"):
            padded(trace, size)
    with pytest.raises(ValueError, match="0 steps"):
        padded([], 4)


leaves = st.dictionaries(st.integers(0, 255), st.binary(min_size=1, max_size=5), max_size=9)
writes = st.lists(
    st.dictionaries(st.integers(0, 255), st.binary(max_size=2), max_size=4), max_size=8
)


@given(before=leaves, steps=writes, other=writes)
def test_versions_of_trees_hash_as_their_updates_do(
    before: dict[int, bytes], steps: list[dict[int, bytes]], other: list[dict[int, bytes]]
) -> None:
    """Two trees of different depth, with leaves that come, change, return and go."""
    forest = {
        name: (Tree.empty(depth).update(before), by_leaf(changes))
        for name, depth, changes in (("one", 8, steps), ("other", 16, other))
    }
    roots = roots_by_step(forest)
    for name, changes in (("one", steps), ("other", other)):
        tree = forest[name][0]
        assert roots[name].at(-1) == tree.root
        for step, change in enumerate(changes):
            tree = tree.update(change)
            assert roots[name].at(step) == tree.root


def by_leaf(steps: list[dict[int, bytes]]) -> dict[int, list[tuple[int, bytes]]]:
    found: dict[int, list[tuple[int, bytes]]] = {}
    for step, change in enumerate(steps):
        for key, leaf in change.items():
            found.setdefault(key, []).append((step, leaf))
    return found
