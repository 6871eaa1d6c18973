"""Streams of real nodes: a sequencer over a socket, a follower through L1's change of mind."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from fake_clock import TickingClock
from following import catch_up, following
from l1_venue import L1Venue, l1_venue
from service_world import Desk
from stream_reader import Kept, Listener, settled

from node.rpc import wire
from node.rpc.server import serve
from node.rpc.streams.hub import Hub
from node.rpc.streams.topic import Wanted
from state.orders import BUY, SELL

ALICE, BOB = 1 << 8, 2 << 8
LAST = 499_000
"""The price of the last order: whoever hears of it has heard of all before."""


class Socket:
    """A WebSocket whose notifications go to what keeps them, between the replies."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.kept: dict[str, Kept] = {}

    async def ask(self, method: str, **params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        await self.socket.send_str(wire.encode(request).decode())
        while "result" not in (message := await self.socket.receive_json(timeout=30)):
            self.take(message)
        return message["result"]

    async def subscribe(self, channel: str, **params: Any) -> Kept:
        name = await self.ask("venue_subscribe", channel=channel, **params)
        wanted = Wanted(channel, params.get("market"), params.get("account"))
        self.kept[name] = Kept(wanted)
        return self.kept[name]

    async def hear(self) -> None:
        self.take(await self.socket.receive_json(timeout=30))

    def take(self, message: dict[str, Any]) -> None:
        self.kept[message["params"]["subscription"]].take(message["params"])


async def test_a_book_kept_from_a_sequencers_stream_is_its_book() -> None:
    """Two readers of one connection, the second in the middle of it all."""
    random, desk = Random(8), Desk()  # noqa: S311  (a seed must reproduce a failure)
    await desk.open_venue()
    server = await serve(desk.service, port=0, clock=desk.clock)
    async with aiohttp.ClientSession() as session, session.ws_connect(server.url) as connected:
        socket = Socket(connected)
        books = [await socket.subscribe("book", market=0)]
        for sequence in range(1, 40):
            if sequence == 20:
                books.append(await socket.subscribe("book", market=0))
                orders = await socket.subscribe("orders", account=ALICE)
            for name in ("alice", "bob"):
                terms = {"ticks": 500_000 + random.randint(-4, 4), "lots": random.randint(1, 9)}
                await desk.orders(name, sequence, side=random.choice((BUY, SELL)), **terms)
        await desk.orders("carol", 1, ticks=LAST, lots=7)
        while not all(("bids", LAST) in book.levels for book in books):
            await socket.hear()
        whole = await socket.ask("venue_book", market=0, depth=200)
        for book in books:
            for side in ("bids", "asks"):
                told = {level["ticks"]: level for level in whole[side]}
                assert {t: level for (of, t), level in book.levels.items() if of == side} == told
        assert len(whole["bids"]) + len(whole["asks"]) > 4 and books[0].deltas > books[1].deltas
        orders.check(desk.service)
    await server.close()


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


async def test_a_followers_streams_go_back_with_l1(venue: L1Venue, tmp_path: Path) -> None:
    await venue.fund()
    await venue.trading_day()
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        hub = Hub(follower, TickingClock())
        listener = Listener(hub)
        alice = venue.numbers["alice"]
        kept = [
            listener.subscribe(wanted)
            for wanted in (
                *(Wanted("book", market=0), Wanted("bbo", market=0), Wanted("trades", market=0)),
                Wanted("candles", market=0, interval="5m"),
                *(Wanted(channel, account=alice) for channel in ("account", "orders", "fills")),
            )
        ]
        await settled(hub)
        snapshot = await venue.snapshot()
        now = await venue.now()
        rows = [*venue.opening(now), *venue.trade(now, 7)]
        await venue.post([[*rows, venue.order("alice", BUY, 9, now, ticks=LAST)]])
        await catch_up(follower)
        await settled(hub)
        for each in kept:
            assert (each.deltas, each.rewinds) == (1, 0), each.wanted
            each.check(follower)
        await venue.revert(snapshot)
        await venue.mine(blocks=40)
        await catch_up(follower)
        await settled(hub)
        assert follower.heads.unsafe == 1 and listener.failures == 0
        for each in kept:
            assert (each.deltas, each.rewinds) == (1, 1), each.wanted
            each.check(follower)
        for name in list(listener.kept):
            listener.unsubscribe(name)
        assert hub.readers == 0
