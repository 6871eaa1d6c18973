"""What the sequencer takes in: in groups, answered behind the disk, refused with a reason."""

import asyncio

import pytest
from sequenced_world import order
from service_world import Desk

from node.errors import Halt, L1Error
from node.l1.answers import L1Block
from node.sequencing.intake import Unavailable, UnavailableReason
from node.sequencing.watch import NO_FINALITY
from node.view import SequencedReceipt
from state.orders import BUY, SELL
from state.status import Status


async def test_with_l1_down_orders_go_on_until_the_backlog_is_full() -> None:
    desk = Desk(backlog_max=3)
    await desk.open_venue()
    await desk.settle()
    desk.l1.is_down = True
    for sequence in (1, 2, 3):
        assert await desk.orders("alice", sequence) == [Status.OK]
        await desk.seal()
        assert await desk.post() == 0
    with pytest.raises(Unavailable, match="3 batches wait for L1") as raised:
        await desk.orders("alice", 4)
    assert raised.value.reason == UnavailableReason.BACKLOG
    assert any("connection refused" in problem for problem in desk.service.problems())
    desk.l1.is_down = False
    await desk.settle()
    assert await desk.orders("alice", 4) == [Status.OK]
    await desk.settle()
    assert desk.service.problems() == []
    desk.check()


async def test_nothing_is_taken_while_l1_is_silent() -> None:
    desk = Desk()
    await desk.open_venue()
    desk.clock.advance(desk.config.silence_seconds + 1)
    with pytest.raises(Unavailable) as raised:
        await desk.orders("alice", 1)
    assert raised.value.reason == UnavailableReason.L1_SILENT
    await desk.look()
    assert await desk.orders("alice", 1) == [Status.OK]


async def test_nothing_is_taken_before_l1_is_read() -> None:
    desk = Desk()
    with pytest.raises(Unavailable) as raised:
        await desk.orders("alice", 1)
    assert raised.value.reason == UnavailableReason.CATCHING_UP
    assert "still reads L1" in desk.service.problems()[0]


async def test_a_full_queue_is_overloaded_and_says_so() -> None:
    desk = Desk(queue_max=2)
    await desk.open_venue()
    waiting = [asyncio.ensure_future(desk.service.submit(*order("alice", at))) for at in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="2 transactions wait already") as raised:
        await desk.service.submit(*order("alice", 3))
    assert raised.value.reason == UnavailableReason.OVERLOADED
    await desk.service.engine.cycle()
    assert [(await each).status for each in waiting] == [Status.OK] * 2
    assert await desk.orders("alice", 3) == [Status.OK]


async def test_a_sender_who_left_does_not_stop_the_others() -> None:
    desk = Desk()
    await desk.open_venue()
    gone, stays = (
        asyncio.ensure_future(desk.service.submit(*order("alice", sequence))) for sequence in (1, 2)
    )
    await asyncio.sleep(0)
    gone.cancel()
    await desk.service.engine.cycle()
    assert (await stays).status == Status.OK


async def test_a_group_shares_one_sync_and_is_answered_behind_it() -> None:
    desk = Desk()
    await desk.open_venue()
    syncs = desk.file.syncs
    assert await desk.orders("alice", *range(1, 41)) == [Status.OK] * 40
    assert desk.file.syncs == syncs + 1


async def test_fills_are_told_once_they_are_on_disk() -> None:
    desk = Desk()
    await desk.open_venue()
    feed = desk.service.fills.subscribe()
    await desk.orders("alice", 1, side=BUY)
    await desk.orders("bob", 1, side=SELL)
    event = feed.get_nowait()
    assert event is not None and (event.number, event.batch, event.fill.lots) == (1, 1, 10)
    desk.file.fail_sync = True
    with pytest.raises(Halt, match="cannot be written"):
        await desk.orders("alice", 2, side=SELL)
    assert feed.empty()


async def test_what_nobody_signed_is_refused_and_not_written_down() -> None:
    desk = Desk()
    await desk.open_venue()
    size = desk.file.size()
    tx, _ = order("alice", 1)
    (receipt,) = await desk.submit((tx, bytes(64)))
    assert (receipt.status, receipt.steps) == (Status.BAD_SIGNATURE, 0)
    assert not isinstance(receipt, SequencedReceipt) and desk.file.size() == size


async def test_a_full_queue_that_must_wait_leaves_the_loop_to_others() -> None:
    """What is owed a retry comes first, and needs the watch on L1 to get its turn."""
    desk = Desk(corrupt=2, group_max=2)
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1)
    await desk.seal()
    await desk.post(1)
    await desk.service.watch.look()
    desk.service.engine.view.is_caught_up = False
    for sequence in range(2, 6):
        desk.service.engine.intake.put(*order("alice", sequence))
        desk.acknowledged.append(order("alice", sequence))
    stop = asyncio.Event()
    running = asyncio.create_task(desk.service.run(stop))
    while len(desk.service.engine.intake):
        await asyncio.sleep(0)
    stop.set()
    await running
    desk.restart()
    await desk.settle()
    desk.check()


async def test_an_l1_without_finality_is_told_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    await desk.open_venue()
    block = desk.service.watch._reader.client.block

    async def refused(which: int | str | bytes) -> L1Block | None:
        if which == "finalized":
            raise L1Error(-32602, "unknown block tag")
        return await block(which)

    with monkeypatch.context() as patched:
        patched.setattr(desk.service.watch._reader.client, "block", refused)
        for _ in range(2):
            await desk.settle()
            (problem,) = desk.service.problems()
            assert problem == NO_FINALITY
        assert desk.service.heads.safe > 0 and desk.service.heads.finalized == 0
    await desk.settle()
    assert desk.service.problems() == []


async def test_an_endpoint_that_lags_takes_no_finality_back() -> None:
    desk = Desk()
    await desk.open_venue()
    await desk.settle()
    desk.l1.finality = 0
    await desk.look()
    final = desk.service.heads.finalized
    assert final > 0
    desk.l1.finality = 1_000
    await desk.look()
    assert desk.service.heads.finalized == final
