"""Fills over a WebSocket: numbered without gaps, filtered, and never served with holes."""

import asyncio
import socket as tcp
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from builders import DOLLAR, NOW, Venue, key, listing
from rpc_world import Follower, Rpc, Sequencer, running

from node.rpc import wire
from node.rpc.server import RpcConfig
from node.rpc.streams.hub import Hub
from node.rpc.subscriptions import OUR_FAULT, SLOW_READER, SUBSCRIPTIONS_MAX
from node.view import Executed
from state.execution import Receipt
from state.status import Status
from state.store import Fill
from state.transactions import SignedPrice

ALICE, BOB, CAROL = 1 << 8, 2 << 8, 3 << 8


def two_markets() -> Sequencer:
    eth = listing(1, symbol=b"ETH-USD-PERP")
    node = Sequencer(Venue(markets=(listing(), eth)))
    for name in ("alice", "bob", "carol"):
        node.venue.open(name, 10_000)
    return node


def fill(lots: int = 1, *, market: int = 0, taker: int = ALICE, maker: int = BOB) -> Fill:
    return Fill(
        market=market,
        taker_side=0,
        ticks=500_000,
        price=50_000_000,
        lots=lots,
        taker=taker,
        maker=maker,
        taker_fee=DOLLAR,
        maker_fee=1,
        taker_order=(0, 7),
        maker_order=(3, 9),
    )


def publish(node: Follower, *fills: Fill) -> None:
    """Each in an update of its own."""
    for one in fills:
        receipt = Receipt(Status.OK, (one,), 1)
        node.tell(Executed(batch=5, time=NOW, receipt=receipt, tx=SignedPrice(0, 1, NOW)))


class Socket:
    """A WebSocket that asks and listens."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def ask(self, method: str, **params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        await self.socket.send_str(wire.encode(request).decode())
        return await self.heard()

    async def subscribe(self, **params: Any) -> str:
        """To fills; the snapshot comes at once."""
        name = (await self.ask("venue_subscribe", channel="fills", **params))["result"]
        assert isinstance(name, str)
        snapshot = await self.notice("snapshot")
        assert (snapshot["subscription"], snapshot["sequence"]) == (name, 1)
        return name

    async def heard(self) -> Any:
        return await self.socket.receive_json(timeout=30)

    async def notice(self, kind: str = "delta") -> Any:
        message = await self.heard()
        assert message["method"] == "venue_subscription" and "id" not in message
        assert message["params"]["type"] == kind
        return message["params"]

    async def fill(self) -> Any:
        """The one fill of the next delta, with the notice's own numbers."""
        notice = await self.notice()
        (told,) = notice["data"]["fills"]
        return told | {name: notice[name] for name in ("subscription", "sequence")}


@asynccontextmanager
async def connected(
    node: Follower, config: RpcConfig | None = None
) -> AsyncIterator[tuple[Rpc, Socket]]:
    async with running(node, config) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        yield rpc, Socket(socket)


async def test_a_fill_is_told_in_full() -> None:
    node = two_markets()
    async with connected(node) as (_, socket):
        name = await socket.subscribe()
        publish(node, fill(30, market=1))
        assert await socket.fill() == {
            "subscription": name,
            "sequence": 2,
            "number": 1,
            "batch": 5,
            "time": NOW,
            "fill": {
                "market": 1,
                "symbol": "ETH-USD-PERP",
                "side": "buy",
                "price": "50000",
                "size": "0.00003",
                "ticks": 500_000,
                "lots": 30,
                "taker": ALICE,
                "maker": BOB,
                "takerOrder": {"epoch": 0, "sequence": "7"},
                "makerOrder": {"epoch": 3, "sequence": "9"},
                "takerFee": "1",
                "makerFee": "0.000000001",
                "block": False,
            },
        }


