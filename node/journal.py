"""The journal: an append-only file of groups of records, the truth that a restart reads.

Its format, and what becomes of damage, is in `node/journal_reading.py`.
"""

from collections.abc import Iterator
from pathlib import Path

from node.disk import Disk, File
from node.errors import Halt
from node.journal_reading import (
    BODY_BYTES_MAX,
    HEAD_BYTES,
    MARK,
    CorruptJournal,
    Group,
    JournalReader,
    OtherJournal,
    Position,
    TornTail,
    check_form,
    crc,
    hash_of,
    head_of,
)
from node.records import Record, encode_records
from state.crypto import keccak


class JournalFailed(Halt):
    """The disk refused a write: what it holds now is known only after a restart."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror or error}; nothing of the last group was "
            "acknowledged. Mend the disk and start the node again"
        )


class Journal:
    """One writer's journal. `read` it to the end before appending."""

    def __init__(self, disk: Disk, path: Path, identity: bytes) -> None:
        """`identity` is the hash of the deployment's genesis; a journal of another one halts."""
        assert len(identity) == 32
        self.path = path
        self.torn: TornTail | None = None
        self._file: File = disk.open(path)
        self._reader = JournalReader(path, self._file)
        self._head = head_of(identity)
        self._chain = keccak(self._head)
        self._last: Record | None = None
        self._start_group(HEAD_BYTES)
        self._group: list[Record] = []
        self._is_read = False
        self._failed: JournalFailed | None = None

    # --- reading ---

    def read(self, start: Position | None = None) -> Iterator[Record]:
        """Every record behind `start`, in order; then a torn tail is cut and noted.

        OtherJournal where the file does not lead to `start`.
        """
        self._check_head()
        begin = start or Position(HEAD_BYTES, self._chain, 0, b"")
        self._chain, skipped, end = begin.chain, 0, begin.offset
        for group in self._groups(begin):
            self._start_group(group.start)
            for record in self._reader.records(group):
                self._advance(record)
                if skipped < begin.count:
                    skipped += 1
                    if skipped == begin.count and hash_of(record) != begin.last:
                        raise OtherJournal(self.path, begin.offset, "something else happened there")
                    continue
                yield record
            self._chain, end = group.chain, group.end
        if skipped < begin.count:
            raise OtherJournal(self.path, begin.offset, "it ends before that: an older copy?")
        if self._reader.torn is not None:
            self._cut(self._reader.torn)
        self._start_group(end)
        self._is_read = True

    def _groups(self, begin: Position) -> Iterator[Group]:
        try:
            yield from self._reader.groups(begin.offset, begin.chain)
        except CorruptJournal as damage:
            if begin.count and damage.offset == begin.offset:
                what = "no group of the same history begins there"
                raise OtherJournal(self.path, begin.offset, what) from damage
            raise

    def _check_head(self) -> None:
        """The file's head is written, or compared."""
        self._sync_inherited()
        found = self._file.read(0, HEAD_BYTES)
        # A file can have its new length on disk before all of its bytes: zeros stand for those.
        is_torn = self._head.startswith(found.rstrip(b"\0"))
        if found != self._head and is_torn and self._file.size() <= HEAD_BYTES:
            if found:
                self._cut(TornTail(0, len(found)))
            self._write(self._head)
            return
        check_form(self.path, found)
        if found != self._head:
            raise Halt(
                f"{self.path} is the journal of another deployment: give the node "
                "the data directory that it used with this rollup, or an empty one"
            )

    def _sync_inherited(self) -> None:
        """What a run before this one wrote and did not sync shows, and could still be lost."""
        try:
            self._file.sync()
        except OSError as error:
            raise JournalFailed(self.path, error) from error

    def _cut(self, torn: TornTail) -> None:
        self.torn = torn
        try:
            self._file.truncate(torn.offset)
            self._file.sync()
        except OSError as error:
            raise JournalFailed(self.path, error) from error

    # --- where it stands ---

    @property
    def position(self) -> Position:
        """Behind the record that was last read or appended; there must have been one."""
        assert self._last is not None and self._count
        return Position(self._offset, self._before, self._count, hash_of(self._last))

    def _start_group(self, offset: int) -> None:
        self._offset, self._before, self._count = offset, self._chain, 0

    def _advance(self, record: Record) -> None:
        self._count += 1
        self._last = record

    # --- writing ---

    def append(self, record: Record) -> None:
        """Add to the group that the next `sync` puts on disk."""
        assert self._is_read, "what is there is read first"
        self._group.append(record)
        self._advance(record)

    @property
    def is_synced(self) -> bool:
        """Whether nothing waits for a `sync`."""
        return not self._group

    def sync(self) -> None:
        """Return once every record appended is on disk. JournalFailed is final."""
        for body in _bodies(self._group):
            self._write(self._framed(body))
        self._group = []
        self._start_group(self._file.size())

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
        head = MARK + len(body).to_bytes(4, "big") + crc(body) + self._chain
        return head + crc(head) + body

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
