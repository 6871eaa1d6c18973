"""A disk in memory that loses what was not synced, and kills whoever writes to it.

What a loss of power leaves of unsynced bytes is a prefix, sometimes with a tail of garbage
where blocks were allocated and not written.
"""

from errno import EIO
from pathlib import Path
from random import Random
from typing import Protocol

from node.simulation.faults import Faults


class Killed(BaseException):
    """The process this happens in does not exist any more. Nothing of ours catches it."""


class Life(Protocol):
    """One run of a process, from its start to its end."""

    def check(self) -> None:
        """Killed where it is over."""
        ...

    def end(self, why: str, *, power: bool) -> None:
        """End it here and now; with `power`, the machine loses its power too."""
        ...

    def strike(self, kind: str) -> None:
        """Note a fault that befell this process."""
        ...


class Content:
    """The bytes of a file; the first `synced` of them outlive a loss of power."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.synced = 0

    def lose_power(self, random: Random) -> int:
        """Drop what was not synced, or part of it; how many bytes were lost or changed."""
        unsynced = len(self.data) - self.synced
        kept = random.choice((0, unsynced, random.randint(0, unsynced)))
        garbage = 0
        del self.data[self.synced + kept :]
        if kept < unsynced and random.random() < 0.3:
            garbage = random.randint(1, unsynced - kept)
            # Only a file that had blocks before can show what stood in them once.
            blank = self.synced == 0 or random.random() < 0.5
            self.data += bytes(garbage) if blank else random.randbytes(garbage)
        # What is read after a restart is on the disk by then.
        self.synced = len(self.data)
        return unsynced - kept + garbage


class SimulatedDisk:
    """The files of one machine, which outlive its processes."""

    def __init__(self, faults: Faults, name: str) -> None:
        self.files: dict[Path, Content] = {}
        self._faults = faults
        self._random = faults.random(f"disk of {name}")

    def mount(self, life: Life) -> "MountedDisk":
        """The disk as one run of the process has it."""
        return MountedDisk(self.files, self._faults, life, self._random)

    def lose_power(self) -> int:
        """How many bytes were lost or changed."""
        return sum(content.lose_power(self._random) for content in self.files.values())


class MountedDisk:
    """A `node.disk.Disk`."""

    def __init__(
        self, files: dict[Path, Content], faults: Faults, life: Life, random: Random
    ) -> None:
        self._files = files
        self._faults = faults
        self._life = life
        self._random = random

    def open(self, path: Path) -> "SimulatedFile":
        self._life.check()
        content = self._files.setdefault(path, Content())
        return SimulatedFile(content, self._faults, self._life, self._random)


class SimulatedFile:
    """A `node.disk.File`, through which a process can die."""

    def __init__(self, content: Content, faults: Faults, life: Life, random: Random) -> None:
        self._content = content
        self._faults = faults
        self._life = life
        self._random = random
        self._fails = False

    def size(self) -> int:
        self._life.check()
        return len(self._content.data)

    def read(self, offset: int, size: int) -> bytes:
        self._life.check()
        return bytes(self._content.data[offset : offset + size])

    def append(self, data: bytes) -> None:
        """Sometimes the last thing the process does, with all or part of it written."""
        self._life.check()
        if self._faults.strikes(self._faults.rates.crash_on_write):
            cut = self._random.randint(0, len(data))
            self._content.data += data[:cut]
            self._life.end("crash on write", power=True)
            raise Killed
        self._content.data += data

    def truncate(self, size: int) -> None:
        self._life.check()
        del self._content.data[size:]
        self._content.synced = min(self._content.synced, size)

    def sync(self) -> None:
        self._life.check()
        if self._faults.strikes(self._faults.rates.crash_on_write):
            self._life.end("crash on sync", power=True)
            raise Killed
        if self._fails or self._faults.strikes(self._faults.rates.sync_fails):
            self._fails = True
            self._life.strike("sync failed")
            raise OSError(EIO, "Input/output error")
        self._content.synced = len(self._content.data)

    def close(self) -> None:
        """Nothing is synced by closing."""
