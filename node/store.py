"""Keys and values on disk: reads that are checked, writes that are whole, errors with a mend.

LevelDB checks what it reads and, being paranoid, says so when it
opens damaged files instead of leaving out what it cannot read. The one thing that it still
drops without a word is a torn last write, which then never happened.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import plyvel

from node.database import OpenDatabase, open_leveldb
from node.errors import Halt

Changes = Mapping[bytes, bytes | None]
"""What a write sets; None removes."""


class StoreDamaged(Halt):
    """What is on disk is not what was written."""

    def __init__(self, directory: Path, detail: str, mend: str) -> None:
        super().__init__(f"STORE_DAMAGED: {directory}: {detail}; {mend}")


class Store:
    """One process's ordered keys and values in a folder; `mend` is how to do without it.

    Raises Halt where the folder is in use, StoreDamaged where it is not what was written.
    """

    def __init__(
        self, directory: Path, *, mend: str, open_database: OpenDatabase = open_leveldb
    ) -> None:
        self.directory = directory
        self.mend = mend
        self._open_database = open_database
        self._has_failed = False
        with self._guard():
            self._opened = open_database(directory)

    def damaged(self, detail: str) -> StoreDamaged:
        """What to raise where a value is not what was written."""
        return StoreDamaged(self.directory, detail, self.mend)

    def read(self, key: bytes) -> bytes | None:
        with self._guard():
            value: bytes | None = self._db().get(key, verify_checksums=True)
        return value

    def entries(self, prefix: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """What begins with `prefix`, by ascending key, as it stood when the first was asked for."""
        with self._guard():
            yield from self._db().iterator(prefix=prefix, reverse=reverse, verify_checksums=True)

    def write(self, changes: Changes, *, sync: bool = True) -> None:
        """All of `changes` or none. With `sync` it outlives a loss of power once this returns."""
        with self._guard():
            database = self._db()
            self._has_failed = True
            with database.write_batch(transaction=True, sync=sync) as batch:
                for key, value in changes.items():
                    if value is None:
                        batch.delete(key)
                    else:
                        batch.put(key, value)
            self._has_failed = False

    def close(self) -> None:
        self._opened.close()

    def _db(self) -> Any:
        """Opened anew after a write that failed: what it left in LevelDB's log is dropped then,
        and behind it nothing that is appended could ever be read again.
        """
        if self._has_failed:
            self._opened.close()
            self._opened = self._open_database(self.directory)
            self._has_failed = False
        return self._opened

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """LevelDB's errors, told with their mend."""
        try:
            yield
        except plyvel.CorruptionError as error:
            raise self.damaged(_words(error)) from error
        except plyvel.Error as error:
            if "LOCK: " in str(error):
                raise Halt(
                    f"STORE_IN_USE: {self.directory} is in use by another process; stop that "
                    "one, or give this node a data directory of its own"
                ) from error
            if "does not exist" in str(error):
                raise self.damaged("files of the database are missing") from error
            raise Halt(
                f"STORE_FAILED: {self.directory}: {_words(error)}; check the disk and its free "
                f"space, or {self.mend}"
            ) from error


def _words(error: Exception) -> str:
    """What LevelDB says, which comes as bytes."""
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