async def test_numbers_have_no_gaps_whatever_the_filter() -> None:
    node = two_markets()
    publish(node, fill())
    async with connected(node) as (_, socket):
        wanted = {
            await socket.subscribe(): [2, 3, 4, 5, 6],
            await socket.subscribe(market="ETH-USD-PERP"): [3, 6],
            await socket.subscribe(account=CAROL): [4, 6],
            await socket.subscribe(account=CAROL, market=1): [6],
            await socket.subscribe(account=ALICE): [2, 3, 4],
        }
        publish(node, fill(), fill(market=1), fill(maker=CAROL), fill(taker=BOB, maker=BOB))
        publish(node, fill(taker=CAROL, market=1))
        heard: dict[str, list[Any]] = {name: [] for name in wanted}
        for _ in range(sum(map(len, wanted.values()))):
            notice = await socket.fill()
            heard[notice["subscription"]].append(notice)
    for name, numbers in wanted.items():
        assert [notice["number"] for notice in heard[name]] == numbers
        assert [notice["sequence"] for notice in heard[name]] == list(range(2, len(numbers) + 2))


async def test_what_was_traded_after_the_reply_is_never_missed() -> None:
    """The first fill is made by the very request that follows the subscription."""
    node = two_markets()
    async with connected(node) as (rpc, socket):
        await socket.subscribe()
        node.venue.sell("bob", 5, 500_000)
        order: dict[str, Any] = {"account": ALICE, "market": 0, "side": "buy"}
        await rpc.client.sign_and_submit_order(
            key("alice").private, **order, size="0.000005", price="50000"
        )
        notice = await socket.fill()
    assert (notice["number"], notice["fill"]["lots"], notice["batch"]) == (1, 5, 1)


async def test_unsubscribing_ends_it() -> None:
    node = two_markets()
    async with connected(node) as (_, socket):
        first, second = await socket.subscribe(), await socket.subscribe()
        assert (await socket.ask("venue_unsubscribe", subscription=first))["result"] is True
        publish(node, fill())
        assert (await socket.notice())["subscription"] == second
        for name in (first, "0x99", ""):
            assert (await socket.ask("venue_unsubscribe", subscription=name))["result"] is False


async def test_another_connections_subscription_is_not_ours_to_end() -> None:
    node = two_markets()
    async with connected(node) as (rpc, socket), rpc.session.ws_connect(rpc.server.url) as other:
        name = await socket.subscribe()
        reply = await Socket(other).ask("venue_unsubscribe", subscription=name)
        assert reply["result"] is False


async def test_a_connection_that_ends_takes_its_subscriptions_along() -> None:
    node = two_markets()
    async with running(node) as rpc:
        async with rpc.session.ws_connect(rpc.server.url) as socket:
            await Socket(socket).subscribe()
        # Each of these is answered after the server has seen the connection go.
        async with rpc.session.ws_connect(rpc.server.url) as other:
            await Socket(other).subscribe()
            publish(node, fill())
            assert (await Socket(other).notice())["sequence"] == 2
    assert readers(node) == 0


def hub_of(node: Follower) -> Hub:
    (listener,) = node.updates._listeners
    hub = listener.__self__  # type: ignore[attr-defined]
    assert isinstance(hub, Hub)
    return hub


def readers(node: Follower) -> int:
    """Whether anybody listens to the node: one hub does for all."""
    return len(node.updates._listeners)


async def test_subscriptions_need_a_websocket() -> None:
    async with running(two_markets()) as rpc:
        error = await rpc.error("venue_subscribe", channel="fills")
        assert (error["code"], error["data"]["reason"]) == (2003, "needs_websocket")
        assert await rpc.result("venue_unsubscribe", subscription="0x1") is False


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"channel": "gossip"}, "unknown_value"),
        ({"channel": "trades"}, "missing_field"),
        ({"channel": "candles", "market": 0}, "missing_field"),
        ({"channel": "candles", "market": 0, "interval": "2m"}, "unknown_value"),
        ({"channel": "candles", "market": 9, "interval": "1m"}, "unknown_market"),
        ({"channel": "orders"}, "missing_field"),
        ({"channel": "account", "account": 77}, "unknown_account"),
        ({"channel": "book", "market": 0, "account": ALICE}, "unknown_field"),
        ({"channel": "batches", "market": 0}, "unknown_field"),
        ({"channel": "bbo", "market": 0, "interval": "1m"}, "unknown_field"),
        ({}, "missing_field"),
        ({"channel": "fills", "market": "DOGE"}, "unknown_market"),
        ({"channel": "fills", "account": 77}, "unknown_account"),
        ({"channel": "fills", "account": 1.5}, "float_not_exact"),
        ({"channel": "fills", "depth": 5}, "unknown_field"),
    ],
)
async def test_a_subscription_that_cannot_be_meant_is_refused(
    params: dict[str, Any], reason: str
) -> None:
    node = two_markets()
    async with connected(node) as (_, socket):
        reply = await socket.ask("venue_subscribe", **params)
    assert reply["error"]["data"]["reason"] == reason
    assert readers(node) == 0


