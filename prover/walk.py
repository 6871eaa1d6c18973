"""A batch step by step, and all that proves one of its steps."""

from collections.abc import Iterator

from msgspec import Struct

from prover.facts import BatchFacts, Facts
from prover.recording import RecordingState
from prover.step import StepInput, input_of, take_step
from prover.witness import Witness
from state.authentication import Verifier
from state.commitment import Committer
from state.machine import Machine
from state.memory import MemoryState
from state.steps import Step, next_step
from state.store import Changes


class NoSuchStep(ValueError):
    """The batch has fewer steps than asked for."""

    def __init__(self, number: int, steps: int) -> None:
        super().__init__(f"step {number} of a batch of {steps}: they count from 1, which is BOOT")
        self.steps = steps


class TakenStep(Struct, frozen=True):
    """Step `number` of its batch, counted from 1; the machine before it, and what it wrote."""

    number: int
    before: Machine
    given: StepInput
    changes: Changes


class ShownStep(Struct, frozen=True, kw_only=True):
    """A step with its proof: what L1 takes, and the roots around it as whole trees give them."""

    taken: TakenStep
    facts: Facts
    witness: Witness
    root_before: bytes
    root_after: bytes


class BatchWalk:
    """The next batch over `state`, which ends up behind the last step that was taken."""

    def __init__(self, state: MemoryState, of: BatchFacts, verifier: Verifier) -> None:
        self.state, self.of, self.verifier = state, of, verifier
        self._committer = Committer(state)

    def steps(self) -> Iterator[TakenStep]:
        """Every step, once the state has taken it."""
        for number, is_last in self._numbers():
            taken = self._take(number, self.state)
            self._apply(taken.changes)
            yield taken
            if is_last:
                return

    def show(self, number: int) -> ShownStep:
        """Run up to step `number` and prove it. NoSuchStep where there is none."""
        for at, is_last in self._numbers():
            if at == number:
                return self._show(number)
            self._apply(self._take(at, self.state).changes)
            if is_last:
                raise NoSuchStep(number, at)
        raise AssertionError("a batch ends in HALT")

    def _numbers(self) -> Iterator[tuple[int, bool]]:
        """The number of the next step, and whether it is HALT."""
        number = 1
        while True:
            yield number, next_step(self.state.machine) == Step.HALT
            number += 1

    def _take(self, number: int, state: MemoryState | RecordingState) -> TakenStep:
        before = state.machine
        given = input_of(before, self.of.batch)
        changes = take_step(state, given, self.of.at(before), self.verifier)
        return TakenStep(number, before, given, changes)

    def _apply(self, changes: Changes) -> None:
        self.state.apply(changes)
        if changes.rewind == "save":
            # Its roots are known only now, and the machine has them until KEEP or RESTORE.
            self._committer.commit()

    def _show(self, number: int) -> ShownStep:
        before = self._committer.commit()
        recording = RecordingState(self.state, before)
        taken = self._take(number, recording)
        self._apply(taken.changes)
        return ShownStep(
            taken=taken,
            facts=self.of.at(taken.before),
            witness=recording.witness(taken.changes),
            root_before=before.state_root,
            root_after=self._committer.commit().state_root,
        )
