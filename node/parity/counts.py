"""What was reached and how the two sides answered, as a table and as JSON."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from node.parity.kinds import ALL_PAIRS, STATUSES_OF, Pair, StepKind

NO_STATUS = "-"


def status_name(pair: Pair) -> str:
    """The status of a pair; a dash where the step sets none."""
    return NO_STATUS if pair[1] is None else pair[1].name


class Counts:
    """Steps by kind and status; mutations by their way and what became of them."""

    def __init__(self) -> None:
        self.steps: Counter[Pair] = Counter()
        self.mutations: Counter[tuple[str, str]] = Counter()

    @property
    def taken(self) -> int:
        """How many steps there were, mutations apart."""
        return self.steps.total()

    def never(self) -> list[Pair]:
        """The pairs that the protocol allows and no step reached, in the protocol's order."""
        return [pair for pair in ordered(ALL_PAIRS) if not self.steps[pair]]

    def unforeseen(self) -> list[Pair]:
        """The pairs that were reached although the protocol has none of them."""
        return ordered(self.steps.keys() - ALL_PAIRS)

    def facts(self) -> dict[str, Any]:
        """For programs."""
        by_kind = {
            kind.value: {
                status_name(pair): self.steps[pair] for pair in _pairs_of(kind) if self.steps[pair]
            }
            for kind in STATUSES_OF
        }
        mutations: dict[str, dict[str, int]] = {}
        for (way, outcome), count in sorted(self.mutations.items()):
            mutations.setdefault(way, {})[outcome] = count
        return {
            "steps": self.taken,
            "byKind": by_kind,
            "never": [f"{pair[0].value}: {status_name(pair)}" for pair in self.never()],
            "mutations": mutations,
        }


def ordered(pairs: Iterable[Pair]) -> list[Pair]:
    """By kind, then by status."""
    kinds = list(StepKind)
    return sorted(pairs, key=lambda pair: (kinds.index(pair[0]), pair[1] or 0))


def _pairs_of(kind: StepKind) -> list[Pair]:
    return ordered((kind, status) for status in STATUSES_OF[kind])
