"""Batches on their way to L1 behind one another, and what becomes of them there."""

import asyncio
from typing import Any

import pytest
from pooled_l1 import PooledL1
from service_world import Desk

from node.poster import posted_hash
from node.scanner import Mark

PARENT = "parent is not the last batch"


class Series:
    """A venue whose first batch is on L1, others that are sealed, and a series that is posted."""

    def __init__(self, **settings: Any) -> None:
        self.l1 = PooledL1()
        self.desk = Desk(self.l1, **settings)
        self.sequence = 0
        self.task: asyncio.Task[bool] | None = None

    async def start(self, sealed: int) -> None:
        self.l1.is_prompt = True
        await self.desk.open_venue()
        await self.desk.settle()
        self.l1.is_prompt = False
        await self.seal(sealed)

    async def seal(self, count: int = 1) -> None:
        for _ in range(count):
            self.sequence += 1
            await self.desk.orders("alice", self.sequence)
            await self.desk.seal()

    async def send(self) -> int:
        """Begin to post; how many transactions wait on L1 then."""
        batch = self.desk.service.posting.next_batch()
        assert batch is not None
        self.task = asyncio.create_task(self.desk.service.posting.step(batch))
        return await self.waiting()

    async def waiting(self) -> int:
        for _ in range(20):
            await asyncio.sleep(0)
        return len(self.l1.waiting)

    async def ended(self) -> bool:
        """Whether the series was worth going on at once."""
        assert self.task is not None
        return await asyncio.wait_for(self.task, 5)

    async def crash(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait([self.task])
        self.desk.restart(kept=0)

    async def settle(self) -> None:
        """Everything comes to L1, and whoever knows L1 alone agrees with us."""
        self.l1.is_prompt = True
        await self.desk.settle()
        self.desk.check()


async def test_several_batches_land_in_one_block_in_their_order() -> None:
    series = Series()
    await series.start(sealed=6)
    assert await series.send() == 4
    assert series.l1.include() == [] and await series.ended()
    assert [batch.number for batch in series.l1.blocks[-1].events] == [2, 3, 4, 5]  # type: ignore[union-attr]
    assert series.desk.service.posting.next_batch() is None, "L1 must show them first"
    await series.desk.look()
    assert series.desk.service.heads.safe == 5
    assert await series.send() == 2
    assert series.l1.include() == [] and await series.ended()
    await series.settle()
    assert len(series.l1.batches) == 7


@pytest.mark.parametrize(("ahead", "sent"), [(1, 1), (2, 2), (9, 6)])
async def test_as_many_are_on_their_way_as_the_settings_allow(ahead: int, sent: int) -> None:
    series = Series(posting_ahead=ahead)
    await series.start(sealed=6)
    assert await series.send() == sent
    series.l1.include()
    assert await series.ended()
    await series.settle()


async def test_what_is_sealed_while_a_batch_is_on_its_way_goes_right_behind_it() -> None:
    series = Series()
    await series.start(sealed=1)
    assert await series.send() == 1
    series.l1.deposit("bob", 5)
    await series.desk.look()
    await series.seal(2)
    assert await series.waiting() == 3
    assert series.l1.include() == [] and await series.ended()
    await series.desk.look()
    assert series.desk.service.heads.safe == series.desk.service.heads.unsafe == 4
    await series.settle()


async def test_nothing_is_sent_behind_a_series_that_is_landing() -> None:
    series = Series()
    await series.start(sealed=2)
    assert await series.send() == 2
    assert series.l1.include(count=1) == []
    assert await series.waiting() == 1
    await series.desk.look()
    await series.seal(2)
    assert await series.waiting() == 1
    assert series.l1.include() == [] and await series.ended()
    await series.settle()


async def test_where_the_first_reverts_all_do_and_are_posted_again() -> None:
    series = Series()
    await series.start(sealed=4)
    series.l1.mine()
    await series.desk.look()
    assert await series.send() == 4
    series.l1.reorg(1)
    assert series.l1.include() == ["origin is on another branch", PARENT, PARENT, PARENT]
    assert not await series.ended()
    assert "batch 2 is not on L1" in series.desk.service.posting.problem
    await series.settle()
    assert series.desk.service.posting.problem == ""


async def test_a_series_that_comes_too_late_is_made_anew() -> None:
    series = Series()
    await series.start(sealed=3)
    assert await series.send() == 3
    series.l1.mine(seconds=400)
    assert series.l1.include() == ["time lags too far", PARENT, PARENT]
    assert not await series.ended()
    await series.desk.look()
    await series.desk.price()
    await series.settle()


async def test_a_batch_that_somebody_forces_takes_the_place_of_a_series() -> None:
    series = Series()
    await series.start(sealed=3)
    series.l1.deposit("bob", 5)
    assert await series.send() == 3
    series.l1.force()
    assert series.l1.include() == [PARENT] * 3
    assert not await series.ended()
    await series.settle()


@pytest.mark.parametrize("depth", [1, 2, 3])
async def test_a_reorganisation_that_takes_some_of_a_series_loses_nothing(depth: int) -> None:
    series = Series()
    await series.start(sealed=4)
    assert await series.send() == 4
    series.l1.include(count=1)
    series.l1.include(count=2)
    series.l1.include()
    assert await series.ended()
    await series.desk.look()
    assert series.desk.service.heads.safe == 5
    series.l1.reorg(depth)
    await series.desk.look()
    assert series.desk.service.heads.safe == {1: 4, 2: 2, 3: 1}[depth]
    await series.settle()


async def test_nobody_waits_for_those_behind_a_batch_that_l1_took_back() -> None:
    """Their nonces are not the next ones any more: they may wait for ever."""
    series = Series()
    await series.start(sealed=3)
    assert await series.send() == 3
    assert series.l1.include(count=1) == []
    await series.desk.look()
    series.l1.reorg(1)
    await series.desk.look()
    assert await series.ended() and len(series.l1.waiting) == 2
    assert series.desk.service.heads.safe == 1
    assert await series.send() == 5
    assert series.l1.include() == [PARENT, PARENT] and await series.ended()
    await series.settle()


@pytest.mark.parametrize("survive", [0, 1, 2, 3])
async def test_a_node_that_dies_between_two_sends_finds_what_it_sent(survive: int) -> None:
    series = Series()
    await series.start(sealed=3)
    assert await series.send() == 3
    await series.crash()
    assert series.l1.include(count=survive) == []
    await series.desk.look()
    assert series.desk.service.heads.safe == 1 + survive
    await series.settle()
    assert len(series.l1.batches) == 4


async def test_what_a_dead_node_sent_may_land_after_its_successor_took_over() -> None:
    series = Series()
    await series.start(sealed=3)
    assert await series.send() == 3
    await series.crash()
    await series.desk.look()
    assert await series.send() == 6, "the same again, behind what waits"
    assert series.l1.include() == [PARENT] * 3 and not await series.ended()
    await series.settle()
    assert len(series.l1.batches) == 4


@pytest.mark.parametrize(("corrupt", "sent"), [(2, 1), (3, 2), (4, 3)])
async def test_nothing_is_sent_behind_a_batch_that_l1_will_hold_for_void(
    corrupt: int, sent: int
) -> None:
    """It would use up the sequence numbers above those of the void orders."""
    series = Series()
    await series.start(sealed=4)
    series.desk.poster.corrupt = corrupt
    assert await series.send() == sent
    assert series.l1.include() == [] and await series.ended()
    series.desk.poster.corrupt = None
    await series.desk.look()
    assert series.desk.service.batch(corrupt).void  # type: ignore[union-attr]
    await series.settle()


@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_behind_a_nonce_that_was_used_otherwise_the_rest_reverts(lost: int) -> None:
    series = Series()
    await series.start(sealed=3)
    assert await series.send() == 3
    series.l1.forget(lost)
    assert series.l1.include() == [PARENT] * (2 - lost)
    assert await series.ended() == (lost > 0)
    await series.settle()


async def test_a_pool_that_takes_no_more_ends_the_series() -> None:
    series = Series()
    await series.start(sealed=3)
    series.l1.room = 1
    assert await series.send() == 1
    await series.seal()
    assert await series.waiting() == 1
    assert series.l1.include() == [] and await series.ended()
    assert "the pool is full" in series.desk.service.posting.problem
    await series.settle()


async def test_the_hash_that_the_next_batch_names_is_the_one_that_l1_gives() -> None:
    series = Series()
    await series.start(sealed=1)
    batch = series.desk.service.posting.next_batch()
    assert batch is not None
    origin = Mark(len(series.l1.blocks) - 1, series.l1.blocks[-1].hash)
    parent = series.l1.batches[-1].batch_hash
    await series.send()
    series.l1.include()
    assert await series.ended()
    assert series.l1.batches[-1].batch_hash == posted_hash(batch, origin, parent)