async def test_a_connection_has_only_so_many_subscriptions() -> None:
    async with connected(two_markets()) as (_, socket):
        for _ in range(SUBSCRIPTIONS_MAX):
            last = await socket.subscribe()
        reply = await socket.ask("venue_subscribe", channel="fills")
        assert reply["error"]["code"] == -32005
        assert reply["error"]["data"]["reason"] == "too_many_subscriptions"
        await socket.ask("venue_unsubscribe", subscription=last)
        await socket.subscribe()


async def test_a_reader_who_falls_behind_is_told_why_it_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, send, gate = two_markets(), web.WebSocketResponse.send_str, asyncio.Event()

    async def slow(self: web.WebSocketResponse, *args: Any) -> None:
        await gate.wait()
        await send(self, *args)

    async with connected(node, RpcConfig(notices_max=3)) as (_, socket):
        await socket.subscribe()
        monkeypatch.setattr(web.WebSocketResponse, "send_str", slow)
        publish(node, *[fill(lots) for lots in range(1, 7)])
        while readers(node):
            await asyncio.sleep(0)
        gate.set()
        heard = []
        while (message := await socket.socket.receive()).type == aiohttp.WSMsgType.TEXT:
            heard.append(message.json()["params"]["sequence"])
        assert heard == [2], "what was on its way"
        assert message.type == aiohttp.WSMsgType.CLOSE
        assert (message.data, socket.socket.close_code) == (1013, 1013)
        assert message.extra == SLOW_READER.decode()


async def test_a_fill_that_cannot_be_told_ends_the_stream_for_all_to_see() -> None:
    """L1 took back the listing of a market whose fill was still waiting to be told."""
    node = two_markets()
    async with connected(node) as (_, socket):
        await socket.subscribe(market="ETH-USD-PERP")
        del node.state.markets[1]
        publish(node, fill(market=1))
        message = await socket.socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1011)
        assert message.extra == OUR_FAULT.decode()
    assert readers(node) == 0


async def test_a_reader_who_reads_nothing_does_not_hold_up_the_others() -> None:
    """Its window fills up, a send waits too long, and the connection is cut."""
    node = two_markets()
    async with connected(node, RpcConfig(send_seconds=0.5)) as (rpc, good):
        await good.subscribe()
        stuck, writer = await _stuck_reader(rpc)
        number = 0
        while hub_of(node).readers == 2:
            publish(node, *[fill() for _ in range(100)])
            for _ in range(100):
                number += 1
                assert (await good.fill())["number"] == number
        await _end_of(stuck)
        publish(node, fill())
        assert (await good.fill())["sequence"] == number + 2
        writer.transport.abort()


async def _end_of(reader: asyncio.StreamReader) -> None:
    """Returns when the other side has cut the connection."""
    with suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(65_536), 30):
            pass


async def _stuck_reader(rpc: Rpc) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket client, by hand, that subscribes and then never reads."""
    # A small window, or the kernel takes megabytes on the reader's behalf.
    plug = tcp.socket()
    plug.setsockopt(tcp.SOL_SOCKET, tcp.SO_RCVBUF, 4_096)
    plug.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", rpc.server.port))
    reader, writer = await asyncio.open_connection(sock=plug, limit=1_024)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    request = b'{"jsonrpc":"2.0","id":1,"method":"venue_subscribe","params":["fills"]}'
    writer.write(b"\x81" + bytes([0x80 | len(request)]) + bytes(4) + request)
    assert b"0x1" in await reader.readuntil(b"}")
    return reader, writer
