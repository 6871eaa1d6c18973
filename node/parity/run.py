"""Histories through both sides: `state/` and the twin in Python, and the contracts on an engine.

After each step of a history three answers must be one: the root of the state that the rules
wrote, the twin's from the witness alone, and the engine's from the same bytes. Of a mutated
step two must be: both sides refuse it, or both take it to the same end.
"""

from collections.abc import Callable
from itertools import count
from random import Random

from msgspec import Struct

from node.parity.case import Answer, Case, Ran, Refused, agree, twin
from node.parity.counts import Counts, status_name
from node.parity.engines import Engine
from node.parity.history import History
from node.parity.mutations import mutated
from node.parity.world import VERIFIER, Prepared

HISTORY_STEPS = 1_200
"""A history's length: long enough for books to fill, short enough to see many venues."""


class Mismatch(Struct, frozen=True, kw_only=True):
    """A step on which the sides differ. `mutation` is empty for one as it was."""

    seed: int
    history: int
    number: int
    kind: str
    status: str
    mutation: str
    rules: Answer | None
    python: Answer
    engine: Answer
    case: Case

    def __str__(self) -> str:
        what = f"{self.kind} ({self.status})" + (f", {self.mutation}" if self.mutation else "")
        lines = [
            f"step {self.number} of history {self.history}, seed {self.seed}: {what}",
            f"  python {told_answer(self.python)}",
            f"  engine {told_answer(self.engine)}",
        ]
        if self.rules is not None:
            lines.insert(1, f"  rules  {told_answer(self.rules)}")
        return "\n".join(lines)


class Plan(Struct, frozen=True, kw_only=True):
    """How much is compared, and from which seed; of a slow engine only one step in `every`.

    The first step of each kind and status is compared in any case.
    """

    steps: int
    seed: int
    mutations: int = 0
    every: int = 1


class Enough(Exception):
    """The plan is carried out, or a difference was found and is to end it."""


class Comparison:
    """Watches histories; what differs is handed to `on_mismatch`, which may raise to stop."""

    def __init__(
        self,
        engine: Engine,
        plan: Plan,
        *,
        on_mismatch: Callable[[Mismatch], None],
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.engine, self.plan = engine, plan
        self.counts = Counts()
        self.mismatches = 0
        self.mutated = 0
        self.passed = 0
        self.history = plan.seed
        self._on_mismatch, self._on_progress = on_mismatch, on_progress
        self._chance = Random(plan.seed)  # noqa: S311  (a seed must reproduce a difference)

    def run(self) -> None:
        """Histories one after another, each from its own seed, until there were enough steps."""
        try:
            for seed in count(self.plan.seed):
                self.history = seed
                history, last = History(seed, self), self.passed + HISTORY_STEPS
                while self.passed < last:
                    history.act()
        except Enough:
            return

    # --- the watcher's ---

    def before(self, step: Prepared) -> None:
        """Mutations are made while the state is as the step finds it."""
        if self.counts.taken >= self.plan.steps:
            raise Enough
        self.passed += 1
        if not self._is_compared(step):
            return
        due = self.plan.mutations * (self.counts.taken + 1) // self.plan.steps
        while self.mutated < due:
            way, case = mutated(self._chance, step)
            self._compare_mutated(step, way, case)
            self.mutated += 1

    def after(self, step: Prepared, root: bytes, status: int) -> None:
        """The step as it was."""
        if not self._is_compared(step):
            return
        rules = Ran(root, status)
        python, engine = twin(step.case, VERIFIER), self.engine.answer(step.case)
        self.counts.steps[step.pair] += 1
        self._on_progress(self.counts.taken)
        if not (agree(rules, python) and agree(python, engine)):
            self._differs(step, "", rules, python, engine, step.case)

    def _is_compared(self, step: Prepared) -> bool:
        return self.passed % self.plan.every == 0 or not self.counts.steps[step.pair]

    def _compare_mutated(self, step: Prepared, way: str, case: Case) -> None:
        python, engine = twin(case, VERIFIER), self.engine.answer(case)
        outcome = "refused" if isinstance(python, Refused) else "taken"
        self.counts.mutations[way, outcome] += 1
        if not agree(python, engine):
            self._differs(step, way, None, python, engine, case)

    def _differs(
        self,
        step: Prepared,
        mutation: str,
        rules: Answer | None,
        python: Answer,
        engine: Answer,
        case: Case,
    ) -> None:
        self.mismatches += 1
        self._on_mismatch(
            Mismatch(
                seed=self.plan.seed,
                history=self.history,
                number=self.counts.taken,
                kind=step.pair[0].value,
                status=status_name(step.pair),
                mutation=mutation,
                rules=rules,
                python=python,
                engine=engine,
                case=case,
            )
        )


def told_answer(answer: Answer) -> str:
    """An answer in a line."""
    if isinstance(answer, Refused):
        return f"refused: {answer.reason}"
    return f"root 0x{answer.root.hex()}, status {answer.status}"


def compare(engine: Engine, case: Case) -> tuple[Answer, Answer]:
    """The twin's answer and the engine's."""
    return twin(case, VERIFIER), engine.answer(case)
