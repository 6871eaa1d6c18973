"""Which faults a story has, and how often: drawn from its seed.

Every story has only some kinds of faults, at rates of its own. Were all of them on all the
time, nothing would ever get far enough to go wrong in an interesting way.
"""

from random import Random

from msgspec import Struct


class Rates(Struct, kw_only=True):
    """Probabilities per message, per write, or per look of the mischief, each in [0, 1]."""

    slow: float = 0.0
    lost: float = 0.0
    doubled: float = 0.0
    crash_on_write: float = 0.0
    sync_fails: float = 0.0
    kill: float = 0.0
    power_loss: float = 0.0
    stop: float = 0.0
    reorg: float = 0.0
    l1_down: float = 0.0
    l1_stands: float = 0.0
    l1_slow: float = 0.0
    held_back: float = 0.0
    pool_lost: float = 0.0
    corrupt: float = 0.0
    rival: float = 0.0
    link_cut: float = 0.0
    disk_full: float = 0.0


_USUAL = {
    "slow": (0.01, 0.1),
    "lost": (0.005, 0.05),
    "doubled": (0.01, 0.2),
    "crash_on_write": (0.005, 0.05),
    "sync_fails": (0.002, 0.02),
    "kill": (0.01, 0.05),
    "power_loss": (0.01, 0.05),
    "stop": (0.01, 0.03),
    "reorg": (0.03, 0.25),
    "l1_down": (0.005, 0.03),
    "l1_stands": (0.005, 0.03),
    "l1_slow": (0.05, 0.3),
    "held_back": (0.02, 0.2),
    "pool_lost": (0.005, 0.03),
    "corrupt": (0.2, 0.8),
    "rival": (0.01, 0.04),
    "link_cut": (0.01, 0.04),
    "disk_full": (0.01, 0.06),
}


class Faults:
    """Chance with an off switch. `random` streams are named, so one kind disturbs no other."""

    def __init__(self, seed: int, rates: Rates | None = None) -> None:
        """`rates` in place of those that the seed would draw."""
        self.seed = seed
        self.is_on = True
        chooser = self.random("faults")
        share = chooser.choice((0.0, 0.2, 0.3, 0.3, 0.4, 0.5, 0.5, 0.7, 0.7, 0.9))
        drawn = {
            name: chooser.uniform(low, high)
            for name, (low, high) in _USUAL.items()
            if chooser.random() < share
        }
        self.rates = rates or Rates(**drawn)
        self._strikes = self.random("strikes")

    def random(self, name: str) -> Random:
        """A stream of chance of its own."""
        return Random(f"{self.seed}/{name}")  # noqa: S311 - a seed must reproduce a failure

    def strikes(self, rate: float) -> bool:
        """Whether a fault of this rate happens now."""
        return self.is_on and rate > 0 and self._strikes.random() < rate
