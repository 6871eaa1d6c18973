"""The journal: an append-only file of groups of records, the truth that a restart reads.

    file   magic | u16 version | bytes32 identity | u32 crc32 of these
    group  mark | u32 size | u32 crc32(body) | bytes32 chain | u32 crc32 of these | body

    chain = keccak(chain of the group before | body); before the first it is the hash of the
    file's head.

A group is what one sync put on disk, so it is whole or was never acknowledged. The next
group is written only after that sync. Hence damage behind which no whole group stands is
the tail that a crash tore off, and is cut; damage before a whole group has befallen what
was acknowledged, and halts the node. Nothing is ever skipped.
"""

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import msgspec
from msgspec import Struct

from node.disk import Disk, File
from node.errors import Halt
from node.records import Record, decode_records, encode_records
from state.crypto import keccak

MAGIC = b"TALLYJNL"
VERSION = 1
MARK = b"\xf5grp"
BODY_BYTES_MAX = 2**26
HEAD_BYTES = len(MAGIC) + 2 + 32 + 4
GROUP_HEAD_BYTES = len(MARK) + 4 + 4 + 32 + 4
_SCAN_BYTES = 2**20


class TornTail(Struct, frozen=True):
    """What a crash left of a group that nobody was told of: cut off, `size` bytes at `offset`."""

    offset: int
    size: int


class CorruptJournal(Halt):
    """The journal is damaged where it had been acknowledged."""

    def __init__(self, path: Path, offset: int, what: str) -> None:
        super().__init__(
            f"{path} is damaged at byte {offset}: {what}. Restore the file from a copy; or move "
            "it away, and what is on L1 is derived again, but what was acknowledged and not yet "
            "posted is lost"
        )
        self.offset = offset


