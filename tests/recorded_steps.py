"""Every step of a random history: its witness, input and facts, and the roots around it."""

from collections.abc import Iterator

from builders import DOMAIN, VERIFIER
from recorded_batches import recorded_batches

from prover.derivation import derive_batch, genesis_cursor
from prover.facts import BatchFacts
from prover.recording import RecordingState
from prover.step import input_of, take_step
from state.commitment import Committer
from state.memory import MemoryState
from state.steps import Step, next_step


class RecordedStep:
    """One step: its witness, its input, its facts, and the state roots around it."""

    def __init__(self, state: MemoryState, committer: Committer, of: BatchFacts) -> None:
        commitment = committer.commit()
        self.step = next_step(state.machine)
        self.given = input_of(state.machine, of.batch)
        self.facts = of.at(state.machine)
        recording = RecordingState(state, commitment)
        self.changes = take_step(recording, self.given, self.facts, VERIFIER)
        self.witness = recording.witness(self.changes)
        self.root_before = commitment.state_root
        state.apply(self.changes)
        self.root_after = committer.commit().state_root


def recorded_steps(seed: int, transactions: int) -> Iterator[RecordedStep]:
    """Every step of a random history, through header, payload and derivation."""
    state = MemoryState()
    committer = Committer(state)
    cursor = genesis_cursor(DOMAIN)
    for logged in recorded_batches(seed, transactions):
        derived = derive_batch(
            logged.header,
            logged.payload,
            logged.items,
            after=cursor,
            batch_hash=logged.batch_hash,
        )
        assert derived.void_reason == ""
        accumulator, cursor = cursor.accumulator, derived.cursor
        of = BatchFacts(derived.batch, accumulator=accumulator, separator=DOMAIN.separator)
        running = True
        while running:
            recorded = RecordedStep(state, committer, of)
            yield recorded
            running = recorded.step != Step.HALT
