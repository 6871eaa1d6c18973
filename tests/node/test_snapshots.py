"""Restarts from snapshots: the same venue as from the whole journal, or a reason and its mend."""

import asyncio
from typing import Any

import msgspec
import pytest
from fake_database import FakeDatabase, FakeDatabases
from fake_disk import FakeDisk, FakeFile
from fake_rollup import FakeL1
from sequenced_world import order
from service_world import PATH, SNAPSHOTS, Desk
from snapshot_world import EVERY, database, known, snapshot_desk

from node.errors import Halt
from node.sequencing.snapshot_store import HEAD, Head
from node.snapshot_policy import SnapshotPolicy
from sequencer.sequencer import Submission
from state.orders import BUY, SELL
from state.status import Status


async def test_a_restart_from_a_snapshot_is_one_from_the_journal() -> None:
    desk = await snapshot_desk()
    before = known(desk)
    assert desk.history.snapshots is not None and desk.history.snapshots.number == 4
    desk.restart(kept=0)
    assert known(desk) == before
    desk.policy = None
    desk.restart(kept=0)
    assert known(desk) == before
    desk.policy = EVERY
    desk.restart()
    await desk.settle()
    desk.check()


async def test_a_restart_replays_what_came_after_the_snapshot_alone() -> None:
    desk = await snapshot_desk()
    desk.start()
    whole = len(desk.history.records)
    assert whole == 5
    replayed: list[object] = []
    original = type(desk.history)._replay

    def counting(self: Any, record: Any) -> None:
        replayed.append(record)
        original(self, record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(desk.history), "_replay", counting)
        desk.restart()
        behind = len(replayed)
        desk.policy = None
        desk.restart()
    assert behind < 10 < len(replayed) - behind


async def test_snapshots_go_on_where_the_last_process_stopped() -> None:
    """Over several restarts the store holds what one written at once would hold."""
    desk = await snapshot_desk()
    for at in range(6, 9):
        desk.restart(kept=0)
        await desk.settle()
        await desk.orders("alice", at, side=BUY)
        await desk.settle()
        await desk.look()
    values = dict(database(desk).values)
    assert desk.history.snapshots is not None
    number = desk.history.snapshots.number
    desk.databases = FakeDatabases()
    desk.restart()
    await desk.look()
    assert desk.history.snapshots.number == number
    again = dict(database(desk).values)
    assert msgspec.msgpack.decode(again.pop(HEAD), type=Head).mark.position == (
        msgspec.msgpack.decode(values.pop(HEAD), type=Head).mark.position
    )
    assert again == values


@pytest.mark.parametrize(
    ("policy", "written"),
    [
        (SnapshotPolicy(batches=3, records=10**6), 3),
        (SnapshotPolicy(batches=10**6, records=10), 3),
        (SnapshotPolicy(batches=10**6, records=10**6), 0),
    ],
)
async def test_a_snapshot_is_taken_when_enough_became_final(
    policy: SnapshotPolicy, written: int
) -> None:
    desk = await snapshot_desk(policy)
    assert desk.history.snapshots is not None
    assert desk.history.snapshots.number == written, [
        record.transactions + record.items for record in desk.history.records
    ]


async def test_nothing_is_snapshot_that_l1_may_still_take_back() -> None:
    desk = Desk(snapshot_policy=EVERY)
    await desk.open_venue()
    await desk.settle()
    assert not database(desk).values
    desk.l1.finality = 0
    await desk.look()
    assert database(desk).values


async def test_a_restart_reads_l1_from_a_final_block_on(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await snapshot_desk()
    posted = [desk.service.batch(number) for number in range(1, 5)]
    read: list[int] = []
    scan = desk.l1.scan

    async def counting(first: int, last: int) -> Any:
        read.append(first)
        return await scan(first, last)

    monkeypatch.setattr(desk.l1, "scan", counting)
    desk.l1.deposit("dave", 7)
    desk.restart()
    await desk.look()
    assert min(read) > 8 and desk.service.heads.safe == 4
    assert [desk.service.batch(number) for number in range(1, 5)] == posted
    desk.service.engine.view.is_void = True
    await desk.look()
    assert min(read) > 8, "a view that fits nothing is read anew from there as well"
    await desk.settle()
    desk.check()


async def test_items_that_no_batch_took_yet_are_remembered() -> None:
    """They lie before the block from which L1 is read, and behind the last final batch."""
    desk = Desk(snapshot_policy=EVERY)
    await desk.open_venue()
    await desk.settle()
    desk.l1.deposit("carol", 8)
    desk.l1.deposit("dave", 9)
    await desk.service.watch.look()
    desk.l1.finality = 0
    await desk.service.watch.look()
    await desk.service.engine._follow_l1()
    desk.history.journal.sync()
    assert await desk.service.snapshotting.step()
    desk.restart(kept=0)
    assert [item.index for item in desk.service.engine.view.items(5)] == [5, 6]
    await desk.settle()
    desk.check()


async def test_an_l1_that_takes_final_blocks_back_halts_a_restart() -> None:
    desk = await snapshot_desk()
    desk.l1.reorg(6)
    for _ in range(9):
        desk.l1.mine()
    desk.restart()
    with pytest.raises(Halt, match=r"L1 contradicts what it had called final: block \d+"):
        await desk.look()


async def test_owed_transactions_outlive_a_snapshot_and_a_restart() -> None:
    """A rewind in front of the snapshot's batch leaves retries that are still to come."""
    desk = Desk(corrupt=2, snapshot_policy=EVERY)
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1, 2, side=BUY)
    await desk.seal()
    await desk.post(1)
    desk.l1.finality = 0
    desk.service.engine.view.is_caught_up = False
    await desk.service.watch.look()
    desk.service.engine.view.is_caught_up = False
    await desk.service.engine.cycle()
    assert len(desk.history.owed) == 2
    assert await desk.service.snapshotting.step()
    before = known(desk)
    desk.restart(kept=0)
    assert known(desk) == before and len(desk.history.owed) == 2
    await desk.settle()
    desk.check()


