"""A sequencer whose workers look ahead does what one without them does, in the same order."""

import asyncio
import os
import signal

import pytest
from builders import DOMAIN
from sequenced_world import order
from service_world import Desk

from node.signers import pool as pools
from node.signers.known import signers
from node.signers.process import Request
from sequencer.sequencer import Submission
from state.chunks import Row
from state.orders import BUY, SELL
from state.status import Status

SENT = [
    order(name, sequence, side=side, lots=sequence)
    for sequence in range(1, 30)
    for name, side in (("alice", BUY), ("bob", SELL), ("carol", BUY))
]


async def served(desk: Desk, *sent: Submission) -> list[Status]:
    """What became of what is handed in at once, with the workers running if there are any."""
    if desk.signers is None:
        return [receipt.status for receipt in await desk.submit(*sent)]
    await desk.signers.pool.start()
    try:
        return [receipt.status for receipt in await desk.submit(*sent)]
    finally:
        await desk.signers.pool.close()


async def test_with_workers_everything_is_as_without() -> None:
    alone, helped = Desk(), Desk(signers=signers(DOMAIN, 1))
    assert helped.signers is not None
    for desk in (alone, helped):
        await desk.open_venue()
    before = helped.signers.known.misses
    assert await served(helped, *SENT) == await served(alone, *SENT) == [Status.OK] * len(SENT)
    assert helped.root == alone.root
    assert (helped.signers.known.hits, helped.signers.known.misses) == (len(SENT), before)


async def test_a_service_has_its_workers_for_as_long_as_it_runs() -> None:
    desk = Desk(signers=signers(DOMAIN, 2))
    assert desk.signers is not None
    stop = asyncio.Event()
    running = asyncio.create_task(desk.service.run(stop))
    while len(desk.signers.pool.workers) < 2:
        await asyncio.sleep(0)
    stop.set()
    await running
    assert not desk.signers.pool.workers


async def test_a_worker_lost_on_the_way_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "PAUSE_SECONDS", 60.0)
    alone, helped = Desk(), Desk(signers=signers(DOMAIN, 1))
    assert helped.signers is not None
    pool, ask = helped.signers.pool, helped.signers.pool.ask

    def ask_and_kill(rows: list[Row]) -> Request | None:
        request = ask(rows)
        if rows[0].signature == SENT[40][1]:
            os.kill(pool.workers[0].process.pid, signal.SIGKILL)
        return request

    helped.service._intake._ask = ask_and_kill  # type: ignore[assignment]
    for desk in (alone, helped):
        await desk.open_venue()
    assert await served(helped, *SENT) == await served(alone, *SENT)
    assert helped.root == alone.root
    assert pool.ended and helped.signers.known.misses >= len(SENT) - 40


async def test_a_forged_signature_is_looked_up_and_refused_like_any_other() -> None:
    desk = Desk(signers=signers(DOMAIN, 1))
    assert desk.signers is not None
    await desk.open_venue()
    before = desk.signers.known.misses
    (tx, _), (_, other) = order("alice", 1), order("alice", 2)
    forged = [(tx, signature) for signature in (bytes(64), other, b"\xff" * 64)]
    assert await served(desk, *forged) == [Status.BAD_SIGNATURE] * 3
    assert (desk.signers.known.hits, desk.signers.known.misses) == (3, before)


async def test_nothing_overtakes_an_order_whose_signer_is_not_known_yet() -> None:
    desk = Desk()
    await desk.open_venue()
    asked = [Request(1), Request(1)]
    intake = desk.service.engine.intake
    remaining = iter(asked)
    intake._ask = lambda _: next(remaining)
    first, second = (intake.put(*order("alice", at)) for at in (1, 2))
    asked[1].add({})
    await desk.service.engine.cycle()
    assert not intake.is_ready and not first.answer.done() and not second.answer.done()
    asked[0].add({})
    await desk.service.engine.cycle()
    assert first.answer.result().status == second.answer.result().status == Status.OK


async def test_a_group_is_full_only_of_orders_whose_signers_are_known() -> None:
    desk = Desk()
    await desk.open_venue()
    asked = [Request(1) for _ in range(4)]
    intake = desk.service.engine.intake
    remaining = iter(asked)
    intake._ask = lambda _: next(remaining)
    for at in range(1, 5):
        intake.put(*order("alice", at))
    asked[0].add({})
    asked[2].add({})
    assert intake.fills(1) and not intake.fills(2), "the third waits behind the second"
    asked[1].add({})
    assert intake.fills(3) and not intake.fills(4)
    assert len(intake.take(4)) == 3 and not intake.fills(1)
