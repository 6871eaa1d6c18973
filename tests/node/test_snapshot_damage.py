"""A snapshot that is damaged, or of something else than the journal, is told with its mend."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from fake_database import FakeDatabases
from msgspec.structs import replace
from service_world import PATH, Desk
from snapshot_world import EVERY, database, known, snapshot_desk

from node.database import open_leveldb
from node.errors import Halt
from node.journal_reading import OtherJournal
from node.sequencing.snapshot_store import ANSWERS, HEAD, ORIGIN, POSTED, Head
from node.store import StoreDamaged


def older_journal(desk: Desk) -> None:
    del desk.file.data[300:]


def no_journal(desk: Desk) -> None:
    del desk.disk.files[PATH]


async def another_history() -> bytes:
    other = Desk()
    await other.open_venue()
    await other.orders("dave", 1, 2, 3, 4, 5)
    for at in range(6, 60):
        await other.orders("dave", at)
    return bytes(other.file.data)


async def test_a_journal_that_does_not_belong_to_the_snapshot_is_told() -> None:
    other = await another_history()

    def exchanged(desk: Desk) -> None:
        desk.file.data[:] = other

    for change in (older_journal, no_journal, exchanged):
        desk = await snapshot_desk()
        change(desk)
        with pytest.raises(OtherJournal, match="move the snapshots away"):
            desk.restart()
        desk.databases = FakeDatabases()
        desk.restart()


async def test_another_deployments_snapshots_are_told() -> None:
    desk = await snapshot_desk()
    head: Head = msgspec.msgpack.decode(database(desk).values[HEAD], type=Head)
    for change, told in (
        ({"identity": bytes(32)}, "OTHER_ROLLUP: .*another deployment; give the node"),
        ({"layout": 99}, "OTHER_VERSION: .*delete this folder"),
    ):
        database(desk).values[HEAD] = msgspec.msgpack.encode(replace(head, **change))
        with pytest.raises(Halt, match=told):
            desk.start()
    database(desk).values[HEAD] = msgspec.msgpack.encode(
        {"layout": 99, "identity": head.identity, "more": 1}
    )
    with pytest.raises(Halt, match=r"OTHER_VERSION: .*has layout 99, this program writes 1"):
        desk.start()


def other_root(values: dict[bytes, bytes]) -> None:
    head = msgspec.msgpack.decode(values[HEAD], type=Head)
    values[HEAD] = msgspec.msgpack.encode(replace(head, state_root=bytes(32)))


def first_gone(prefix: bytes) -> Callable[[dict[bytes, bytes]], None]:
    def change(values: dict[bytes, bytes]) -> None:
        del values[min(key for key in values if key.startswith(prefix))]

    return change


def truncated(prefix: bytes) -> Callable[[dict[bytes, bytes]], None]:
    def change(values: dict[bytes, bytes]) -> None:
        key = min(key for key in values if key.startswith(prefix))
        values[key] = values[key][:-1]

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (other_root, "make the root"),
        (first_gone(b"leaf/a"), "make the root"),
        (first_gone(b"leaf/o"), "make the root"),
        (truncated(b"leaf/m"), "is not one"),
        (first_gone(b"batch/"), "the record of batch 1 is missing"),
        (truncated(b"batch/"), "does not read"),
        (truncated(ANSWERS), "does not read"),
        (first_gone(HEAD), "the head of the snapshot is missing"),
        (truncated(HEAD), "does not read"),
        (truncated(ORIGIN), "does not read"),
        (first_gone(POSTED), "4 posted batches expected, 3 found"),
    ],
)
async def test_a_damaged_snapshot_is_told_with_its_mend(
    change: Callable[[dict[bytes, bytes]], None], told: str
) -> None:
    desk = await snapshot_desk()
    before = known(desk)
    change(database(desk).values)
    with pytest.raises(StoreDamaged, match=rf"{told}.*; delete this folder, and the node replays"):
        desk.start()
    desk.databases = FakeDatabases()
    desk.start()
    assert known(desk) == before, "the mend mends"


async def test_no_flipped_byte_of_the_database_changes_what_is_loaded(tmp_path: Path) -> None:
    """An error with its mend, or a snapshot that was written, whole: never another state."""
    desk = Desk(snapshot_policy=EVERY)
    desk.databases = lambda _: open_leveldb(tmp_path / "whole")  # type: ignore[assignment]
    desk.l1.finality = 0
    desk.start()
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1)
    await desk.settle()
    await desk.look()
    assert desk.history.snapshots is not None and desk.history.snapshots.number == 2
    desk.history.snapshots.store.close()
    roots = [record.state_root for record in desk.history.records]
    (log,) = (tmp_path / "whole").glob("*.log")
    data, refused = log.read_bytes(), 0
    for place in range(0, len(data), max(1, len(data) // 120)):
        copy = tmp_path / str(place)
        shutil.copytree(tmp_path / "whole", copy)
        flipped = bytearray(data)
        flipped[place] ^= 0x20
        (copy / log.name).write_bytes(flipped)
        desk.databases = lambda _, copy=copy: open_leveldb(copy)  # type: ignore[assignment]
        try:
            desk.start()
        except StoreDamaged:
            refused += 1
        else:
            assert desk.history.snapshots.number in (0, 1, 2)
            assert [record.state_root for record in desk.history.records] == roots
            desk.history.snapshots.store.close()
        shutil.rmtree(copy)
    assert refused > 60
