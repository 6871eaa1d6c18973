"""Updates: whoever reads only what they name has the venue, and hears of all that ran."""

import os
from typing import Any

import pytest
from disturbed_client import FINALITY, Client
from mirror import Mirror
from service_world import Desk

from node.view import Executed
from prover.replay import Replayer
from state.orders import BUY, SELL, Life
from state.transactions import Header

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else range(1, 6)


def brief(ran: Executed) -> tuple[Any, ...]:
    receipt = ran.receipt
    return ran.batch, ran.time, ran.tx, ran.item, receipt.status, receipt.fills, receipt.steps


async def test_nothing_is_told_before_it_is_on_disk() -> None:
    desk = Desk()
    await desk.open_venue()
    mirror, updates = Mirror(desk.service.updates, desk.service.state), desk.service.updates
    seen: list[int] = []
    sync = desk.history.journal.sync

    def watched() -> None:
        seen.append(updates.last)
        sync()

    desk.history.journal.sync = watched  # type: ignore[method-assign]
    before = updates.last
    await desk.orders("alice", 1, 2)
    assert seen == [before] and updates.last == before + 1
    mirror.read(desk.service.state)
    assert len(mirror.told) == 2


async def test_a_cycle_in_which_nothing_happens_tells_nothing() -> None:
    desk = Desk()
    await desk.open_venue()
    before = desk.service.updates.last
    await desk.service.engine.cycle()
    await desk.look()
    assert desk.service.updates.last == before


async def test_inbox_items_prices_and_refusals_are_told() -> None:
    desk = Desk()
    mirror = Mirror(desk.service.updates, desk.service.state)
    await desk.open_venue()
    await desk.orders("alice", 1, 1, 2, lots=10**9)
    mirror.read(desk.service.state)
    items = [ran.item for ran in mirror.told if ran.item is not None]
    assert [item.index for item in items] == list(range(5))
    transactions = [type(ran.tx).__name__ for ran in mirror.told if ran.tx is not None]
    assert transactions == ["SignedPrice", "NewOrder", "NewOrder"], "the used number left no trace"
    assert all((ran.tx is None) is not (ran.item is None) for ran in mirror.told)


async def test_a_killed_order_leaves_no_fill_and_the_copy_agrees() -> None:
    desk = Desk()
    mirror = Mirror(desk.service.updates, desk.service.state)
    await desk.open_venue()
    await desk.orders("alice", 1, side=SELL, lots=3)
    await desk.orders("bob", 1, side=BUY, lots=5, life=Life.FOK)
    mirror.read(desk.service.state)
    assert mirror.told[-1].receipt.fills == () and desk.service.fills.last == 0
    await desk.settle()
    replayer, *_ = desk.l1.follow()
    assert replayer.commitment().state_root == desk.root
    assert sum(record.fills for record in desk.history.records) == 0


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_reader_of_updates_has_the_venue_whatever_happens(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders, deposits, posted damage, forced batches, reorganisations and restarts."""
    followed: list[Executed] = []
    apply = Replayer.apply

    def keeping(self: Replayer, derived: Any) -> Any:
        replayed = apply(self, derived)
        followed.extend(
            Executed(
                batch=replayed.output.batch, time=r.time, receipt=r.receipt, tx=r.tx, item=r.item
            )
            for r in replayed.ran
            if not isinstance(r.tx, Header)
        )
        return replayed

    desk = Desk(backlog_max=8, group_max=8)
    desk.l1.finality = FINALITY
    mirror = Mirror(desk.service.updates, desk.service.state)
    await desk.open_venue()
    client, rewinds = Client(seed, desk), 0
    for _ in range(60):
        await client.random.choice([client.send, client.send, client.disturb])()
        if desk.service.updates is not mirror.updates:
            # Another process began, from the journal.
            rewinds += mirror.rewinds
            mirror = Mirror(
                desk.service.updates, desk.service.state, desk.history.sequencer.number + 1
            )
        mirror.read(desk.service.state)
    desk.poster.corrupt = None
    await desk.settle()
    mirror.read(desk.service.state)
    monkeypatch.setattr(Replayer, "apply", keeping)
    desk.l1.follow()
    since = mirror.batch
    assert [brief(ran) for ran in mirror.told if ran.batch > since] == [
        brief(ran) for ran in followed if ran.batch > since
    ], f"seed {seed}"
    assert rewinds + mirror.rewinds > 0 or "TALLYSTICK_SEED" in os.environ


async def test_fills_have_the_number_that_every_node_gives_them() -> None:
    desk = Desk()
    await desk.open_venue()
    queue = desk.service.fills.subscribe()
    for sequence in range(1, 4):
        await desk.orders("alice", sequence, side=SELL, lots=2)
        await desk.orders("bob", sequence, side=BUY, lots=2)
        await desk.seal()
    desk.restart()
    later = desk.service.fills.subscribe()
    await desk.look()
    await desk.price()
    await desk.orders("carol", 1, side=SELL, lots=1)
    await desk.orders("dave", 1, side=BUY, lots=1)
    told = [queue.get_nowait(), queue.get_nowait(), queue.get_nowait(), later.get_nowait()]
    assert [event.number for event in told if event is not None] == [1, 2, 3, 4]
