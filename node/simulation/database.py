"""An ordered database in memory with plyvel's methods, which a loss of power takes back a little.

LevelDB writes its log in order and syncs when told to: what is lost are the last writes
since then, each whole. A write that finds no space leaves a part of itself at the log's end:
opening drops that, but what was written behind it makes the log unreadable.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import plyvel

from node.simulation.disk import Life
from node.simulation.faults import Faults
from node.simulation.loop import VirtualClock

Write = list[tuple[bytes, bytes | None]]
"""Keys with their new values, None for a key that goes."""

NO_SPACE = "disk full"
"""The fault that a process notes when a write or an opening finds no space."""

UNSYNCED_MAX = 16
"""Writes that a loss of power can take at most: the system writes out older ones by itself."""


class Tables:
    """What a folder's database holds; `unsynced` are the values that the last writes replaced."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.unsynced: list[Write] = []
        self.is_torn = False
        """A write failed since it was opened."""
        self.is_damaged = False
        """Something was written behind that."""

    def open(self) -> None:
        """Drop what a failed write left. plyvel.CorruptionError where something is behind it."""
        if self.is_damaged:
            raise plyvel.CorruptionError(b"Corruption: checksum mismatch")
        self.is_torn = False

    def write(self, changes: Write, *, sync: bool) -> None:
        self.is_damaged = self.is_damaged or self.is_torn
        undo: Write = [(key, self.values.get(key)) for key, _ in changes]
        self._put(changes)
        self.unsynced = [] if sync else [*self.unsynced, undo[::-1]][-UNSYNCED_MAX:]

    def lose_power(self, random: Random) -> int:
        """Take back some of the last writes; how many."""
        lost = random.choice((0, random.randint(0, len(self.unsynced))))
        for _ in range(lost):
            self._put(self.unsynced.pop())
        self.unsynced = []
        return lost

    def _put(self, changes: Write) -> None:
        for key, value in changes:
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value


class SimulatedDatabases:
    """The databases of one machine by folder; they outlive its processes."""

    def __init__(self, faults: Faults, name: str) -> None:
        self.tables: dict[Path, Tables] = {}
        self._faults = faults
        self._random = faults.random(f"databases of {name}")
        self._clock = VirtualClock()
        self._full_until = 0.0

    def fill(self, seconds: float) -> None:
        """Leave no space for anything for some time."""
        self._full_until = self._clock.monotonic() + seconds

    def check_space(self, life: Life) -> None:
        """plyvel.IOError where there is none."""
        if self._faults.is_on and self._clock.monotonic() < self._full_until:
            life.strike(NO_SPACE)
            raise plyvel.IOError(b"IO error: No space left on device")

    def lose_power(self) -> int:
        """How many writes were lost."""
        return sum(tables.lose_power(self._random) for tables in self.tables.values())

    def open(self, directory: Path, life: Life) -> "SimulatedDatabase":
        """As one run of the process has it. plyvel.Error where it cannot be opened."""
        tables = self.tables.setdefault(directory, Tables())
        # LevelDB begins a new log whenever it opens.
        self.check_space(life)
        tables.open()
        return SimulatedDatabase(tables, life, self.check_space)


class SimulatedDatabase:
    """plyvel's `DB`, as far as the node uses it."""

    def __init__(self, tables: Tables, life: Life, check_space: Callable[[Life], None]) -> None:
        self._tables = tables
        self._life = life
        self._check_space = check_space

    def close(self) -> None:
        """Nothing is synced by closing."""

    def get(self, key: bytes, **_: Any) -> bytes | None:
        self._life.check()
        return self._tables.values.get(key)

    def put(self, key: bytes, value: bytes, *, sync: bool = False) -> None:
        self._write([(key, value)], sync=sync)

    def delete(self, key: bytes, *, sync: bool = False) -> None:
        self._write([(key, None)], sync=sync)

    def iterator(
        self,
        *,
        prefix: bytes = b"",
        reverse: bool = False,
        include_value: bool = True,
        **_: Any,
    ) -> Iterator[Any]:
        """Over the values as they are now, whatever is written meanwhile."""
        self._life.check()
        found = sorted(key for key in self._tables.values if key.startswith(prefix))
        if reverse:
            found.reverse()
        values = self._tables.values
        return iter([(key, values[key]) if include_value else key for key in found])

    @contextmanager
    def write_batch(self, *, sync: bool = False, **_: Any) -> Iterator["_Batch"]:
        """All of it on leaving, or none where an error leaves."""
        self._life.check()
        batch = _Batch()
        yield batch
        self._write(batch.changes, sync=sync)

    def _write(self, changes: Write, *, sync: bool) -> None:
        self._life.check()
        try:
            self._check_space(self._life)
        except plyvel.IOError:
            self._tables.is_damaged = self._tables.is_damaged or self._tables.is_torn
            self._tables.is_torn = True
            raise
        self._tables.write(changes, sync=sync)


class _Batch:
    def __init__(self) -> None:
        self.changes: Write = []

    def put(self, key: bytes, value: bytes) -> None:
        self.changes.append((key, value))

    def delete(self, key: bytes) -> None:
        self.changes.append((key, None))
