"""What streams cost the node: nothing twice, nothing for who left, and bounded for who is slow."""

import asyncio
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from builders import NOW, Venue
from fake_clock import TickingClock
from rpc_world import Follower, running
from stream_reader import Listener, settled

from node.rpc import wire
from node.rpc.server import RpcConfig
from node.rpc.streams import accounts as account_streams
from node.rpc.streams.book import BestTopic, BookTopic
from node.rpc.streams.hub import Hub
from node.rpc.streams.topic import Wanted
from node.rpc.subscriptions import SLOW_READER
from node.rpc.views import accounts
from node.view import UpdateFeed
from state.orders import BUY, Flags, encode_flags
from state.transactions import Header, NewOrder

ALICE = 1 << 8


def traded() -> Follower:
    """Alice has bought 10 lots of Bob, and has two more orders in the book."""
    node = Follower(Venue())
    for name in ("alice", "bob"):
        node.venue.open(name, 10_000)
    node.venue.sell("bob", 10, 500_000)
    node.venue.buy("alice", 10, 500_000)
    for ticks in (490_000, 480_000):
        node.venue.buy("alice", 5, ticks)
    return node


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[str]:
    """Grows with every call of `name`."""
    calls, original = list[str](), getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(name)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, call)
    return calls


def watching(node: Follower) -> Listener:
    return Listener(Hub(node, TickingClock()))


async def test_an_image_is_made_once_until_something_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, made = traded(), counted(monkeypatch, BookTopic, "image")
    listener = watching(node)
    first = [listener.subscribe(Wanted("book", market=0)) for _ in range(10)]
    node.venue.buy("alice", 5, 470_000)
    second = [listener.subscribe(Wanted("book", market=0)) for _ in range(10)]
    await settled(listener.hub)
    assert len(made) == 2
    for kept in first + second:
        kept.check(node)
    assert ({kept.deltas for kept in first}, {kept.deltas for kept in second}) == ({1}, {0})


async def test_nothing_is_encoded_for_who_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = watching(traded())
    kept = listener.subscribe(Wanted("trades", market=0))
    await settled(listener.hub)
    encoded = counted(monkeypatch, wire, "encode")
    for _ in range(10):
        listener.subscribe(Wanted("book", market=0))
        listener.unsubscribe(list(listener.kept)[-1])
    await settled(listener.hub)
    assert (encoded, kept.sequence) == ([], 1)


async def test_a_mark_that_moves_reads_nobodys_orders_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = traded()
    listener = watching(node)
    kept = listener.subscribe(Wanted("account", account=ALICE))
    read = counted(monkeypatch, accounts, "open_order")
    valued = counted(monkeypatch, account_streams, "revalued")
    node.venue.price(51_000_000)
    await settled(listener.hub)
    assert (read, len(valued), kept.deltas) == ([], 1, 1)
    kept.check(node)
    node.venue.buy("alice", 5, 470_000)
    await settled(listener.hub)
    assert len(kept.data["orders"]) == 3
    kept.check(node)


async def test_best_prices_are_looked_at_when_orders_or_the_time_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = traded()
    node.venue.buy("bob", 5, 495_000, expiry=NOW + 10)
    listener = watching(node)
    kept = listener.subscribe(Wanted("bbo", market=0))
    looked = counted(monkeypatch, BestTopic, "_now")
    flags = encode_flags(Flags(BUY))
    node.venue.send("bob", NewOrder(2 << 8, 0, 10**6, 0, flags, 490_000, 10**12, NOW + 60))
    assert looked == [], "it was refused"
    node.venue.run(Header(NOW + 11))
    node.venue.price(50_000_000)
    await settled(listener.hub)
    assert looked
    assert kept.data["bid"]["ticks"] == 490_000, "the best one has run out"
    kept.check(node)


async def test_who_comes_while_something_waits_for_the_disk_is_not_told_its_time() -> None:
    node, behind = traded(), [False]
    node.updates = UpdateFeed(is_behind=lambda: behind[0])
    heard: list[Any] = []

    class Reader(Listener):
        def hand_on(self, notice: str) -> None:
            heard.append(msgspec.json.decode(notice)["params"])
            super().hand_on(notice)

    listener = Reader(Hub(node, TickingClock()))
    listener.subscribe(Wanted("trades", market=0))
    behind[0] = True
    node.state.machine.time += 5
    listener.subscribe(Wanted("trades", market=0))
    await settled(listener.hub)
    behind[0] = False
    node.venue.buy("alice", 5, 470_000)
    listener.subscribe(Wanted("trades", market=0))
    await settled(listener.hub)
    assert [notice["time"] for notice in heard] == [NOW, NOW, NOW + 5]


async def test_a_reader_for_whom_too_many_bytes_wait_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first is on its way, the second waits however large it is, the third is too much."""
    node, send, gate = traded(), web.WebSocketResponse.send_str, asyncio.Event()

    async def slow(self: web.WebSocketResponse, *arguments: Any) -> None:
        await gate.wait()
        await send(self, *arguments)

    config = RpcConfig(notice_bytes_max=10)
    async with running(node, config) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        request = {"jsonrpc": "2.0", "id": 1, "method": "venue_subscribe"}
        params = {"channel": "account", "account": ALICE}
        await socket.send_bytes(wire.encode(request | {"params": params}))
        assert (await socket.receive_json(timeout=30))["id"] == 1
        assert (await socket.receive_json(timeout=30))["params"]["type"] == "snapshot"
        monkeypatch.setattr(web.WebSocketResponse, "send_str", slow)
        for sent in range(3):
            assert node.updates._listeners, sent
            node.venue.price(50_000_000 + sent)
            for _ in range(50):
                await asyncio.sleep(0)
        assert not node.updates._listeners
        gate.set()
        heard = []
        while (message := await socket.receive(timeout=30)).type == aiohttp.WSMsgType.TEXT:
            heard.append(message.json()["params"]["sequence"])
        assert heard == [2]
        assert (message.data, message.extra) == (1013, SLOW_READER.decode())
