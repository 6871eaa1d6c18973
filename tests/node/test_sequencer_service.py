"""The sequencer service against L1 in memory: what is acknowledged runs, whatever L1 does."""

import asyncio

import pytest
from builders import NOW
from fake_rollup import PARAMETERS
from sequenced_world import order
from service_world import Desk

from node.errors import Halt, Rewind
from node.rollup_events import RollupEvent
from node.view import SequencedReceipt
from state.orders import BUY, SELL
from state.status import Status


async def test_an_order_is_executed_sealed_posted_and_followed() -> None:
    desk = Desk()
    await desk.open_venue()
    (bought,) = await desk.submit(order("alice", 1, side=BUY))
    (sold,) = await desk.submit(order("bob", 1, side=SELL))
    assert isinstance(sold, SequencedReceipt)
    assert (bought.status, sold.status, sold.batch, len(sold.fills)) == (Status.OK, Status.OK, 1, 1)
    await desk.settle()
    desk.check()
    record = desk.service.batch(1)
    assert record is not None
    assert (record.orders, record.fills, record.items) == (2, 1, 5)
    assert record.posted_block and record.batch_hash == desk.l1.batches[0].batch_hash
    assert desk.service.heads.safe == desk.service.heads.unsafe == 1
    assert desk.service.problems() == []


async def test_deposits_are_admitted_by_sealing_what_came_before_them() -> None:
    desk = Desk()
    await desk.open_venue()
    desk.l1.deposit("carol", 7)
    before = desk.service.state.account(3 << 8).cash
    await desk.look()
    assert desk.service.state.account(3 << 8).cash == before, "it waits for its batch"
    desk.clock.advance(desk.config.engine.policy.item_wait_max)
    await desk.look()
    assert desk.service.state.account(3 << 8).cash == before + 7 * 10**9
    assert desk.service.heads.unsafe == 1
    await desk.settle()
    desk.check()


async def test_a_flipped_byte_voids_the_batch_and_loses_no_order() -> None:
    desk = Desk(corrupt=2)
    await desk.open_venue()
    await desk.settle()
    assert await desk.orders("alice", 1, 2, side=BUY) == [Status.OK] * 2
    desk.l1.deposit("dave", 3)
    await desk.look()
    await desk.seal()
    assert await desk.orders("bob", 1, side=SELL) == [Status.OK]
    await desk.post()
    assert await desk.orders("bob", 2, side=SELL) == [Status.OK]
    await desk.settle()
    void = desk.service.batch(2)
    assert void is not None and "chunk 0" in void.void and void.transactions == 0
    assert len(desk.acknowledged) == 5
    desk.check()


async def test_a_forced_batch_takes_the_place_of_ours() -> None:
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1)
    await desk.seal()
    desk.l1.deposit("dave", 3)
    desk.l1.force()
    await desk.look()
    forced = desk.service.batch(2)
    assert forced is not None and (forced.items, forced.transactions) == (1, 0)
    assert desk.service.heads.safe == 2
    await desk.settle()
    desk.check()


@pytest.mark.parametrize(("depth", "sent"), [(1, [1, 2, 2]), (2, [1, 2, 1, 2])])
async def test_a_batch_that_l1_lost_is_posted_again(depth: int, sent: list[int]) -> None:
    """Of two blocks lost, one comes again: L1 is shorter then than it was when it took them."""
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1)
    await desk.settle()
    root = desk.root
    desk.l1.reorg(depth)
    await desk.look()
    assert (desk.service.heads.safe, desk.service.heads.unsafe) == (2 - depth, 2)
    await desk.settle()
    assert desk.l1.sent == sent and desk.root == root
    desk.check()


async def test_a_deposit_that_l1_took_back_undoes_what_stood_on_it() -> None:
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    desk.l1.deposit("dave", 5)
    await desk.look()
    await desk.orders("alice", 1)
    await desk.seal()
    cash = desk.service.state.account(4 << 8).cash
    desk.l1.reorg(1)
    await desk.look()
    assert desk.service.state.account(4 << 8).cash == cash - 5 * 10**9
    desk.l1.deposit("carol", 9)
    await desk.settle()
    desk.check()


async def test_a_deposit_replaced_in_a_reorg_is_never_posted_over() -> None:
    """Same index, another deposit: the batch that ran the first one must not reach L1."""
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    desk.l1.deposit("dave", 5)
    await desk.look()
    await desk.seal()
    desk.l1.reorg(1)
    desk.l1.deposit("carol", 9)
    assert await desk.post() == 0
    assert desk.l1.refusals == ["batches: origin is on another branch"]
    await desk.settle()
    desk.check()


async def test_the_next_batch_waits_until_l1_shows_the_one_before() -> None:
    """Posted behind a void batch, it would use up the sequence numbers above the void ones."""
    desk = Desk(corrupt=2)
    await desk.open_venue()
    await desk.settle()
    for sequence in (1, 2):
        await desk.orders("alice", sequence)
        await desk.seal()
    assert await desk.post(1) == 1
    assert desk.service.posting.next_batch() is None and desk.service.heads.unsafe == 3
    await desk.look()
    assert desk.service.batch(2).void  # type: ignore[union-attr]
    await desk.settle()
    desk.check()


async def test_batches_taken_over_from_l1_are_in_every_head_at_once() -> None:
    """Before our own disk has them, L1 keeps them."""
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    for _ in range(3):
        desk.l1.deposit("dave", 5)
        desk.l1.force()
    await desk.service.watch.look()
    for number in range(2, 5):
        assert desk.service.engine.agreement.update()
        heads = desk.service.heads
        assert heads.safe == heads.unsafe == number <= len(desk.l1.batches)
    assert not desk.service.engine.agreement.update()


