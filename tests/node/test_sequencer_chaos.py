"""Everything at once, from one seed: whatever happens, what was acknowledged runs once."""

import os
from collections import Counter
from random import Random

import pytest
from sequenced_world import NAMES, order
from service_world import Desk

from node.errors import Halt, Retry
from node.sequencing.intake import Unavailable
from node.snapshot_policy import SnapshotPolicy
from state.orders import BUY, SELL
from state.status import Status

FOUND = (62, 128, 197, 277)
"""Seeds that once lost an order, or posted a batch behind one it was not made for."""
SEEDS = (
    [int(os.environ["TALLYSTICK_SEED"])]
    if "TALLYSTICK_SEED" in os.environ
    else [*range(1, 13), *FOUND]
)
ACTIONS = 80
FINALITY = 6
"""More blocks than L1 takes back at once here."""


class Chaos:
    """A desk, and things that happen to it."""

    def __init__(self, seed: int, desk: Desk) -> None:
        self.random = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
        self.desk = desk
        self.solid = len(desk.l1.blocks)
        self.sequences = dict.fromkeys(NAMES, 0)
        self.happened: Counter[str] = Counter()

    async def step(self) -> None:
        actions = [
            *[self.trade] * 8,
            *[self.look, self.seal, self.post] * 3,
            *[self.deposit, self.price, self.mine, self.damage, self.force, self.reorganise],
            *[self.outage, self.kill, self.cut_power, self.fail_disk],
        ]
        action = self.random.choice(actions)
        self.happened[action.__name__] += 1
        try:
            await action()
        except Retry:
            self.happened["told to wait"] += 1

    async def trade(self) -> None:
        submissions = []
        for _ in range(self.random.randint(1, 5)):
            name = self.random.choice(NAMES)
            self.sequences[name] += 1
            side = self.random.choice((BUY, SELL))
            submissions.append(order(name, self.sequences[name], side=side))
        await self.desk.submit(*submissions)

    async def look(self) -> None:
        await self.desk.look()

    async def seal(self) -> None:
        await self.desk.seal()

    async def post(self) -> None:
        await self.desk.post(self.random.randint(1, 3))

    async def price(self) -> None:
        self.desk.l1.mine()
        await self.desk.look()
        await self.desk.price()

    async def deposit(self) -> None:
        self.desk.l1.deposit(self.random.choice(NAMES), 5)

    async def mine(self) -> None:
        self.desk.l1.mine(self.random.choice((1, 1, 20, 70, 310)))

    async def damage(self) -> None:
        """The next batch is posted with a flipped byte."""
        self.desk.poster.corrupt = len(self.desk.l1.batches) + 1

    async def force(self) -> None:
        self.desk.l1.deposit(self.random.choice(NAMES), 3)
        self.desk.l1.force()

    async def reorganise(self) -> None:
        depth = min(self.random.randint(1, 4), len(self.desk.l1.blocks) - self.solid)
        if depth > 0:
            self.desk.l1.reorg(depth)

    async def outage(self) -> None:
        self.desk.l1.is_down = not self.desk.l1.is_down

    async def kill(self) -> None:
        self.desk.restart()

    async def cut_power(self) -> None:
        self.desk.restart(kept=self.random.randint(0, 400))

    async def fail_disk(self) -> None:
        """A sync fails, the process stops, the machine loses power in the middle of a group."""
        self.desk.file.fail_sync = True
        try:
            await self.trade()
        except Halt:
            self.happened["halted"] += 1
        except Unavailable:
            pass
        self.desk.file.fail_sync = False
        self.desk.restart(kept=self.random.choice((0, 20, 100_000)))


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_was_acknowledged_runs_once_whatever_happens(seed: int) -> None:
    await everything_at_once(seed, Desk(backlog_max=6, group_max=16))


@pytest.mark.parametrize("seed", SEEDS)
async def test_restarts_from_snapshots_lose_nothing_either(seed: int) -> None:
    """L1 calls blocks final early, and a snapshot is taken of every batch that is."""
    desk = Desk(backlog_max=6, group_max=16, snapshot_policy=SnapshotPolicy(batches=1))
    desk.l1.finality = FINALITY
    await everything_at_once(seed, desk)
    snapshots = desk.history.snapshots
    assert snapshots is not None and snapshots.number > 0
    desk.restart()
    assert desk.history.sequencer.number - len(desk.history.sequencer.batches) == snapshots.number


async def everything_at_once(seed: int, desk: Desk) -> None:
    await desk.open_venue()
    await desk.settle()
    chaos = Chaos(seed, desk)
    for _ in range(ACTIONS):
        chaos.solid = max(chaos.solid, len(desk.l1.blocks) - desk.l1.finality)
        await chaos.step()
    desk.l1.is_down = False
    desk.poster.corrupt = None
    await desk.settle()
    print(f"seed {seed}: {dict(chaos.happened)}, {len(desk.acknowledged)} acknowledged")
    desk.check()
    root = desk.root
    desk.restart()
    assert desk.root == root
    assert await desk_takes_orders(desk, chaos)


async def desk_takes_orders(desk: Desk, chaos: Chaos) -> bool:
    desk.l1.mine()
    await desk.look()
    assert await desk.price() == Status.OK
    return await desk.orders("alice", chaos.sequences["alice"] + 1) == [Status.OK]
