"""The journal: what was synced is read again, what was torn is cut, what is damaged is told."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_files import GROUPS, IDENTITY, PATH, Group, flat, holding, opened, written

from node.disk import SystemDisk
from node.errors import Halt
from node.journal import Journal, JournalFailed
from node.journal_reading import HEAD_BYTES, CorruptJournal, TornTail
from node.records import Adopted, Final, ItemsTaken, Rewound, Sealed, Settled, Taken
from state.chunks import Row
from state.inbox import InboxItem

uints = st.integers(0, 2**40 - 1)
items = st.builds(
    InboxItem,
    kind=st.integers(1, 2),
    index=uints,
    time=uints,
    sender=st.binary(min_size=20, max_size=20),
    payload=st.binary(max_size=40),
)
rows = st.builds(Row, st.integers(1, 6), st.binary(max_size=45), st.binary(max_size=64))
records = st.one_of(
    st.builds(ItemsTaken, uints, st.lists(items, max_size=3).map(tuple)),
    st.builds(Taken, uints, rows),
    st.builds(Sealed, uints, st.binary(min_size=32, max_size=32)),
    st.builds(Rewound, uints),
    st.builds(
        Adopted,
        st.binary(max_size=60),
        st.binary(max_size=60),
        st.lists(items, max_size=2).map(tuple),
        st.text(max_size=20),
    ),
    st.just(Settled()),
    st.builds(Final, uints),
)
groups = st.lists(st.lists(records, min_size=1, max_size=4), max_size=5)


@given(groups)
def test_what_was_synced_is_read_again(content: list[Group]) -> None:
    disk, _ = written(content)
    journal, found = opened(disk)
    assert found == flat(content) and journal.torn is None
    journal.append(Settled())
    journal.sync()
    assert opened(disk)[1] == [*flat(content), Settled()]


def test_a_journal_cut_at_any_byte_recovers_the_groups_before_it() -> None:
    disk, ends = written(GROUPS)
    data = bytes(disk.files[PATH].data)
    for cut in range(len(data) + 1):
        disk = holding(data[:cut])
        journal, found = opened(disk)
        whole = sum(end <= cut for end in ends[1:])
        assert found == flat(GROUPS[:whole]), f"cut at {cut}"
        start = max((end for end in ends if end <= cut), default=0)
        assert journal.torn == (TornTail(start, cut - start) if cut > start else None)
        journal.append(Settled())
        journal.sync()
        assert opened(disk)[1] == [*flat(GROUPS[:whole]), Settled()], f"cut at {cut}"


def test_a_flipped_bit_is_reported_or_is_the_torn_tail() -> None:
    disk, ends = written(GROUPS)
    data = bytes(disk.files[PATH].data)
    for at in range(len(data)):
        for bit in (0, 7):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            if at >= ends[-2]:
                journal, found = opened(holding(damaged))
                assert found == flat(GROUPS[:-1])
                assert journal.torn == TornTail(ends[-2], len(data) - ends[-2])
            else:
                with pytest.raises(Halt) as raised:
                    opened(holding(damaged))
                offset = max((end for end in ends if end <= at), default=0)
                assert isinstance(raised.value, CorruptJournal)
                assert raised.value.offset == offset, f"bit {bit} of byte {at}"


def test_after_a_clean_end_no_damage_passes_for_a_torn_tail() -> None:
    disk, ends = written(GROUPS)
    journal, _ = opened(disk)
    journal.close()
    data = bytes(disk.files[PATH].data)
    assert opened(holding(data))[1] == flat(GROUPS)
    for at in range(ends[-1]):
        damaged = bytearray(data)
        damaged[at] ^= 16
        with pytest.raises(CorruptJournal):
            opened(holding(damaged))


@settings(max_examples=200)
@given(st.data())
def test_zeroed_scrambled_or_missing_ranges_never_make_a_hole(data: st.DataObject) -> None:
    content = data.draw(groups)
    disk, _ = written(content)
    whole = bytes(disk.files[PATH].data)
    start = data.draw(st.integers(0, len(whole)))
    size = data.draw(st.integers(0, 80))
    patch = data.draw(st.sampled_from(["zeros", "removed", "random"]))
    filler = {"zeros": bytes(size), "removed": b"", "random": data.draw(st.binary(max_size=80))}
    damaged = whole[:start] + filler[patch] + whole[start + size :]
    try:
        _, found = opened(holding(damaged))
    except Halt:
        return
    assert found == flat(content)[: len(found)], "a prefix, nothing else"


@pytest.mark.parametrize("order", [(1, 0), (0, 0, 1), (0, 2), (1,)], ids=str)
def test_groups_out_of_place_are_reported(order: tuple[int, ...]) -> None:
    disk, ends = written(GROUPS)
    data = bytes(disk.files[PATH].data)
    parts = [data[ends[at] : ends[at + 1]] for at in range(len(GROUPS))]
    with pytest.raises(CorruptJournal, match="does not follow"):
        opened(holding(data[:HEAD_BYTES] + b"".join(parts[at] for at in order)))


def test_a_tail_of_zeros_is_cut() -> None:
    disk, ends = written(GROUPS)
    data = bytes(disk.files[PATH].data)
    journal, found = opened(holding(data + bytes(5_000)))
    assert found == flat(GROUPS) and journal.torn == TornTail(ends[-1], 5_000)


def test_damage_far_before_the_next_whole_group_is_found() -> None:
    """The search for a whole group goes through more than one window."""
    large: Group = [Adopted(b"", bytes(3 * 2**20), (), "")]
    disk, ends = written([large, [Settled()]])
    disk.files[PATH].data[ends[0] + 60] ^= 1
    with pytest.raises(CorruptJournal, match="checksum"):
        opened(disk)


@pytest.mark.parametrize("size", [0, 1, HEAD_BYTES - 1, HEAD_BYTES])
def test_a_head_torn_off_at_creation_is_written_again(size: int) -> None:
    disk = holding(bytes(size))
    journal, found = opened(disk)
    assert found == []
    journal.append(Settled())
    journal.sync()
    assert opened(disk)[1] == [Settled()]


@pytest.mark.parametrize("kept", [1, 8, HEAD_BYTES - 1])
def test_a_head_whose_end_never_reached_the_disk_is_written_again(kept: int) -> None:
    disk, _ = written([])
    head = bytes(disk.files[PATH].data[:kept])
    for cut in (holding(head), holding(head + bytes(HEAD_BYTES - kept))):
        journal, found = opened(cut)
        assert found == [] and journal.torn is not None
        assert bytes(cut.files[PATH].data) == bytes(disk.files[PATH].data[:HEAD_BYTES])


def test_what_was_read_outlives_a_loss_of_power_though_its_writer_never_synced_it() -> None:
    disk, _ = written(GROUPS)
    disk.files[PATH].synced = 0
    assert opened(disk)[1] == flat(GROUPS)
    disk.files[PATH].lose_power()
    assert opened(disk)[1] == flat(GROUPS)


def test_the_journal_of_another_deployment_is_refused() -> None:
    disk, _ = written(GROUPS)
    with pytest.raises(Halt, match="another deployment"):
        opened(disk, b"\xff" * 32)


def test_a_file_that_is_no_journal_is_left_alone() -> None:
    for text in (b"short note", b"a shopping list, of more than one line and no end to it"):
        disk = holding(text)
        with pytest.raises(CorruptJournal, match="does not begin like a journal"):
            opened(disk)
        assert bytes(disk.files[PATH].data) == text


def test_a_group_is_one_write_and_one_sync() -> None:
    disk, _ = written([])
    file = disk.files[PATH]
    journal, _ = opened(disk)
    appends, syncs = file.appends, file.syncs
    for at in range(50):
        journal.append(Final(at))
    journal.sync()
    journal.sync()
    assert (file.appends - appends, file.syncs - syncs) == (1, 1)


def test_what_is_too_much_for_one_group_is_synced_as_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when many batches are derived from L1 anew, because the journal was lost."""
    monkeypatch.setattr("node.journal.BODY_BYTES_MAX", 1_000)
    disk, _ = written([])
    file = disk.files[PATH]
    syncs = file.syncs
    journal, _ = opened(disk)
    many: Group = [Adopted(bytes([at]) * 300, b"payload", (), "") for at in range(20)]
    for record in many:
        journal.append(record)
    journal.sync()
    assert journal.is_synced and file.syncs - syncs > 5
    file.lose_power()
    assert opened(disk)[1] == many


