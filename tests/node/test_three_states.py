"""One engine over three states: in memory, in a database, and of a witness alone."""

from collections import Counter
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from builders import DOMAIN, VERIFIER
from fake_database import FakeDatabases
from recorded_batches import recorded_batches
from sequenced_world import Traders, started

from node.database import OpenDatabase, open_leveldb
from node.database_state import DatabaseState
from node.leaves import load_state, stored_places
from node.store import Store, StoreDamaged
from prover.derivation import Derived, derive_batch, genesis_cursor
from prover.facts import BatchFacts, Facts
from prover.post_state import root_after
from prover.recording import RecordingState
from prover.step import StepInput, input_of, take_step
from prover.witness_reader import decode_witness
from prover.witness_state import WitnessState
from sequencer.sequencer import Sequencer
from state.commitment import Committer
from state.execution import run_batch
from state.memory import MemoryState
from state.status import Status, is_identity
from state.steps import Step, next_step
from state.store import Changes
from state.transactions.kinds import Kind

MEND = "delete this folder"


def derived_batches(seed: int, transactions: int) -> Iterator[Derived]:
    """A random history as a follower derives it."""
    cursor = genesis_cursor(DOMAIN)
    for logged in recorded_batches(seed, transactions):
        derived = derive_batch(
            logged.header, logged.payload, logged.items, after=cursor, batch_hash=logged.batch_hash
        )
        cursor = derived.cursor
        yield derived


class Three:
    """The same venue three times; the witness is made of the state in the database."""

    def __init__(self, directory: Path, open_database: OpenDatabase) -> None:
        self.store = Store(directory, mend=MEND, open_database=open_database)
        self.memory = MemoryState()
        self.memory_trees = Committer(self.memory)
        self.reopen()
        self.statuses: Counter[int] = Counter()
        self.rewinds: Counter[str | None] = Counter()

    def reopen(self) -> None:
        """The state in the database as a new process finds it."""
        self.database = DatabaseState(self.store)
        self.database_trees = Committer(self.database)

    def step(self, of: BatchFacts) -> Step:
        """The next step, in each; their roots and statuses must agree."""
        machine = self.memory.machine
        step, given, facts = next_step(machine), input_of(machine, of.batch), of.at(machine)
        changes = take_step(self.memory, given, facts, VERIFIER)
        stored, proven_root, proven = self._stored_and_proven(given, facts)
        self.memory.apply(changes)
        self.database.apply(stored)
        root = self.memory_trees.commit().state_root
        assert root == self.database_trees.commit().state_root == proven_root, step
        for other in (stored, proven):
            assert written(other) == written(changes), step
        status = changes.machine.status
        if step == Step.TRANSACTION and is_identity(Status(status)):
            assert not any(written(changes)[1:5]), "an identity step writes no leaf"
        self.statuses[status] += 1
        self.rewinds[changes.rewind] += 1
        return step

    def _stored_and_proven(self, given: StepInput, facts: Facts) -> tuple[Changes, bytes, Changes]:
        """What the step writes over the database, and over the witness of what it read there."""
        before = self.database_trees.commit()
        recording = RecordingState(self.database, before)
        stored = take_step(recording, given, facts, VERIFIER)
        witness = decode_witness(recording.witness(stored).encode())
        alone = WitnessState(witness, before.state_root)
        proven = take_step(alone, given, facts, VERIFIER)
        return stored, root_after(alone, proven), proven


def written(changes: Changes) -> tuple[Any, ...]:
    """All that a step wrote."""
    return (
        changes.machine,
        changes.accounts,
        changes.markets,
        changes.rows,
        changes.orders,
        changes.withdrawals,
        changes.events,
        changes.rewind,
    )


def contents(state: MemoryState) -> tuple[Any, ...]:
    """Everything that a state in memory holds, for comparing."""
    books = {place: list(book) for place, book in state.books.items() if len(book)}
    machine = copy(state.machine)
    machine.sums = copy(machine.sums)
    tables = (dict(state.accounts), dict(state.markets), dict(state.rows), books)
    return machine, *tables, list(state.withdrawals)


