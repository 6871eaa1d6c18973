"""A follower that restarts from a snapshot knows what one that executed everything knows."""

from collections.abc import Callable

import msgspec
import pytest
from fake_database import FakeDatabase
from fake_rollup import TERMS
from followed_node import FOLDER, Node, blocks_of
from mirror import Mirror
from msgspec.structs import replace

from node.followed_snapshots import HEAD, Head
from node.store import StoreDamaged
from prover import replay


async def test_a_restart_executes_what_came_after_the_snapshot_alone() -> None:
    blocks = blocks_of(1, 300)
    node = await Node().open()
    await node.take(blocks)
    before = node.known()
    assert node.stored == len(blocks) // 3 * 3 > 6
    await node.open()
    assert node.known() == before and node.executed == len(blocks) - node.stored
    await node.open()
    assert node.known() == before, "and again"


async def test_snapshots_go_on_after_a_restart() -> None:
    """What is stored in the end does not depend on how often the node was restarted."""
    blocks = blocks_of(2, 300)
    once, often = await Node().open(), await Node().open()
    await once.take(blocks)
    for block in blocks:
        await often.take([block])
        await often.open()
    assert often.database.values == once.database.values and once.stored > 6


@pytest.mark.parametrize("seed", [1, 4])
async def test_l1_takes_back_what_a_snapshot_is_of(seed: int) -> None:
    blocks = blocks_of(seed, 200)
    for back in range(1, len(blocks), 4):
        node = await Node().open()
        await node.take(blocks)
        block = blocks[back][0].block
        await node.kept.rewind(block)
        assert node.stored <= back + 1, "a snapshot goes with its batch"
        fresh = await Node().open()
        await fresh.take(blocks[: back + 1])
        assert node.known() | {"fills": 0} == fresh.known() | {"fills": 0}
        await node.open()
        assert node.known() == fresh.known()
        await node.take(blocks[back + 1 :])
        await fresh.take(blocks[back + 1 :])
        await node.open()
        assert node.known() == (await fresh.open()).known()
        assert node.stored >= len(blocks) - 2


async def test_a_rewind_deeper_than_what_is_remembered_begins_at_the_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replay, "UNDO_BATCHES_MAX", 2)
    blocks = blocks_of(1, 300)
    node = await Node().open()
    await node.take(blocks, final=4)
    assert node.stored > 4, "batch 4 was forgotten, the nearest that was not is taken"
    assert node.kept.final_block == -1, "and is not final"
    await node.kept.rewind(blocks[-1][0].block - 1)
    fresh = await Node().open()
    await fresh.take(blocks[:-1])
    assert node.known()["root"] == fresh.known()["root"]


@pytest.mark.parametrize("remembered", [2, 64])
async def test_a_reader_of_updates_has_the_venue_through_every_rewind(
    remembered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "UNDO_BATCHES_MAX", remembered)
    blocks = blocks_of(4, 200)
    node = await Node().open()
    mirror = Mirror(node.updates, node.followed.replayer.state)
    for back in (1, 3, len(blocks) - 2):
        await node.take(blocks[node.followed.number :], final=1)
        mirror.read(node.followed.replayer.state)
        await node.kept.rewind(blocks[back][0].block)
        mirror.read(node.followed.replayer.state)
        fills = sum(len(ran.receipt.fills) for ran in mirror.told)
        assert node.followed.fills == fills
    assert mirror.rewinds == 3 and fills > 0
    node.kept.begin(TERMS)
    mirror.read(node.followed.replayer.state)
    assert not mirror.leaves and not mirror.told


async def test_a_batch_that_is_not_final_waits_for_its_snapshot() -> None:
    blocks = blocks_of(1, 300)
    node = await Node().open()
    await node.take(blocks, final=2)
    assert node.stored == 0
    node.kept.snapshot(5)
    assert node.stored == 5
    await node.open()
    assert node.executed == len(blocks) - 5
    assert node.kept.final_block == blocks[4][-1].block


async def test_a_crash_at_any_write_is_harmless() -> None:
    blocks = blocks_of(1, 120)
    node = await Node().open()
    found: list[dict[bytes, bytes]] = []

    def crash() -> None:
        found.extend((dict(node.database.values), dict(node.database.synced)))

    node.database.after_write = crash
    await node.take(blocks[:-2])
    await node.kept.rewind(blocks[-5][0].block)
    await node.take(blocks[-4:])
    expected = node.known()["root"]
    roots = [batch.record.state_root for batch in node.followed.batches]
    for values in found[::3]:
        again = Node()
        again.databases.databases[FOLDER] = FakeDatabase()
        again.database.values, again.database.synced = dict(values), dict(values)
        await again.open()
        number = again.followed.number
        if number:
            assert again.known()["root"] == roots[number - 1]
        await again.take(blocks[number:])
        assert again.known()["root"] == expected


def other_root(values: dict[bytes, bytes]) -> None:
    head = msgspec.msgpack.decode(values[HEAD], type=Head)
    values[HEAD] = msgspec.msgpack.encode(replace(head, state_root=bytes(32)))


def changed(
    prefix: bytes, change: Callable[[bytes], bytes | None], *, last: bool = False
) -> Callable[[dict[bytes, bytes]], None]:
    """The first (or last) value of a prefix, changed or gone."""

    def damage(values: dict[bytes, bytes]) -> None:
        keys = sorted(key for key in values if key.startswith(prefix))
        key = keys[-1 if last else 0]
        new = change(values[key])
        if new is None:
            del values[key]
        else:
            values[key] = new

    return damage


def gone(_: bytes) -> None:
    return None


def cut(value: bytes) -> bytes:
    return value[:-1]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (other_root, "make the root"),
        (changed(b"leaf/a", gone), "make the root"),
        (changed(b"leaf/m", cut), "is not one"),
        (changed(b"leaf/x", gone), "the leaves are those after batch 0"),
        (changed(b"batch/", gone), "the record of batch 1 is missing"),
        (changed(b"batch/", gone, last=True), "batches expected"),
        (changed(b"batch/", cut), "does not read"),
        (changed(HEAD, gone), "the head of the snapshot is missing"),
        (changed(b"root/", lambda _: bytes(32)), "batch 1 led to 0000"),
        (changed(b"event/", cut), "event 0 is missing or changed"),
    ],
)
async def test_damage_is_told_with_its_mend(
    damage: Callable[[dict[bytes, bytes]], None], told: str
) -> None:
    node = await Node().open()
    await node.take(blocks_of(1, 120))
    damage(node.database.values)
    with pytest.raises(StoreDamaged, match=rf"{told}.*; delete this folder, and it is made again"):
        await node.open()