@pytest.mark.parametrize("fault", ["fail_append", "fail_sync"])
def test_a_failed_write_is_final_and_never_retried_as_success(fault: str) -> None:
    disk, _ = written(GROUPS)
    file = disk.files[PATH]
    journal, _ = opened(disk)
    setattr(file, fault, True)
    journal.append(Settled())
    with pytest.raises(JournalFailed, match="nothing of the last group was acknowledged"):
        journal.sync()
    setattr(file, fault, False)
    with pytest.raises(JournalFailed):
        journal.sync()
    journal.close()
    file.lose_power()
    assert opened(disk)[1] == flat(GROUPS)


def test_records_of_another_form_are_reported() -> None:
    disk, _ = written([])
    journal, _ = opened(disk)
    file = disk.files[PATH]
    file.data += journal._framed(b"\x91\xc0")
    with pytest.raises(CorruptJournal, match="something else than records"):
        opened(disk)


def test_a_file_on_the_real_disk_outlives_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "data" / "journal"
    for at in range(3):
        journal = Journal(SystemDisk(), path, IDENTITY)
        assert list(journal.read()) == [Final(before) for before in range(at)]
        journal.append(Final(at))
        journal.close()
    assert path.stat().st_mode & 0o077 == 0


def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    first = Journal(SystemDisk(), tmp_path / "journal", IDENTITY)
    with pytest.raises(Halt, match="in use by another process"):
        Journal(SystemDisk(), tmp_path / "journal", IDENTITY)
    assert list(first.read()) == []
    first.close()


def test_a_torn_tail_on_the_real_disk_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(SystemDisk(), path, IDENTITY)
    assert list(journal.read()) == []
    journal.append(Final(1))
    journal.sync()
    size = path.stat().st_size
    journal.append(Final(2))
    journal.close()
    with path.open("r+b") as file:
        file.truncate(size + 20)
    journal = Journal(SystemDisk(), path, IDENTITY)
    assert list(journal.read()) == [Final(1)]
    assert journal.torn == TornTail(size, 20) and path.stat().st_size == size
    journal.close()
