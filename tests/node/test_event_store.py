"""Events on disk: all that was kept, in order, or a loud error."""

import shutil
from collections.abc import Callable
from pathlib import Path

import plyvel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.calls import Parameters
from node.errors import Halt
from node.event_store import EventStore
from node.rollup import RollupTerms
from node.rollup_events import (
    BatchPosted,
    Claimed,
    Confirmed,
    ItemAdded,
    RollupEvent,
    WithdrawalPaid,
)
from node.scanner import L1Scanner, Mark
from node.store import StoreDamaged
from state.crypto import keccak
from state.inbox import InboxItem

TERMS = RollupTerms(
    chain_id=1,
    rollup=bytes(20),
    token=bytes(20),
    sequencer=bytes(20),
    governor=bytes(20),
    deployed_at=7,
    parameters=Parameters(
        inbox_delay=1,
        force_delay=2,
        time_lag_max=3,
        claim_window=4,
        claim_bond=10**17,
        parameter_delay=5,
    ),
)


def block_hash(block: int) -> bytes:
    return keccak(block.to_bytes(8))


def events_of(block: int) -> list[RollupEvent]:
    """One of every kind, with fields that differ by block."""
    place = {"block": block, "transaction": block_hash(block)}
    item = InboxItem(1, block, block * 12, bytes(20), b"payload" * block)
    return [
        ItemAdded(log_index=0, item=item, **place),  # type: ignore[arg-type]
        BatchPosted(
            log_index=1,
            number=block - 9,
            batch_hash=block_hash(block),
            header=b"header",
            payload=bytes(block * 50),
            **place,  # type: ignore[arg-type]
        ),
        Claimed(
            log_index=2,
            batch=block - 9,
            claim=block_hash(block),
            parent=bytes(32),
            claimant=bytes(20),
            output=b"output",
            time=2**33,
            **place,  # type: ignore[arg-type]
        ),
        Confirmed(log_index=3, batch=1, claim=block_hash(block), **place),  # type: ignore[arg-type]
        WithdrawalPaid(
            log_index=4,
            index=block,
            account=256,
            recipient=bytes(20),
            amount=2**64 - 1,
            **place,  # type: ignore[arg-type]
        ),
    ]


def filled(directory: Path, blocks: range = range(10, 15)) -> list[RollupEvent]:
    """A closed store with the events of `blocks`, a block at a time."""
    store = EventStore(directory)
    store.begin(TERMS)
    kept: list[RollupEvent] = []
    for block in blocks:
        store.append(events_of(block), Mark(block, block_hash(block)))
        store.put_root(block - 9, block_hash(block))
        kept += events_of(block)
    store.close()
    return kept


def read(directory: Path) -> list[RollupEvent]:
    store = EventStore(directory)
    try:
        return list(store.events())
    finally:
        store.close()


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    kept = filled(tmp_path / "store")
    store = EventStore(tmp_path / "store")
    assert store.terms == TERMS and len(store) == len(kept)
    assert list(store.events()) == kept
    assert store.marks() == [Mark(block, block_hash(block)) for block in range(10, 15)]
    assert store.root(5) == block_hash(14) and store.root(6) is None
    store.close()


def test_a_new_folder_knows_nothing(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "a" / "b")
    assert store.terms is None and len(store) == 0 and store.marks() == []
    store.close()


