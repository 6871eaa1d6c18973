"""Files as the journal uses them, as an argument, so that a simulation can hand in its own."""

import fcntl
import os
from pathlib import Path
from typing import Protocol

from node.errors import Halt


class File(Protocol):
    """One file, open for reading anywhere and for writing at its end."""

    def size(self) -> int: ...

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`; fewer only where the file ends."""
        ...

    def append(self, data: bytes) -> None:
        """All of `data` behind what is there; on disk only after `sync`."""
        ...

    def truncate(self, size: int) -> None: ...

    def sync(self) -> None:
        """Return once everything appended outlives a loss of power. OSError is final."""
        ...

    def close(self) -> None: ...


class Disk(Protocol):
    """Where files are."""

    def open(self, path: Path) -> File:
        """The file, made if need be and then sure to be found after a loss of power.

        Halt where another process has it open.
        """
        ...


class SystemDisk:
    """The machine's own file system."""

    def open(self, path: Path) -> File:
        missing = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            _sync_directory(folder.parent)
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise Halt(
                f"{path} is in use by another process: stop that one, "
                "or give this node a data directory of its own"
            ) from None
        if is_new:
            _sync_directory(path.parent)
        return _SystemFile(descriptor)


class _SystemFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read(self, offset: int, size: int) -> bytes:
        parts = []
        while size > 0 and (part := os.pread(self._descriptor, size, offset)):
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)

    def append(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


def _sync_directory(path: Path) -> None:
    """A file's name is on disk once its directory is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
