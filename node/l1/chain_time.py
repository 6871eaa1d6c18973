"""What time it is on the devnet: the clock, shifted, and never standing still."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shift:
    """Seconds added to the clock, and a timestamp promised to the next block, if any."""

    offset: int = 0
    next_timestamp: int | None = None


class ChainTime:
    """Timestamps for blocks, from a clock in seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.shift = Shift()

    def clock(self) -> float:
        """The clock itself, without any shift: for what is no business of the chain."""
        return self._now()

    def next(self, head_timestamp: int) -> int:
        """The next block's: as promised, or max(clock + offset, head + 1)."""
        if self.shift.next_timestamp is not None:
            return max(self.shift.next_timestamp, head_timestamp + 1)
        return max(int(self._now()) + self.shift.offset, head_timestamp + 1)

    def increase(self, seconds: int, head_timestamp: int) -> int:
        """Move time on, from wherever the chain is by now; returns the whole offset.

        A chain that mined many blocks within a second is ahead of its clock. Counting from
        the clock would then give its contracts less time than was asked for.
        """
        now = int(self._now())
        reached = max(now + self.shift.offset, head_timestamp, self.shift.next_timestamp or 0)
        self.shift = Shift(reached + seconds - now)
        return self.shift.offset

    def promise(self, timestamp: int) -> None:
        """The next block has exactly this timestamp, and time goes on from there."""
        self.shift = Shift(self.shift.offset, timestamp)

    def mined(self, timestamp: int) -> None:
        """A block was mined: a promise is kept, and becomes the offset."""
        if self.shift.next_timestamp is not None:
            self.shift = Shift(timestamp - int(self._now()), None)