@given(last=st.integers(8, 16))
def test_a_rewind_forgets_what_came_after_and_nothing_else(
    last: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("rewound") / "store"
    kept = filled(directory)
    store = EventStore(directory)
    store.rewind(last)
    left = [event for event in kept if event.block <= last]
    assert list(store.events()) == left and len(store) == len(left)
    assert all(mark.block <= last for mark in store.marks())
    assert [store.root(n) is not None for n in range(1, 6)] == [n + 9 <= last for n in range(1, 6)]
    # Another branch of L1 goes on from there.
    store.append(events_of(20), Mark(20, block_hash(20)))
    store.close()
    assert read(directory) == left + events_of(20)


def test_what_came_since_a_block_is_found_without_reading_what_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = filled(tmp_path / "store", range(10, 60))
    store, reads = EventStore(tmp_path / "store"), 0
    read_one = store.store.read

    def counting(key: bytes) -> bytes | None:
        nonlocal reads
        reads += 1
        return read_one(key)

    monkeypatch.setattr(store.store, "read", counting)
    for block in (0, 9, 10, 11, 34, 58, 59, 60, 99):
        assert list(store.since(block)) == [event for event in kept if event.block >= block]
    reads = 0
    assert next(store.since(30)) == events_of(30)[0] and reads < 25
    store.close()
    filled(tmp_path / "again", range(0))
    empty = EventStore(tmp_path / "again")
    assert list(empty.since(0)) == []
    empty.close()


def test_beginning_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    filled(tmp_path / "store")
    store = EventStore(tmp_path / "store")
    store.begin(TERMS)
    assert list(store.events()) == [] and store.marks() == [] and store.root(1) is None
    store.close()


def test_old_marks_make_room_for_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(L1Scanner, "MARKS_MAX", 3)
    filled(tmp_path / "store", range(10, 20))
    store = EventStore(tmp_path / "store")
    assert [mark.block for mark in store.marks()][-3:] == [17, 18, 19]
    assert len(store.marks()) <= 4
    store.close()


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "store")
    with pytest.raises(Halt, match=r"^STORE_IN_USE: .*in use by another process; stop that"):
        EventStore(tmp_path / "store")
    store.close()


# --- damage ---


def without_a_record(directory: Path, at: int) -> None:
    """What LevelDB alone would not notice: a record is gone from the middle."""
    db = plyvel.DB(str(directory))
    db.delete(b"event/" + at.to_bytes(8))
    db.close()


def with_records_swapped(directory: Path) -> None:
    db = plyvel.DB(str(directory))
    first, second = (b"event/" + at.to_bytes(8) for at in (3, 4))
    one, other = db.get(first), db.get(second)
    db.put(first, other)
    db.put(second, one)
    db.close()


def with_a_changed_record(directory: Path) -> None:
    db = plyvel.DB(str(directory))
    key = b"event/" + (7).to_bytes(8)
    value = bytearray(db.get(key))
    value[-1] ^= 1
    db.put(key, bytes(value))
    db.close()


def without_its_beginning(directory: Path) -> None:
    db = plyvel.DB(str(directory))
    db.delete(b"terms")
    db.close()


def without_its_main_file(directory: Path) -> None:
    (directory / "CURRENT").unlink()


def without_its_table_of_contents(directory: Path) -> None:
    for manifest in directory.glob("MANIFEST-*"):
        manifest.unlink()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda directory: without_a_record(directory, 0), "event 0 is missing or changed"),
        (lambda directory: without_a_record(directory, 9), "event 9 is missing or changed"),
        (lambda directory: without_a_record(directory, 24), "25 events expected, 24 found"),
        (with_records_swapped, "event 3 is missing or changed"),
        (with_a_changed_record, "event 7 is missing or changed"),
        (without_its_beginning, "the record of its beginning is missing"),
        (without_its_main_file, "files of the database are missing"),
        (without_its_table_of_contents, "MANIFEST"),
    ],
)
def test_damage_is_told_with_its_mend(
    damage: Callable[[Path], None], told: str, tmp_path: Path
) -> None:
    directory = tmp_path / "store"
    filled(directory)
    damage(directory)
    with pytest.raises(Halt) as halt:
        read(directory)
    message = str(halt.value)
    assert told in message and str(directory) in message
    assert message.startswith("STORE_") and message.count("; ") == 1


def test_no_flipped_byte_on_disk_changes_what_is_read(tmp_path: Path) -> None:
    """Either an error, or every event as it was: never a hole, never another event.

    A broken last record is an append that never happened: it is read from L1 again.
    """
    whole = tmp_path / "whole"
    kept = filled(whole, range(10, 12))
    (journal,) = whole.glob("*.log")
    data = journal.read_bytes()
    refused = 0
    for place in range(0, len(data), max(1, len(data) // 150)):
        copy = tmp_path / f"flipped-{place}"
        shutil.copytree(whole, copy)
        flipped = bytearray(data)
        flipped[place] ^= 0x40
        (copy / journal.name).write_bytes(flipped)
        try:
            found = read(copy)
        except StoreDamaged:
            refused += 1
        else:
            assert found == kept[: len(found)], f"byte {place}"
        shutil.rmtree(copy)
    assert refused > 100
