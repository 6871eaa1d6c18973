"""Snapshots beside an L1 endpoint that lags, and on a disk that stays full."""

import resource
from pathlib import Path

import pytest
from msgspec.structs import replace
from service_world import Desk
from snapshot_world import database, known, snapshot_desk

from node.errors import Halt, Retry
from node.rollup_events import BatchPosted
from node.store import Store
from state.batch import decode_header, encode_header
from state.crypto import keccak


async def another_final_batch(desk: Desk) -> None:
    """Posted and final, and no snapshot of it taken yet."""
    for _ in range(3):
        await desk.service.watch.look()
        await desk.seal()
        await desk.post(1)
    await desk.service.watch.look()
    await desk.service.engine.cycle()


async def test_finality_that_goes_back_takes_nothing_from_the_next_snapshot() -> None:
    desk = await snapshot_desk()
    await another_final_batch(desk)
    desk.l1.finality = 5
    view = desk.service.engine.view
    # As a process knows it that has just started beside an endpoint that lags.
    view.finalized_block = 0
    await desk.service.watch.look()
    assert view.batches_until(view.finalized_block) < 4, "less than the last snapshot knows"
    assert await desk.service.snapshotting.step()
    before = known(desk)
    desk.restart(kept=0)
    assert known(desk) | {"time": 0} == before | {"time": 0}, "L1's time is asked for again"
    desk.l1.finality = 0
    await desk.settle()
    desk.check()


async def test_an_endpoint_that_lags_behind_a_final_block_is_asked_again() -> None:
    desk = await snapshot_desk()
    desk.restart()
    blocks = list(desk.l1.blocks)
    del desk.l1.blocks[5:]
    for _ in range(2):
        with pytest.raises(Retry, match="L1 is at block 4 and has not seen block 9"):
            await desk.service.watch.look()
    desk.l1.blocks[:] = blocks
    await desk.settle()
    desk.check()


async def test_a_batch_of_items_that_ran_before_is_not_believed() -> None:
    """What L1 shows must go on where the final batches end."""
    desk = await snapshot_desk()
    desk.l1.force()
    (posted,) = desk.l1.blocks[-1].events
    assert isinstance(posted, BatchPosted)
    header = encode_header(replace(decode_header(posted.header), inbox_from=0))
    lie = replace(posted, header=header, batch_hash=keccak(header))
    desk.l1.blocks[-1].events[:] = [lie]
    desk.restart()
    await desk.look()
    assert desk.service.engine.view.is_void and desk.service.heads.safe == 4
    desk.l1.blocks[-1].events[:] = [posted]
    await desk.settle()
    desk.check()


async def test_a_snapshot_that_failed_waits_for_the_next_final_batch() -> None:
    desk = await snapshot_desk()
    store = database(desk)
    store.fail_write = True
    await another_final_batch(desk)
    assert not await desk.service.snapshotting.step()
    store.fail_write = False
    for _ in range(3):
        await desk.service.engine.cycle()
        assert not await desk.service.snapshotting.step()
    assert desk.service.snapshotting.problem
    await desk.orders("alice", 7)
    await another_final_batch(desk)
    assert await desk.service.snapshotting.step()
    assert not desk.service.snapshotting.problem
    before = known(desk)
    desk.restart(kept=0)
    assert known(desk) | {"time": 0} == before | {"time": 0}


async def test_a_snapshot_goes_on_from_the_one_before_or_is_not_written() -> None:
    """Whoever deletes the folder under a running node finds the journal replayed."""
    desk = await snapshot_desk()
    database(desk).values.clear()
    await another_final_batch(desk)
    assert not await desk.service.snapshotting.step()
    assert "the snapshot of batch 4 is gone; delete" in desk.service.snapshotting.problem
    before = known(desk)
    desk.restart()
    assert known(desk) | {"time": 0} == before | {"time": 0}
    await desk.settle()
    assert not desk.service.snapshotting.problem and database(desk).values


def test_a_store_that_was_full_for_a_while_can_be_read_later(tmp_path: Path) -> None:
    """What LevelDB had written of a failed write would otherwise damage what comes behind it."""
    store = Store(tmp_path, mend="")
    store.write({b"first": b"1"})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for _ in range(2):
        resource.setrlimit(resource.RLIMIT_FSIZE, (60, limits[1]))
        try:
            with pytest.raises(Halt, match=r"STORE_FAILED: .*IO error: .*check the disk"):
                store.write({b"lost": bytes(100)})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    store.write({b"second": b"2"})
    store.close()
    again = Store(tmp_path, mend="")
    assert dict(again.entries(b"")) == {b"first": b"1", b"second": b"2"}
    again.close()
