"""Each channel over a real socket: what its snapshot says, and what its deltas add."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from builders import NOW, Venue
from rpc_world import Rpc, Sequencer, running

from node.rpc import wire
from node.rpc.server import RpcConfig
from state.transactions import Header

ALICE, BOB = 1 << 8, 2 << 8
PRICE = 500_000


@pytest.fixture
def node() -> Sequencer:
    node = Sequencer(Venue())
    for name in ("alice", "bob"):
        node.venue.open(name, 10_000)
    node.tell()
    return node


class Stream:
    """A WebSocket with one subscription or more; `subscribe` gives the snapshot's data."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def subscribe(self, channel: str, **params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": "venue_subscribe"}
        body = request | {"params": {"channel": channel, **params}}
        await self.socket.send_str(wire.encode(body).decode())
        name = (await self.socket.receive_json(timeout=30))["result"]
        notice = await self.notice()
        assert (notice["subscription"], notice["sequence"]) == (name, 1)
        assert (notice["channel"], notice["type"]) == (channel, "snapshot")
        return notice["data"]

    async def notice(self) -> Any:
        return (await self.socket.receive_json(timeout=30))["params"]

    async def delta(self) -> Any:
        notice = await self.notice()
        assert notice["type"] == "delta" and notice["sequence"] > 1
        return notice["data"]


@asynccontextmanager
async def streaming(node: Sequencer) -> AsyncIterator[tuple[Rpc, Stream]]:
    async with running(node) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        yield rpc, Stream(socket)


