"""What many seeds came to, added up."""

from collections import Counter
from typing import Any

from node.simulation.outcome import Outcome

COMMAND = "tallystick simulate --seeds 1 --from {seed}"


class Report:
    """Adds outcomes; keeps nothing of the good ones but their sums."""

    def __init__(self) -> None:
        self.failures: list[Outcome] = []
        self.seeds = 0
        self._sums: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._seconds = self._virtual = 0.0
        self._digest = ""

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self._seconds += outcome.seconds
        self._virtual += outcome.virtual_seconds
        self._digest = outcome.digest
        self._faults.update(outcome.faults)
        self._outcomes.update(outcome.outcomes)
        for name in ("events", "acknowledged", "batches", "restarts"):
            self._sums[name] += getattr(outcome, name)
        if not outcome.is_good:
            self.failures.append(outcome)

    def facts(self) -> dict[str, Any]:
        """For programs; `digest` is the hash of the last seed's trace."""
        return {
            "seeds": self.seeds,
            "failures": [
                {"seed": failure.seed, "rule": failure.rule, "detail": failure.detail}
                for failure in self.failures
            ],
            "events": self._sums["events"],
            "acknowledged": self._sums["acknowledged"],
            "batches": self._sums["batches"],
            "restarts": self._sums["restarts"],
            "reorgs": self._faults["reorg"],
            "faults": dict(sorted(self._faults.items())),
            "outcomes": dict(sorted(self._outcomes.items())),
            "virtualSeconds": round(self._virtual),
            "secondsPerSeed": round(self._seconds / max(1, self.seeds), 3),
            "digest": self._digest,
        }


def told(outcome: Outcome) -> str:
    """One line: what is wrong, and how to see it again."""
    again = COMMAND.format(seed=outcome.seed)
    detail = " ".join(outcome.detail.split())
    return f"seed {outcome.seed} broke '{outcome.rule}': {detail}; again: {again}"