@pytest.mark.parametrize(("seed", "transactions"), [(1, 250), (2, 250), (8, 250)])
def test_memory_database_and_witness_agree_at_every_step(
    seed: int, transactions: int, tmp_path: Path
) -> None:
    three = Three(tmp_path / "state", open_leveldb)
    kinds: set[int] = set()
    accumulator = genesis_cursor(DOMAIN).accumulator
    for number, derived in enumerate(derived_batches(seed, transactions)):
        kinds |= {row.kind for chunk in derived.batch.chunks for row in chunk}
        of = BatchFacts(derived.batch, accumulator=accumulator, separator=DOMAIN.separator)
        while three.step(of) != Step.HALT:
            pass
        accumulator = derived.cursor.accumulator
        three.database.write_back(three.database_trees.commit())
        assert contents(load_state(three.store)) == contents(three.memory), f"batch {number}"
        if number % 2:
            three.reopen()
    three.store.close()
    assert kinds == set(Kind) and len(three.statuses) > 15
    assert all(three.rewinds[kind] for kind in ("save", "keep", "restore"))


def test_a_whole_batch_runs_over_a_database(tmp_path: Path) -> None:
    """`run_batch` with SAVE and RESTORE inside, and the database written once a batch."""
    three = Three(tmp_path, FakeDatabases())
    for derived in derived_batches(4, 200):
        expected = run_batch(three.memory, derived.batch, VERIFIER)
        assert run_batch(three.database, derived.batch, VERIFIER) == expected
        three.database.write_back(three.database_trees.commit())
        assert contents(load_state(three.store)) == contents(three.memory)


def test_what_was_undone_over_a_database_was_never_there(tmp_path: Path) -> None:
    three = Three(tmp_path, FakeDatabases())
    roots, logs = [three.database_trees.commit().state_root], []
    for derived in derived_batches(6, 120):
        run_batch(three.database, derived.batch, VERIFIER)
        logs.append(three.database.cut())
        commitment = three.database_trees.commit()
        three.database.write_back(commitment)
        roots.append(commitment.state_root)
    assert len(logs) > 3
    for root in reversed(roots[:-1]):
        three.database.undo(logs.pop())
        commitment = three.database_trees.commit()
        assert commitment.state_root == root
        three.database.write_back(commitment)
        assert Committer(load_state(three.store)).commit().state_root == root
    assert list(stored_places(three.store)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_refused_transaction_leaves_no_trace(seed: int) -> None:
    """Not in the state, nor in what is dirty, can be undone, or is in the open batch."""
    sequencer = started()
    traders = Traders(seed, sequencer)
    refused: Counter[Status] = Counter()
    for at in range(400):
        sequencer.advance_clock(sequencer.time + at % 3)
        before = everything(sequencer)
        receipt = sequencer.submit(*traders.next())
        if not receipt.steps:
            refused[receipt.status] += 1
            assert everything(sequencer) == before, f"seed {seed}, {receipt.status.name}"
        if at % 50 == 49:
            sequencer.seal()
    assert len(refused) > 3 and refused.total() > 40, refused


def everything(sequencer: Sequencer) -> tuple[Any, ...]:
    state, opened = sequencer.state, sequencer.open
    kept = (set(state.dirty), list(state._log), state._mark, state.has_just_saved)
    batch = opened and (list(opened.rows), list(opened.items), opened.time_max, opened.fills)
    return contents(state), kept, batch, sequencer.number


@pytest.mark.parametrize("seed", [3])
def test_a_leaf_that_is_none_is_told_with_its_mend(seed: int, tmp_path: Path) -> None:
    databases = FakeDatabases()
    three = Three(tmp_path, databases)
    for derived in derived_batches(seed, 60):
        run_batch(three.database, derived.batch, VERIFIER)
    three.database.write_back(three.database_trees.commit())
    values = databases.databases[tmp_path].values
    assert {key[5:6] for key in values} >= {b"a", b"m", b"r", b"o", b"x"}
    for key, leaf in list(values.items()):
        values[key] = leaf[:-1]
        with pytest.raises(StoreDamaged, match=rf"{key.hex()} is not one .*; {MEND}"):
            load_state(three.store)
        values[key] = leaf
    load_state(three.store)
