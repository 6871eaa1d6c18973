"""What many games came to, added up."""

from collections import Counter
from typing import Any

from prover.games.play import Outcome

COMMAND = "tallystick games --games 1 --from {seed}"


class Report:
    """Keeps the broken games, and of the others their sums and the largest shares of a bound.

    A share of the delay is of the time that matches may take beyond the entry window, which is
    always waited for; a share of the gas is of all of it.
    """

    def __init__(self) -> None:
        self.broken: dict[int, list[str]] = {}
        self.games = 0
        self._sums: Counter[str] = Counter()
        self._entries = self._delay = 0
        self._delay_share = self._gas_share = 0.0

    def add(self, seed: int, outcome: Outcome) -> None:
        self.games += 1
        for name in ("entries", "matches", "refused", "reorgs", "restarts"):
            self._sums[name] += getattr(outcome, name)
        self._entries = max(self._entries, outcome.entries)
        self._delay = max(self._delay, outcome.delay)
        if outcome.matches:
            beyond = outcome.delay_bound - outcome.entry_window
            late = outcome.delay - outcome.entry_window
            self._delay_share = max(self._delay_share, late / beyond)
            self._gas_share = max(self._gas_share, outcome.gas / outcome.gas_bound)
        if outcome.broken:
            self.broken[seed] = outcome.broken

    def facts(self) -> dict[str, Any]:
        """For programs; the shares are of the stated bounds, 1 would be all of one."""
        return {
            "games": self.games,
            "broken": [{"seed": seed, "promises": told} for seed, told in self.broken.items()],
            "entries": self._sums["entries"],
            "mostEntries": self._entries,
            "matches": self._sums["matches"],
            "refusedCalls": self._sums["refused"],
            "restarts": self._sums["restarts"],
            "reorgs": self._sums["reorgs"],
            "longestSeconds": self._delay,
            "largestDelayShare": round(self._delay_share, 3),
            "largestGasShare": round(self._gas_share, 3),
        }


def told(seed: int, broken: list[str]) -> str:
    """One line: what was not kept, and how to see it again."""
    return f"game {seed}: {'; '.join(broken)}; again: {COMMAND.format(seed=seed)}"