class JournalFailed(Halt):
    """The disk refused a write: what it holds now is known only after a restart."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror or error}; nothing of the last group was "
            "acknowledged. Mend the disk and start the node again"
        )


class _Damaged(Exception):
    """No whole group begins here."""


class _Group(Struct, frozen=True):
    body: bytes
    chain: bytes
    end: int


class Journal:
    """One writer's journal. `read` it to the end before appending."""

    def __init__(self, disk: Disk, path: Path, identity: bytes) -> None:
        """`identity` is the hash of the deployment's genesis; a journal of another one halts."""
        assert len(identity) == 32
        self.path = path
        self.torn: TornTail | None = None
        self._file: File = disk.open(path)
        self._head = _head(identity)
        self._chain = keccak(self._head)
        self._group: list[Record] = []
        self._is_read = False
        self._failed: JournalFailed | None = None

    # --- reading ---

    def read(self) -> Iterator[Record]:
        """Every record, in order; then the torn tail, if there is one, is cut and noted."""
        offset, size = self._start(), self._file.size()
        while offset < size:
            try:
                group = self._group_at(offset)
            except _Damaged as damage:
                if self._is_followed(offset + 1):
                    raise CorruptJournal(self.path, offset, str(damage)) from None
                self._cut(offset, size)
                break
            yield from self._records(group, offset)
            self._chain, offset = group.chain, group.end
        self._is_read = True

    def _start(self) -> int:
        """Where groups begin; the file's head is written, or compared."""
        found = self._file.read(0, HEAD_BYTES)
        is_torn = self._head.startswith(found) or not any(found)
        if found != self._head and is_torn and self._file.size() <= HEAD_BYTES:
            if found:
                self._cut(0, len(found))
            self._write(self._head)
        elif found[: len(MAGIC)] != MAGIC or found[-4:] != _crc(found[:-4]):
            raise CorruptJournal(self.path, 0, "it does not begin like a journal")
        elif found != self._head:
            raise Halt(
                f"{self.path} is the journal of another deployment or version: give the node "
                "the data directory that it used with this rollup, or an empty one"
            )
        return HEAD_BYTES

    def _group_at(self, offset: int) -> _Group:
        """The group at `offset`. _Damaged where none is whole."""
        head = self._file.read(offset, GROUP_HEAD_BYTES)
        if len(head) < GROUP_HEAD_BYTES:
            raise _Damaged("a group's head is cut")
        if not head.startswith(MARK) or head[-4:] != _crc(head[:-4]):
            raise _Damaged("a group's head is not one")
        size = int.from_bytes(head[4:8], "big")
        body = self._file.read(offset + GROUP_HEAD_BYTES, size)
        if len(body) < size:
            raise _Damaged("a group is cut")
        if _crc(body) != head[8:12]:
            raise _Damaged("a group's checksum does not fit")
        return _Group(body, head[12:44], offset + GROUP_HEAD_BYTES + size)

    def _records(self, group: _Group, offset: int) -> list[Record]:
        if group.chain != keccak(self._chain + group.body):
            what = "a group is whole, but does not follow the one before it"
            raise CorruptJournal(self.path, offset, what)
        try:
            return decode_records(group.body)
        except msgspec.MsgspecError as error:
            what = f"a group holds something else than records ({error})"
            raise CorruptJournal(self.path, offset, what) from error

    def _is_followed(self, offset: int) -> bool:
        """Whether a whole group stands anywhere from `offset` on."""
        while window := self._file.read(offset, _SCAN_BYTES):
            at = window.find(MARK)
            if at < 0:
                offset += max(1, len(window) - len(MARK) + 1)
                continue
            try:
                self._group_at(offset + at)
            except _Damaged:
                offset += at + 1
            else:
                return True
        return False

    def _cut(self, offset: int, size: int) -> None:
        self.torn = TornTail(offset, size - offset)
        try:
            self._file.truncate(offset)
            self._file.sync()
        except OSError as error:
            raise JournalFailed(self.path, error) from error

    # --- writing ---

    def append(self, record: Record) -> None:
        """Add to the group that the next `sync` puts on disk."""
        assert self._is_read, "what is there is read first"
        self._group.append(record)

    @property
    def is_synced(self) -> bool:
        """Whether nothing waits for a `sync`."""
        return not self._group

    def sync(self) -> None:
        """Return once every record appended is on disk. JournalFailed is final."""
        for body in _bodies(self._group):
            self._write(self._framed(body))
        self._group = []

    def close(self) -> None:
        """Sync, and mark the end: behind an empty group, damage cannot pass for a torn tail."""
        try:
            if self._failed is None and self._is_read:
                self.sync()
                self._write(self._framed(encode_records([])))
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close the file and leave out what was not synced: nobody was told of it."""
        self._file.close()

    def _framed(self, body: bytes) -> bytes:
        assert len(body) <= BODY_BYTES_MAX, "a record larger than any that there is"
        self._chain = keccak(self._chain + body)
        head = MARK + len(body).to_bytes(4, "big") + _crc(body) + self._chain
        return head + _crc(head) + body

    def _write(self, data: bytes) -> None:
        if self._failed is not None:
            raise self._failed
        try:
            self._file.append(data)
            self._file.sync()
        except OSError as error:
            # A second sync may report success for pages that the first one dropped.
            self._failed = JournalFailed(self.path, error)
            raise self._failed from error


def _bodies(records: list[Record]) -> list[bytes]:
    """The records as few groups: what is derived anew from L1 can be too much for one."""
    if not records:
        return []
    body = encode_records(records)
    if len(body) <= BODY_BYTES_MAX or len(records) == 1:
        return [body]
    middle = len(records) // 2
    return [*_bodies(records[:middle]), *_bodies(records[middle:])]


def _head(identity: bytes) -> bytes:
    head = MAGIC + VERSION.to_bytes(2, "big") + identity
    return head + _crc(head)


def _crc(data: bytes) -> bytes:
    return crc32(data).to_bytes(4, "big")
