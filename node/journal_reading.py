"""The journal's format, and reading it: what is whole, what a crash tore off, what is damaged.

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
from typing import Protocol
from zlib import crc32

import msgspec
from msgspec import Struct

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


class Readable(Protocol):
    """As much of a file as reading takes."""

    def size(self) -> int: ...
    def read(self, offset: int, size: int) -> bytes: ...


class Position(Struct, frozen=True):
    """A place between two records: `count` records behind the start of a group.

    That group starts at byte `offset`, before it the chain is `chain`; `last` is the keccak of
    the last of those records, so that a journal that went another way is found out.
    """

    offset: int
    chain: bytes
    count: int
    last: bytes


class TornTail(Struct, frozen=True):
    """What a crash left of a group that nobody was told of: `size` bytes at `offset`."""

    offset: int
    size: int


class CorruptJournal(Halt):
    """The journal is damaged where it had been acknowledged."""

    def __init__(self, path: Path, offset: int, what: str) -> None:
        super().__init__(
            f"{path} is damaged at byte {offset}: {what}. Restore the file from a copy; or move "
            "it away, and the snapshots with it, and what is on L1 is derived again, but what was "
            "acknowledged and not yet posted is lost"
        )
        self.offset = offset


class OtherJournal(Halt):
    """The journal is not the one that a position was taken in, or an older copy of it."""

    def __init__(self, path: Path, offset: int, what: str) -> None:
        super().__init__(
            f"{path} does not hold what the snapshot was taken after, at byte {offset}: {what}. "
            "Give the node the journal that belongs to its snapshots; or move the snapshots away, "
            "and this journal is replayed from its beginning"
        )
        self.offset = offset


class Group(Struct, frozen=True):
    """A whole group: where it starts and ends, the chain that it ends in, its body."""

    start: int
    end: int
    chain: bytes
    body: bytes


class _Damaged(Exception):
    """No whole group begins here."""


class JournalReader:
    """Reads groups from a file, and changes nothing."""

    def __init__(self, path: Path, file: Readable) -> None:
        self.path = path
        self._file = file
        self.torn: TornTail | None = None

    def groups(self, offset: int, chain: bytes) -> Iterator[Group]:
        """From the group at `offset`, before which the chain is `chain`, to the last whole one.

        CorruptJournal where something follows what is damaged; otherwise `torn` says what is left.
        """
        size = self._file.size()
        while offset < size:
            try:
                group = self._group_at(offset)
            except _Damaged as damage:
                if self._is_followed(offset + 1):
                    raise CorruptJournal(self.path, offset, str(damage)) from None
                self.torn = TornTail(offset, size - offset)
                return
            if group.chain != keccak(chain + group.body):
                what = "a group is whole, but does not follow the one before it"
                raise CorruptJournal(self.path, offset, what)
            yield group
            chain, offset = group.chain, group.end

    def records(self, group: Group) -> list[Record]:
        """What a group holds."""
        try:
            return decode_records(group.body)
        except msgspec.MsgspecError as error:
            what = f"a group holds something else than records ({error})"
            raise CorruptJournal(self.path, group.start, what) from error

    def _group_at(self, offset: int) -> Group:
        """The group at `offset`. _Damaged where none is whole."""
        head = self._file.read(offset, GROUP_HEAD_BYTES)
        if len(head) < GROUP_HEAD_BYTES:
            raise _Damaged("a group's head is cut")
        if not head.startswith(MARK) or head[-4:] != crc(head[:-4]):
            raise _Damaged("a group's head is not one")
        size = int.from_bytes(head[4:8], "big")
        body = self._file.read(offset + GROUP_HEAD_BYTES, size)
        if len(body) < size:
            raise _Damaged("a group is cut")
        if crc(body) != head[8:12]:
            raise _Damaged("a group's checksum does not fit")
        return Group(offset, offset + GROUP_HEAD_BYTES + size, head[12:44], body)

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


def head_of(identity: bytes) -> bytes:
    """How the file of a deployment begins."""
    head = MAGIC + VERSION.to_bytes(2, "big") + identity
    return head + crc(head)


def is_unbegun(head: bytes, size: int) -> bool:
    """Whether a file of `size` bytes that begins with `head` may be what a crash at creation left.

    A file can have its new length on disk before all of its bytes: zeros stand for those.
    """
    found, fixed = head.rstrip(b"\0"), head_of(bytes(32))[: len(MAGIC) + 2]
    is_cut = size < HEAD_BYTES or head[-4:] != crc(head[:-4])
    is_torn = len(found) < HEAD_BYTES and fixed.startswith(found[: len(fixed)])
    return size <= HEAD_BYTES and is_cut and is_torn


def check_form(path: Path, head: bytes) -> None:
    """CorruptJournal where `head` is none, Halt where it is that of another version."""
    if len(head) < HEAD_BYTES or head[: len(MAGIC)] != MAGIC or head[-4:] != crc(head[:-4]):
        raise CorruptJournal(path, 0, "it does not begin like a journal")
    version = int.from_bytes(head[len(MAGIC) : len(MAGIC) + 2], "big")
    if version != VERSION:
        raise Halt(
            f"OTHER_VERSION: {path} has format {version}, this program reads {VERSION}: use the "
            "version of the program that wrote it"
        )


def hash_of(record: Record) -> bytes:
    """What a position remembers of the record before it."""
    return keccak(encode_records([record]))


def crc(data: bytes) -> bytes:
    """The checksum, in four bytes."""
    return crc32(data).to_bytes(4, "big")