async def test_others_get_their_turn_between_batches_from_l1() -> None:
    """Each is on disk before the next: whoever took over a long history starts where it was."""
    before = Desk()
    await before.open_venue()
    for at in range(1, 6):
        await before.orders("alice", at)
        await before.settle()
    desk = Desk(before.l1)
    await desk.service.watch.look()
    cycle = asyncio.create_task(desk.service.engine.cycle())
    seen = list[int]()
    while not cycle.done():
        await asyncio.sleep(0)
        seen.append(desk.history.sequencer.number)
        if seen[-1] == 3:
            cycle.cancel()
    assert seen[-1] == 3
    desk.restart(kept=0)
    assert desk.history.sequencer.number == 3
    await desk.settle()
    assert desk.root == before.root
    desk.check()


async def test_l1_may_go_back_and_on_again_between_two_looks() -> None:
    """As many batches as before, but one of them another: the number alone says nothing."""
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    desk.l1.deposit("dave", 5)
    desk.l1.force()
    await desk.look()
    await desk.orders("alice", 1)
    await desk.seal()
    desk.l1.reorg(2)
    desk.l1.deposit("carol", 7)
    desk.l1.deposit("carol", 8)
    desk.l1.force()
    await desk.service.watch.look()
    assert desk.service.posting.next_batch() is None, "it was made to follow another batch"
    await desk.look()
    await desk.settle()
    desk.check()
    assert desk.l1.headers[1].inbox_to == 7


async def test_an_l1_that_goes_back_to_a_block_it_showed_is_posted_to() -> None:
    """An endpoint behind a balancer lags, or a devnet is rolled back: no block is new."""
    desk = Desk()
    await desk.open_venue()
    await desk.orders("alice", 1)
    await desk.seal()
    desk.l1.mine()
    await desk.look()
    desk.l1.blocks.pop()
    await desk.look()
    assert desk.service.posting.next_batch() is not None
    assert await desk.post(1) == 1
    await desk.settle()
    desk.check()


async def test_a_batch_that_l1_just_took_back_is_shown_without_its_place() -> None:
    """The watch sees a reorganisation before the engine has followed it."""
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    assert desk.service.batch(1).posted_block  # type: ignore[union-attr]
    desk.l1.reorg(1)
    await desk.service.watch.look()
    record = desk.service.batch(1)
    assert record is not None and not record.posted_block and not record.batch_hash


async def test_a_void_batch_that_l1_takes_back_is_resequenced_once_more() -> None:
    desk = Desk(corrupt=2)
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1, 2)
    await desk.seal()
    await desk.post()
    await desk.look()
    assert desk.service.batch(2).void  # type: ignore[union-attr]
    desk.l1.reorg(1)
    await desk.settle()
    desk.check()
    assert len(desk.acknowledged) == 3


@pytest.mark.parametrize(
    "seconds", [PARAMETERS.inbox_delay + 1, PARAMETERS.time_lag_max + 1], ids=["overdue", "late"]
)
async def test_what_l1_no_longer_takes_is_sequenced_anew(seconds: int) -> None:
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1, 2)
    desk.l1.deposit("dave", 5)
    await desk.seal()
    assert desk.service.heads.unsafe == 2
    desk.l1.mine(seconds)
    await desk.settle()
    desk.check()
    assert desk.l1.headers[1].inbox_to == 6, "the overdue item is in the batch now"
    assert desk.l1.headers[1].time_min > NOW + seconds - 20


async def test_a_refusal_of_the_contract_leads_to_the_same_end() -> None:
    """L1's time moves between our look and its block: the contract says it first."""
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1, 2)
    await desk.seal()
    desk.l1.mine(PARAMETERS.time_lag_max + 1)
    assert await desk.post() == 0
    assert desk.l1.refusals == ["batches: time lags too far"]
    await desk.settle()
    desk.check()


async def test_logs_that_do_not_fit_together_are_read_again() -> None:
    desk = Desk()
    await desk.open_venue()
    await desk.orders("alice", 1)
    await desk.settle()
    item = desk.l1.blocks[2].events.pop()
    desk.service.engine.view.is_void = True
    with pytest.raises(Exception, match="read again"):
        await desk.look()
    desk.l1.blocks[2].events.append(item)
    desk.service.engine.view.is_void = True
    await desk.settle()
    desk.check()


async def test_a_batch_that_l1s_logs_left_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that has the block and not its logs yet would leave us posting it for ever."""
    desk = Desk()
    await desk.open_venue()
    await desk.seal()
    assert await desk.post(1) == 1

    async def nothing(*_: int) -> list[RollupEvent]:
        return []

    with monkeypatch.context() as patched:
        patched.setattr(desk.l1, "scan", nothing)
        with pytest.raises(Rewind, match="L1 counts 1 batches, its logs told of 0"):
            await desk.look()
    desk.service.engine.view.is_void = True
    await desk.settle()
    assert desk.service.heads.safe == 1
    desk.check()


async def test_an_l1_that_takes_back_what_was_final_halts_the_node() -> None:
    desk = Desk()
    desk.l1.finality = 0
    await desk.open_venue()
    await desk.orders("alice", 1)
    await desk.settle()
    await desk.look()
    desk.l1.reorg(len(desk.l1.blocks) - 1)
    with pytest.raises(Halt, match="contradicts what it had called final"):
        await desk.look()
