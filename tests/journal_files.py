"""Journals on a fake disk."""

from collections.abc import Sequence
from pathlib import Path

from fake_disk import FakeDisk, FakeFile

from node.journal import Journal
from node.journal_reading import HEAD_BYTES
from node.records import Adopted, Final, ItemsTaken, Record, Rewound, Sealed, Settled, Taken
from state.chunks import Row
from state.inbox import InboxItem

PATH = Path("journal")
IDENTITY = bytes(range(32))
Group = list[Record]

ITEM = InboxItem(1, 0, 1_700_000_000, bytes(20), b"payload")
GROUPS: list[Group] = [
    [ItemsTaken(4, (ITEM,))],
    [Taken(5, Row(3, bytes(33), bytes(64))), Taken(6, Row(3, bytes(33), b"\x01" * 64))],
    [Sealed(1, b"\x07" * 32), Final(0)],
    [Rewound(0), Adopted(b"header", b"", (ITEM,), "chunk 0: wrong"), Settled()],
]


def opened(disk: FakeDisk, identity: bytes = IDENTITY) -> tuple[Journal, list[Record]]:
    journal = Journal(disk, PATH, identity)
    return journal, list(journal.read())


def written(content: Sequence[Group]) -> tuple[FakeDisk, list[int]]:
    """A disk with a journal of these groups, and where each ends."""
    disk = FakeDisk()
    journal, _ = opened(disk)
    ends = [HEAD_BYTES]
    for group in content:
        for record in group:
            journal.append(record)
        journal.sync()
        ends.append(disk.files[PATH].size())
    return disk, ends


def holding(data: bytes | bytearray) -> FakeDisk:
    disk = FakeDisk()
    disk.files[PATH] = FakeFile(bytearray(data), synced=len(data))
    return disk


def flat(content: Sequence[Group]) -> list[Record]:
    return [record for group in content for record in group]
