"""Reading a journal on from where a snapshot was taken, or saying that it does not lead there."""

from collections.abc import Sequence
from typing import Any

import pytest
from fake_disk import FakeDisk
from journal_files import GROUPS, IDENTITY, PATH, Group, flat, opened

from node.journal import Journal
from node.journal_reading import HEAD_BYTES, CorruptJournal, OtherJournal, Position
from node.records import Record, Settled, Taken
from state.chunks import Row


def positions(content: Sequence[Group]) -> tuple[FakeDisk, list[Position]]:
    """A disk with a journal of these groups, and the position behind each record."""
    disk = FakeDisk()
    journal, _ = opened(disk)
    found = []
    for group in content:
        for record in group:
            journal.append(record)
            found.append(journal.position)
        journal.sync()
    return disk, found


def opened_at(disk: FakeDisk, start: Position) -> list[Record]:
    return list(Journal(disk, PATH, IDENTITY).read(start))


def test_reading_on_from_any_position_gives_what_is_behind_it() -> None:
    disk, found = positions(GROUPS)
    for at, position in enumerate(found, 1):
        assert opened_at(disk, position) == flat(GROUPS)[at:]
    journal = Journal(disk, PATH, IDENTITY)
    assert [journal.position for _ in journal.read()] == found, "read as when it was written"
    journal = Journal(disk, PATH, IDENTITY)
    rest = list(journal.read(found[2]))
    journal.append(Settled())
    journal.sync()
    assert opened(disk)[1] == [*flat(GROUPS), Settled()] and rest == flat(GROUPS)[3:]


def test_a_position_outlives_a_group_that_was_cut_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.journal.BODY_BYTES_MAX", 200)
    content: list[Group] = [[Taken(at, Row(3, bytes(33), bytes(64))) for at in range(9)]]
    disk, found = positions(content)
    assert opened_at(disk, found[-1]) == []
    for at, position in enumerate(found, 1):
        assert opened_at(disk, position) == content[0][at:]


def test_damage_before_a_position_is_not_met_and_behind_it_is() -> None:
    disk, found = positions(GROUPS)
    data = disk.files[PATH].data
    data[HEAD_BYTES + 50] ^= 1
    assert opened_at(disk, found[2]) == flat(GROUPS)[3:]
    with pytest.raises(CorruptJournal):
        opened(disk)
    data[HEAD_BYTES + 50] ^= 1
    data[found[3].offset + 60] ^= 1
    with pytest.raises(CorruptJournal, match="checksum"):
        opened_at(disk, found[0])


def shorter(data: bytearray, start: Position) -> None:
    del data[start.offset + 20 :]


def older(data: bytearray, start: Position) -> None:
    del data[start.offset :]


def empty(data: bytearray, _: Position) -> None:
    del data[:]


def damaged_there(data: bytearray, start: Position) -> None:
    data[start.offset + 3] ^= 1


@pytest.mark.parametrize("change", [shorter, older, empty, damaged_there])
def test_a_journal_that_does_not_lead_to_a_position_is_told(change: Any) -> None:
    disk, found = positions(GROUPS)
    start = found[2]
    change(disk.files[PATH].data, start)
    size = disk.files[PATH].size()
    with pytest.raises(OtherJournal, match="move the snapshots away"):
        opened_at(disk, start)
    assert disk.files[PATH].size() == max(size, HEAD_BYTES), "and nothing is cut"


def test_another_branch_of_the_same_journal_is_told() -> None:
    """A copy from before the position was restored and went on in another way."""
    _, found = positions(GROUPS)
    other, _ = positions([*GROUPS[:1], [Taken(9, Row(3, bytes(33), bytes(64))), Settled()]])
    assert found[2].offset < other.files[PATH].size()
    with pytest.raises(OtherJournal, match="something else happened there"):
        opened_at(other, found[2])
    far, _ = positions([[Settled()], *GROUPS])
    with pytest.raises(OtherJournal):
        opened_at(far, found[2])
