"""Databases in memory with plyvel's methods, which lose power when a test says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import plyvel

Values = dict[bytes, bytes]


class FakeDatabase:
    """`after_write` is called after every write: a place to crash at."""

    def __init__(self) -> None:
        self.values: Values = {}
        self.synced: Values = {}
        self.writes = 0
        self.fail_write = False
        self.is_torn = False
        """A write failed since it was opened: LevelDB's log ends in a part of one."""
        self.is_damaged = False
        """Something was written behind that."""
        self.after_write: Callable[[], None] = lambda: None

    def get(self, key: bytes, **_: Any) -> bytes | None:
        return self.values.get(key)

    def iterator(
        self, *, prefix: bytes = b"", reverse: bool = False, **_: Any
    ) -> Iterator[tuple[bytes, bytes]]:
        found = [(key, self.values[key]) for key in self.values if key.startswith(prefix)]
        return iter(sorted(found, reverse=reverse))

    @contextmanager
    def write_batch(self, *, sync: bool = False, **_: Any) -> Iterator["FakeBatch"]:
        batch = FakeBatch()
        yield batch
        self.is_damaged = self.is_torn
        if self.fail_write:
            self.is_torn = True
            raise plyvel.IOError("No space left on device")
        for key, value in batch.changes.items():
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value
        if sync:
            # A log is synced with all that was written to it before.
            self.synced = dict(self.values)
        self.writes += 1
        self.after_write()

    def close(self) -> None:
        pass

    def lose_power(self) -> None:
        """Only what was synced is left."""
        self.values = dict(self.synced)


class FakeBatch:
    """What one write changes."""

    def __init__(self) -> None:
        self.changes: dict[bytes, bytes | None] = {}

    def put(self, key: bytes, value: bytes) -> None:
        self.changes[key] = value

    def delete(self, key: bytes) -> None:
        self.changes[key] = None


class FakeDatabases:
    """Databases by folder; opening one again is fine, as after a crash."""

    def __init__(self) -> None:
        self.databases: dict[Path, FakeDatabase] = {}

    def __call__(self, directory: Path) -> FakeDatabase:
        database = self.databases.setdefault(directory, FakeDatabase())
        if database.is_damaged:
            raise plyvel.CorruptionError(b"Corruption: checksum mismatch")
        database.is_torn = False
        return database