def level(lots: int, orders: int, ticks: int = PRICE) -> dict[str, Any]:
    size = f"{lots / 10**6:.6f}".rstrip("0").rstrip(".") if lots else "0"
    price = str(ticks // 10)
    return {"price": price, "size": size, "ticks": ticks, "lots": str(lots), "orders": orders}


async def test_a_book_is_told_level_by_level(node: Sequencer) -> None:
    node.venue.buy("alice", 10, PRICE - 10)
    node.venue.buy("alice", 20, PRICE - 20)
    async with streaming(node) as (rpc, stream):
        book = await stream.subscribe("book", market="BTC-USD-PERP")
        assert book["bids"] == [level(10, 1, PRICE - 10), level(20, 1, PRICE - 20)]
        assert book["asks"] == []
        node.venue.buy("bob", 5, PRICE - 10)
        assert (await stream.delta())["bids"] == [level(15, 2, PRICE - 10)]
        node.venue.sell("bob", 2, PRICE)
        told = await stream.delta()
        assert (told["bids"], told["asks"]) == ([], [level(2, 1)])
        node.venue.sell("alice", 15, PRICE - 10)
        told = await stream.delta()
        # The first order is alice's own, which her sale cancels.
        assert told["bids"] == [level(0, 0, PRICE - 10)]
        now = await rpc.result("venue_book", market=0)
        assert now["bids"] == [level(20, 1, PRICE - 20)]


async def test_an_order_that_runs_out_leaves_the_stream_when_it_leaves_the_book(
    node: Sequencer,
) -> None:
    async with streaming(node) as (rpc, stream):
        await stream.subscribe("book", market=0)
        await stream.subscribe("bbo", market=0)
        node.venue.buy("alice", 10, PRICE, expiry=NOW + 5)
        assert [(await stream.delta())["symbol"] for _ in range(2)] == ["BTC-USD-PERP"] * 2
        node.venue.run(Header(NOW + 6))
        assert (await stream.delta())["bids"] == [level(0, 0)]
        assert (await stream.delta())["bid"] is None
        node.venue.buy("bob", 1, PRICE - 10)
        left = level(1, 1, PRICE - 10)
        assert (await stream.delta())["bids"] == [left]
        assert (await stream.delta())["bid"] == left
        assert (await rpc.result("venue_book", market=0))["bids"] == [left]


async def test_the_best_prices_are_told_only_when_they_change(node: Sequencer) -> None:
    async with streaming(node) as (_, stream):
        best = await stream.subscribe("bbo", market=0)
        assert (best["bid"], best["ask"]) == (None, None)
        node.venue.buy("alice", 10, PRICE)
        node.venue.buy("alice", 10, PRICE - 1)
        node.venue.sell("bob", 1, PRICE + 1)
        assert (await stream.delta())["bid"] == level(10, 1)
        told = await stream.delta()
        assert (told["bid"], told["ask"]["ticks"]) == (level(10, 1), PRICE + 1)


async def test_trades_and_candles_begin_with_the_past(node: Sequencer) -> None:
    node.venue.sell("bob", 30, PRICE)
    node.venue.buy("alice", 3, PRICE)
    async with streaming(node) as (rpc, stream):
        past = await stream.subscribe("trades", market=0)
        assert [(one["number"], one["lots"], one["side"]) for one in past["trades"]] == [
            (1, 3, "buy")
        ]
        candles = await stream.subscribe("candles", market=0, interval="1m")
        assert [(one["lots"], one["trades"]) for one in candles["candles"]] == [("3", 1)]
        node.venue.run(Header(NOW + 60))
        node.venue.buy("alice", 4, PRICE)
        (trade,) = (await stream.delta())["trades"]
        assert (trade["number"], trade["lots"], trade["block"]) == (2, 4, False)
        assert [trade] == (await rpc.result("venue_trades", market=0, count=1))["trades"]
        (candle,) = (await stream.delta())["candles"]
        assert (candle["start"], candle["lots"]) == ((NOW + 60) // 60 * 60, "4")


async def test_an_account_is_told_when_it_or_its_marks_move(node: Sequencer) -> None:
    async with streaming(node) as (rpc, stream):
        told = await stream.subscribe("account", account=ALICE)
        assert told == await rpc.result("venue_account", account=ALICE)
        node.venue.price(50_100_000)
        node.venue.buy("alice", 10, PRICE)
        told = await stream.delta()
        assert told["orders"][0]["lots"] == 10, "a mark of a market it is not in says nothing"
        node.venue.price(50_200_000)
        told = await stream.delta()
        assert told["margin"]["positions"][0]["mark"]["usd"] == "50200"
        assert told == await rpc.result("venue_account", account=ALICE)


async def test_what_became_of_each_order_is_told(node: Sequencer) -> None:
    async with streaming(node) as (_, stream):
        assert (await stream.subscribe("orders", account=ALICE))["orders"] == []

        async def last() -> tuple[Any, ...]:
            (order,) = (await stream.delta())["orders"]
            names = ("status", "reason", "openLots", "filledLots")
            return tuple(order[name] for name in names)

        node.venue.buy("alice", 10, PRICE)
        assert await last() == ("resting", None, 10, 0)
        reference = node.venue.state.account(ALICE).orders[0]
        node.venue.sell("bob", 4, PRICE)
        assert await last() == ("resting", None, 6, 4)
        node.venue.cancel("alice", reference.sequence)
        assert await last() == ("cancelled", "cancel", 0, 4)


async def test_fills_of_an_account_have_both_sides(node: Sequencer) -> None:
    async with streaming(node) as (_, stream):
        assert (await stream.subscribe("fills", account=ALICE))["fills"] == []
        node.venue.sell("bob", 4, PRICE)
        node.venue.buy("alice", 4, PRICE)
        (told,) = (await stream.delta())["fills"]
        assert (told["number"], told["fill"]["taker"], told["fill"]["maker"]) == (1, ALICE, BOB)


async def test_batches_and_heads_are_told_as_they_move(node: Sequencer) -> None:
    async with streaming(node) as (rpc, stream):
        told = await stream.subscribe("batches")
        heads = {"unsafe": 0, "safe": 0, "finalized": 0, "confirmed": 0, "l1Block": 5}
        assert told == {"heads": heads, "batches": []}
        node.seal()
        told = await stream.delta()
        assert told["heads"] == heads | {"unsafe": 1}
        assert told["batches"] == [await rpc.result("rollup_batch", number=1)]


async def test_readers_of_one_topic_are_told_the_same(node: Sequencer) -> None:
    """Also who came later, and with a name and a count of their own."""
    async with streaming(node) as (rpc, first):
        before = await first.subscribe("book", market=0)
        node.venue.buy("alice", 10, PRICE)
        delta = await first.delta()
        async with rpc.session.ws_connect(rpc.server.url) as socket:
            second = Stream(socket)
            await second.subscribe("bbo", market=0)
            snapshot = await second.subscribe("book", market=0)
            assert snapshot == before | {"bids": delta["bids"]}
            node.venue.buy("alice", 1, PRICE - 1)
            one, other = await first.notice(), await second.notice()
    assert (one.pop("sequence"), other.pop("sequence")) == (3, 2)
    assert (one.pop("subscription"), other.pop("subscription")) == ("0x1", "0x2")
    assert one == other


async def test_what_nobody_takes_is_not_queued_without_end(node: Sequencer) -> None:
    """Even the snapshot is too much for who may have nothing waiting."""
    async with (
        running(node, RpcConfig(notices_max=0)) as rpc,
        rpc.session.ws_connect(rpc.server.url) as socket,
    ):
        request = {"jsonrpc": "2.0", "id": 1, "method": "venue_subscribe", "params": ["batches"]}
        await socket.send_json(request)
        assert (await socket.receive_json(timeout=30))["result"] == "0x1"
        message = await socket.receive(timeout=30)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1013)
