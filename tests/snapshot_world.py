"""A sequencer that takes snapshots, and everything that a restart must bring back."""

from typing import Any

from fake_database import FakeDatabase
from service_world import SNAPSHOTS, Desk

from node.snapshot_policy import SnapshotPolicy
from state.orders import BUY, SELL

EVERY = SnapshotPolicy(batches=1)


async def snapshot_desk(policy: SnapshotPolicy = EVERY, **settings: Any) -> Desk:
    """Four final batches, one sealed and not posted, one open."""
    desk = Desk(snapshot_policy=policy, **settings)
    desk.l1.finality = 0
    await desk.open_venue()
    await desk.settle()
    for at in range(1, 4):
        await desk.orders("alice", at, side=BUY)
        await desk.orders("bob", at, side=SELL, lots=4)
        await desk.settle()
    await desk.look()
    await desk.orders("bob", 4, side=SELL)
    desk.l1.deposit("carol", 8)
    await desk.seal()
    await desk.look()
    await desk.orders("bob", 5, side=SELL)
    return desk


def database(desk: Desk) -> FakeDatabase:
    return desk.databases.databases[SNAPSHOTS]


def known(desk: Desk) -> dict[str, Any]:
    """Everything that a restart must bring back."""
    history = desk.history
    answers = history.answers.of_batches(0, 1_000)
    return {
        "root": desk.root,
        "records": history.records,
        "contents": history.sequencer.contents,
        "time": history.sequencer.time,
        "owed": history.owed,
        "answers": answers,
        "progress": [history.answers.progress((1 << 8, 0, at)) for at in range(1, 4)],
    }
