"""Streams: who applies the snapshot and every delta has the venue, whatever happens to it."""

import os
from random import Random
from typing import Any

import pytest
from builders import key, sign_transaction
from disturbed_client import FINALITY, Client
from fake_clock import TickingClock
from sequenced_world import NAMES, order
from service_world import Desk
from stream_reader import Kept, Listener, settled

from node.rpc import wire
from node.rpc.streams.book import BestTopic
from node.rpc.streams.hub import Hub
from node.rpc.streams.results import BookLevels
from node.rpc.streams.topic import Wanted
from state.orders import BUY, SELL
from state.status import Status
from state.transactions import NewOrder

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else range(1, 7)
ALICE, BOB = 1 << 8, 2 << 8

EVERYTHING = [
    Wanted("book", market=0),
    Wanted("bbo", market=0),
    Wanted("trades", market=0),
    Wanted("candles", market=0, interval="1m"),
    Wanted("account", account=ALICE),
    Wanted("account", account=BOB),
    Wanted("orders", account=ALICE),
    Wanted("orders", account=BOB),
    Wanted("fills", account=ALICE),
    Wanted("batches"),
]


class Watched:
    """A desk's streams, and a listener that comes and goes as one seed says."""

    def __init__(self, desk: Desk, random: Random) -> None:
        self.desk = desk
        self.random = random
        self.gone: list[Kept] = []
        self.midway = 0
        self.begin()

    def begin(self) -> None:
        """Of a new process."""
        self.service = self.desk.service
        self.clock = TickingClock()
        self.hub = Hub(self.service, self.clock)
        self.listener = Listener(self.hub)
        sync = self.desk.history.journal.sync

        def watched() -> None:
            # The state is ahead of what was told.
            if self.random.random() < 0.5:
                self.midway += self.service.updates.is_behind()
                self.wander()
            sync()

        self.desk.history.journal.sync = watched  # type: ignore[method-assign]

    def wander(self) -> None:
        """Subscribe to something, or end something."""
        listener = self.listener
        if listener.kept and self.random.random() < 0.4:
            name = self.random.choice(list(listener.kept))
            self.gone.append(listener.kept[name])
            listener.unsubscribe(name)
        else:
            listener.subscribe(self.random.choice(EVERYTHING))

    async def check(self) -> None:
        """Everything was told, and is right."""
        if self.service is not self.desk.service:
            self.gone += self.listener.kept.values()
            for name in list(self.listener.kept):
                self.listener.unsubscribe(name)
            self.begin()
        for _ in range(3):
            await settled(self.hub)
            self.clock.tick()
        await settled(self.hub)
        assert not self.service.updates.is_behind()
        assert self.listener.failures == 0
        for kept in self.listener.kept.values():
            kept.check(self.service)


async def test_what_many_readers_are_told_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, made = Desk(), list[str]()
    await desk.open_venue()
    hub = Hub(desk.service, TickingClock())
    listener, encode = Listener(hub), wire.encode

    def counted(value: Any) -> bytes:
        if isinstance(value, BookLevels):
            made.append("changed" if listener.kept["0xc8"].sequence else "whole")
        return encode(value)

    monkeypatch.setattr(wire, "encode", counted)
    readers = [listener.subscribe(Wanted("book", market=0)) for _ in range(200)]
    await desk.orders("alice", 1, 2, lots=3)
    await settled(hub)
    assert made == ["whole", "changed"], "one snapshot, and one group is one notice"
    for kept in readers:
        assert (kept.sequence, kept.deltas) == (2, 1)
        kept.check(desk.service)
    for name in list(listener.kept):
        listener.unsubscribe(name)


async def test_a_node_without_readers_is_not_listened_to() -> None:
    desk = Desk()
    await desk.open_venue()
    hub = Hub(desk.service, TickingClock())
    listener, listeners = Listener(hub), desk.service.updates._listeners
    assert listeners == []
    for wanted in EVERYTHING:
        listener.subscribe(wanted)
    assert len(listeners) == 1
    for name in list(listener.kept):
        listener.unsubscribe(name)
    assert listeners == [] and hub.readers == 0
    await desk.orders("alice", 1)
    assert not hub._jobs
    # And it can begin anew.
    kept = listener.subscribe(EVERYTHING[0])
    await desk.orders("alice", 2)
    await settled(hub)
    kept.check(desk.service)
    assert kept.deltas == 1
    listener.unsubscribe(next(iter(listener.kept)))


