"""Checking a whole journal, also under a running node: nothing is changed, nothing executed."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from node.errors import Halt
from node.journal_reading import (
    HEAD_BYTES,
    MAGIC,
    CorruptJournal,
    JournalReader,
    Readable,
    check_form,
    is_unbegun,
)
from state.crypto import keccak


class CheckedJournal(Struct, frozen=True, kw_only=True):
    """What a journal holds: `records` by kind, and how it ends.

    `chain` is the hash over everything whole. `torn_bytes` at its end were left by a crash,
    were never acknowledged, and are cut by the next start; or somebody is just writing them.
    It is empty where not even its head is whole: a crash at its creation left that.
    A `damage` was acknowledged, and is at byte `damaged_at`.
    """

    identity: bytes
    size: int
    groups: int
    records: dict[str, int]
    chain: bytes
    torn_at: int | None = None
    torn_bytes: int = 0
    damaged_at: int | None = None
    damage: str = ""
    is_empty: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether everything that was ever acknowledged is there."""
        return not self.damage


def check_journal(path: Path, heard: Callable[[int], None] | None = None) -> CheckedJournal:
    """Length, checksum and chain of every group. Halt where no journal of this version is.

    `heard` is told after each group up to which byte all is good.
    """
    if not path.is_file():
        raise Halt(f"there is no journal at {path}: name the file, such as data/journal")
    with path.open("rb") as stream:
        return _check(path, _Unwritten(stream), heard or (lambda _: None))


def _check(path: Path, file: Readable, heard: Callable[[int], None]) -> CheckedJournal:
    head, reader = file.read(0, HEAD_BYTES), JournalReader(path, file)
    if is_unbegun(head, file.size()):
        return _empty(file.size())
    chain, groups = keccak(head), 0
    kinds: Counter[str] = Counter()
    damage: CorruptJournal | None = None
    try:
        check_form(path, head)
        for group in reader.groups(HEAD_BYTES, chain):
            kinds.update(type(record).__name__ for record in reader.records(group))
            chain, groups = group.chain, groups + 1
            heard(group.end)
    except CorruptJournal as error:
        damage = error
    return CheckedJournal(
        identity=head[len(MAGIC) + 2 : -4],
        size=file.size(),
        groups=groups,
        records=dict(sorted(kinds.items())),
        chain=chain,
        torn_at=reader.torn.offset if reader.torn else None,
        torn_bytes=reader.torn.size if reader.torn else 0,
        damaged_at=damage.offset if damage else None,
        damage=str(damage) if damage else "",
    )


def _empty(size: int) -> CheckedJournal:
    return CheckedJournal(
        identity=b"",
        size=size,
        groups=0,
        records={},
        chain=b"",
        torn_at=0 if size else None,
        torn_bytes=size,
        is_empty=True,
    )


class _Unwritten:
    """A file that is only read; the size is that of the first look."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = stream.seek(0, 2)

    def size(self) -> int:
        return self._size

    def read(self, offset: int, size: int) -> bytes:
        self._stream.seek(offset)
        return self._stream.read(max(0, min(size, self._size - offset)))