async def test_a_resubmission_after_a_restart_has_its_old_answer() -> None:
    desk = await snapshot_desk()
    desk.restart(kept=0)
    await desk.look()
    (receipt,) = await desk.submit(order("alice", 1, side=BUY))
    desk.acknowledged.pop()
    assert receipt.status == Status.OK and getattr(receipt, "resubmission", False)


# --- crashes ---


class Crash:
    """What a machine that stopped here would find, and what had been acknowledged by then."""

    def __init__(self, desk: Desk) -> None:
        self.data, self.synced = bytes(desk.file.data), desk.file.synced
        self.values = dict(database(desk).synced)
        self.acknowledged = list(desk.acknowledged)

    def restarted(self, l1: FakeL1, kept: int) -> Desk:
        """As it comes back, with `kept` bytes of what the journal had not synced."""
        disk, size = FakeDisk(), self.synced + kept
        disk.files[PATH] = FakeFile(bytearray(self.data[:size]), synced=size)
        desk = Desk.__new__(Desk)
        Desk.__init__(desk, l1, disk)
        desk.databases.databases[SNAPSHOTS] = FakeDatabase()
        database(desk).values, database(desk).synced = dict(self.values), dict(self.values)
        desk.policy, desk.acknowledged = EVERY, list(self.acknowledged)
        desk.start()
        return desk


async def crashes_of_a_day() -> tuple[Desk, list[Crash]]:
    """A desk that was stopped in its mind at every write of journal and snapshots."""
    desk = Desk(snapshot_policy=EVERY, corrupt=3)
    desk.l1.finality = 0
    await desk.open_venue()
    found: list[Crash] = []
    desk.file.after_write = database(desk).after_write = lambda: found.append(Crash(desk))
    for at in range(1, 4):
        await desk.orders("alice", at, side=BUY)
        await desk.orders("bob", at, side=SELL, lots=4)
        await desk.settle()
        if at == 2:
            desk.l1.finality = 3
            desk.l1.deposit("carol", 3)
            await desk.look()
            desk.l1.reorg(1)
    await desk.look()
    return desk, found


async def test_a_crash_at_any_write_is_harmless() -> None:
    desk, found = await crashes_of_a_day()
    assert len(found) > 30 and len({len(crash.values) for crash in found}) >= 3
    for at, crash in enumerate(found):
        torn = len(crash.data) - crash.synced
        for kept in {0, torn // 2, torn}:
            after = crash.restarted(desk.l1, kept)
            account = after.service.state.account(1 << 8)
            owed = last(after.history.owed, "alice")
            assert max(account.owner_sequence, owed) >= last(crash.acknowledged, "alice"), at
        await after.settle()
        after.check()


def last(acknowledged: list[Submission], name: str) -> int:
    """The highest sequence number of an order that its trader was told of."""
    number = {"alice": 1 << 8, "bob": 2 << 8}[name]
    told = [tx.sequence for tx, _ in acknowledged if getattr(tx, "account", 0) == number]  # type: ignore[union-attr]
    return max(told, default=0)


async def test_a_snapshot_that_cannot_be_written_is_a_problem_and_no_end() -> None:
    desk = await snapshot_desk()
    number = database(desk).writes
    database(desk).fail_write = True
    await desk.settle()
    await desk.look()
    (problem,) = desk.service.problems()
    assert "no snapshot could be written" in problem and "check the disk" in problem
    assert await desk.orders("alice", 7) == [Status.OK]
    database(desk).fail_write = False
    await desk.settle()
    assert desk.service.problems() == [] and database(desk).writes > number
    before = known(desk)
    desk.restart(kept=0)
    assert known(desk) | {"time": 0} == before | {"time": 0}, "L1's time is asked for again"
    await desk.settle()
    desk.check()


async def test_a_running_service_writes_snapshots_and_closes_them() -> None:
    desk = Desk(snapshot_policy=EVERY)
    desk.l1.finality = 0
    await desk.open_venue()
    await desk.settle()
    await desk.look()
    await desk.orders("alice", 1)
    stop = asyncio.Event()
    running = asyncio.create_task(desk.service.run(stop))
    before = database(desk).writes
    for _ in range(2_000):
        desk.clock.advance(1)
        await asyncio.sleep(0)
    assert database(desk).writes > before
    stop.set()
    await running
    root = desk.root
    desk.restart(kept=0)
    assert desk.root == root