async def test_a_topic_that_fails_ends_for_its_readers_and_for_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    await desk.open_venue()
    hub = Hub(desk.service, TickingClock())
    unlucky, lucky = Listener(hub), Listener(hub)
    unlucky.subscribe(Wanted("bbo", market=0))
    kept = lucky.subscribe(Wanted("book", market=0))
    await settled(hub)

    def broken(*_: object) -> None:
        raise KeyError("the market")

    monkeypatch.setattr(BestTopic, "take", broken)
    assert await desk.orders("alice", 1) == [Status.OK], "the sequencer does not notice"
    await settled(hub)
    assert (unlucky.failures, lucky.failures, hub.readers) == (1, 0, 1)
    kept.check(desk.service)
    lucky.unsubscribe("0x1")


async def test_a_snapshot_never_has_what_is_not_on_disk() -> None:
    """Between the execution of a group and its sync nobody is told anything."""
    desk = Desk()
    await desk.open_venue()
    await desk.orders("alice", 1, side=SELL, lots=3)
    hub = Hub(desk.service, TickingClock())
    listener, sync = Listener(hub), desk.history.journal.sync
    told: list[int] = []

    def watched() -> None:
        assert desk.service.updates.is_behind()
        for wanted in EVERYTHING:
            listener.subscribe(wanted)
        told.append(len(hub._jobs))
        sync()

    desk.history.journal.sync = watched  # type: ignore[method-assign]
    await desk.orders("bob", 1, side=BUY, lots=2)
    desk.history.journal.sync = sync  # type: ignore[method-assign]
    await settled(hub)
    assert told == [0]
    for kept in listener.kept.values():
        assert (kept.sequence, kept.deltas) == (1, 0), kept.wanted
        kept.check(desk.service)
    await desk.orders("bob", 2, side=BUY, lots=2)
    await settled(hub)
    for kept in listener.kept.values():
        assert kept.deltas == (kept.wanted.channel != "batches"), kept.wanted
        kept.check(desk.service)
    for name in list(listener.kept):
        listener.unsubscribe(name)


async def short_order(watched: Watched, client: Client) -> None:
    """One that runs out soon, near the others."""
    r, name = client.random, client.random.choice(NAMES)
    client.sequences[name] += 1
    time = watched.desk.service.state.machine.time
    terms = (500_000 + r.randint(-2, 2), r.randint(1, 9), time + r.randint(1, 40))
    whole, _ = order(name, client.sequences[name], side=r.choice((BUY, SELL)))
    assert isinstance(whole, NewOrder)
    tx = NewOrder(whole.account, 0, whole.sequence, 0, whole.flags, *terms)
    client.sent[f"id {len(client.sent)}"] = (tx, sign_transaction(tx, key(name)))
    await client.hand_in(f"id {len(client.sent) - 1}")


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_reader_has_the_venue_whatever_happens_and_whenever_it_came(seed: int) -> None:
    """Orders, expiries, damage on L1, reorganisations, restarts; readers come and go, also
    between the execution of a group and its sync."""
    desk = Desk(backlog_max=8, group_max=8)
    desk.l1.finality = FINALITY
    await desk.open_venue()
    await desk.settle()
    desk.l1.mine(10)
    client = Client(seed, desk)
    watched = Watched(desk, client.random)
    for _ in range(60):
        watched.wander()
        match client.random.randrange(4):
            case 0:
                await client.disturb()
            case 1:
                await short_order(watched, client)
            case _:
                await client.send()
        await watched.check()
    desk.poster.corrupt = None
    await desk.settle()
    await watched.check()
    everybody = [*watched.gone, *watched.listener.kept.values()]
    assert watched.midway > 0 and sum(kept.deltas for kept in everybody) > 100
    assert sum(kept.rewinds for kept in everybody) > 0 or "TALLYSTICK_SEED" in os.environ
    for name in list(watched.listener.kept):
        watched.listener.unsubscribe(name)
    assert watched.service.updates._listeners == [], "nobody is listened for"
