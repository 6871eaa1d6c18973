"""A disk in memory that fails and loses power when a test says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from errno import EIO, ENOSPC
from pathlib import Path


@dataclass
class FakeFile:
    """`data` is what readers see; the first `synced` bytes of it outlive a loss of power."""

    data: bytearray = field(default_factory=bytearray)
    synced: int = 0
    appends: int = 0
    syncs: int = 0
    fail_append: bool = False
    fail_sync: bool = False
    after_write: Callable[[], None] = lambda: None
    """Called after every append and sync: places to crash at."""

    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self.data[offset : offset + size])

    def append(self, data: bytes) -> None:
        self.appends += 1
        if self.fail_append:
            # A full disk takes a part of what it is given.
            self.data += data[: len(data) // 2]
            raise OSError(ENOSPC, "No space left on device")
        self.data += data
        self.after_write()

    def truncate(self, size: int) -> None:
        del self.data[size:]
        self.synced = min(self.synced, size)

    def sync(self) -> None:
        self.syncs += 1
        if self.fail_sync:
            raise OSError(EIO, "Input/output error")
        self.synced = len(self.data)
        self.after_write()

    def close(self) -> None:
        pass

    def lose_power(self, kept: int = 0) -> None:
        """Only what was synced is left, and `kept` bytes of what was not."""
        del self.data[self.synced + kept :]


class FakeDisk:
    """Files by path; opening one twice is fine, as after a crash."""

    def __init__(self) -> None:
        self.files: dict[Path, FakeFile] = {}

    def open(self, path: Path) -> FakeFile:
        return self.files.setdefault(path, FakeFile())
