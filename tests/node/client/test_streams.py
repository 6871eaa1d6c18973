"""Streams of the client, against nodes that break every promise, and one that restarts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from builders import DOMAIN, NOW, Venue, listing
from fake_clock import FakeClock
from rpc_world import Sequencer, running
from scripted_node import Script, Spoken, scripted, text_only, wired

from node.client import Book, Break, Client, ClientClosed, Notice, Stream, VenueError
from node.client import trade_stream as numbered
from node.errors import Retry
from node.rpc.server import serve
from node.rpc.streams.results import BookLevels


def node_of_two() -> Sequencer:
    node = Sequencer(Venue(markets=(listing(),)))
    node.venue.open("alice", 10_000)
    node.venue.open("bob", 10_000)
    return node


def client_of(url: str, **options: Any) -> Client:
    return Client(url, domain=DOMAIN, clock=FakeClock(NOW), **options)


def level(ticks: int, orders: int = 1) -> dict[str, Any]:
    size = "0.1" if orders else "0"
    return {"price": str(ticks), "size": size, "ticks": ticks, "lots": orders, "orders": orders}


def levels(*bids: dict[str, Any]) -> dict[str, Any]:
    return {"market": 0, "symbol": "BTC-USD-PERP", "bids": bids, "asks": []}


async def well(spoken: Spoken) -> None:
    """The script of a node that is as it should be."""
    assert await spoken.subscribe() == {"channel": "book", "market": 0}
    await spoken.notice(1, levels(level(7)))
    await spoken.until_left()


@asynccontextmanager
async def watching(
    *scripts: Script, heartbeat_seconds: float = 30.0, autoping: bool = True
) -> AsyncIterator[Stream[BookLevels]]:
    async with (
        scripted(*scripts, autoping=autoping) as url,
        client_of(url, heartbeat_seconds=heartbeat_seconds) as client,
        client.watch_book(0) as stream,
    ):
        yield stream


async def told(stream: Stream[BookLevels]) -> tuple[Break, Book]:
    """The first break, and the book at the first notice after it."""
    book = Book()
    async for event in stream:
        book.take(event)
        assert book.is_current is not isinstance(event, Break)
        if isinstance(event, Break):
            after = await anext(stream)
            assert isinstance(after, Notice) and after.type == "snapshot"
            book.take(after)
            return event, book
    raise AssertionError("a stream does not end")


async def test_a_missing_notice_is_told_and_a_snapshot_follows() -> None:
    async def skips(spoken: Spoken) -> None:
        await spoken.subscribe()
        await spoken.notice(1, levels(level(5)))
        await spoken.notice(3, levels(level(6)))
        await spoken.until_left()

    async with watching(skips, well) as stream:
        broken, book = await told(stream)
    assert broken == Break("gap", "notice 3 came after 1")
    assert [found.ticks for found in book.bids] == [7], "nothing of before the break is left"


async def test_what_is_told_twice_or_to_others_is_taken_once() -> None:
    async def repeats(spoken: Spoken) -> None:
        await spoken.subscribe()
        await spoken.notice(1, levels(level(5)))
        await spoken.notice(2, levels(level(6)))
        await spoken.notice(2, levels(level(6)))
        await spoken.notice(1, levels(level(4)), subscription="0x9")
        await spoken.notice(3, levels(level(5, orders=0)))
        await spoken.until_left()

    async with watching(repeats) as stream:
        events = [await anext(stream) for _ in range(3)]
    book = Book()
    for event in events:
        book.take(event)
    assert [isinstance(event, Notice) and event.sequence for event in events] == [1, 2, 3]
    assert [found.ticks for found in book.bids] == [6]


@pytest.mark.parametrize(
    ("code", "reason"), [(1013, b"too slow"), (1001, b"stopping"), (1011, b"failed"), (1000, b"")]
)
async def test_whatever_closes_a_stream_is_told(code: int, reason: bytes) -> None:
    async def closes(spoken: Spoken) -> None:
        await spoken.subscribe()
        await spoken.notice(1, levels())
        await spoken.socket.close(code=code, message=reason)

    async with watching(closes, well) as stream:
        broken, book = await told(stream)
    assert broken.cause == "closed"
    assert str(code) in broken.detail and reason.decode() in broken.detail
    assert book.best_bid is not None and book.best_bid.ticks == 7


async def test_silence_is_told_too() -> None:
    async with watching(text_only, well, heartbeat_seconds=0.1, autoping=False) as stream:
        broken = await anext(stream)
        assert isinstance(broken, Break) and broken.cause == "silent"
        assert isinstance(await anext(stream), Notice)


@pytest.mark.parametrize("text", ["no json", "{}", '{"params": {"sequence": 1}}', "[" * 9_999])
async def test_what_cannot_be_read_is_a_gap(text: str) -> None:
    async def babbles(spoken: Spoken) -> None:
        await spoken.subscribe()
        await spoken.socket.send_str(text)
        await spoken.until_left()

    async with watching(babbles, well) as stream:
        broken, _ = await told(stream)
    assert broken == Break("gap", "what followed notice 0 cannot be read")


async def test_a_node_that_refuses_for_ever_ends_the_stream() -> None:
    async def closes(spoken: Spoken) -> None:
        await spoken.subscribe()
        await spoken.socket.close(code=1011)

    async def refuses(spoken: Spoken) -> None:
        error = {"code": 2001, "message": "no", "data": {"reason": "unknown_market"}}
        await spoken.reply(await spoken.asked(), error=error)

    async with watching(closes, refuses) as stream:
        assert isinstance(await anext(stream), Break)
        for _ in range(2):
            with pytest.raises(VenueError, match="unknown_market"):
                await anext(stream)


async def test_what_there_is_not_is_refused_on_entering() -> None:
    async with running(node_of_two()) as rpc, client_of(rpc.server.url) as client:
        with pytest.raises(VenueError, match="unknown_market"):
            async with client.watch_book("DOGE"):
                pass
    async with client_of(rpc.server.url) as client:
        with pytest.raises(Retry, match="no WebSocket"):
            async with client.watch_batches():
                pass


async def test_a_book_is_the_nodes_through_a_restart() -> None:
    node = node_of_two()
    server = await serve(node, clock=FakeClock(NOW))
    book = Book()
    async with client_of(server.url) as client, client.watch_book(0) as stream:
        book.take(await anext(stream))
        node.venue.buy("alice", 5, 490_000)
        book.take(await anext(stream))
        assert book.best_bid is not None and book.best_bid.lots == 5 and book.middle is None
        await server.close()
        assert isinstance(broken := await anext(stream), Break)
        assert (broken.cause, book.best_bid.ticks) == ("closed", 490_000)
        node.venue.buy("alice", 6, 489_000)
        node.venue.sell("bob", 7, 510_000)
        server = await serve(node, port=server.port, clock=FakeClock(NOW))
        book.take(await anext(stream))
        shown = await client.book(0)
        assert (book.bids, book.asks) == (shown.bids, shown.asks)
        assert (book.batch, book.time) == (shown.batch, shown.time)
        assert str(book.middle) == "50000"
    await server.close()


# --- trades, which have numbers ---


def trade(node: Sequencer, lots: int) -> None:
    node.venue.sell("bob", lots, 500_000)
    node.venue.buy("alice", lots, 500_000)


async def test_trades_of_an_absence_are_told_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbered, "PAGE", 7)
    node = node_of_two()
    async with (
        running(node) as rpc,
        wired(rpc.server) as (wire, url),
        client_of(url) as client,
        client.watch_trades(0) as stream,
    ):
        assert isinstance(await anext(stream), Notice)
        seen: list[int] = []
        for missed in (1, 70, 0, 3):
            wire.cut()
            for lots in range(1, missed + 1):
                trade(node, lots)
            assert isinstance(await anext(stream), Break)
            event = await anext(stream)
            assert isinstance(event, Notice) and len(event.data.trades) == missed
            trade(node, 9)
            delta = await anext(stream)
            assert isinstance(delta, Notice) and delta.type == "delta"
            seen += [one.number for one in (*event.data.trades, *delta.data.trades)]
    assert seen == list(range(1, 79))


async def test_fills_beyond_the_snapshot_are_not_passed_over_in_silence() -> None:
    node = node_of_two()
    async with (
        running(node) as rpc,
        wired(rpc.server) as (wire, url),
        client_of(url) as client,
        client.watch_fills(account=1 << 8) as stream,
    ):
        assert isinstance(await anext(stream), Notice)
        trade(node, 1)
        await anext(stream)
        for missed, causes in ((40, ["closed"]), (60, ["closed", "forgotten"])):
            wire.cut()
            for lots in range(1, missed + 1):
                trade(node, lots)
            breaks = [await anext(stream) for _ in causes]
            assert ["closed" if one.cause == "silent" else one.cause for one in breaks] == causes  # type: ignore[union-attr]
            event = await anext(stream)
            assert isinstance(event, Notice) and len(event.data.fills) == min(missed, 50)


async def test_another_past_is_told_as_one() -> None:
    """The node went back while nobody listened: its trade 2 is not the one that was told."""
    node, other = node_of_two(), node_of_two()
    for lots in (1, 2):
        trade(node, lots)
    for lots in (1, 3, 4):
        trade(other, lots)
    server = await serve(node, clock=FakeClock(NOW))
    async with client_of(server.url) as client, client.watch_trades(0) as stream:
        assert isinstance(await anext(stream), Notice)
        await server.close()
        server = await serve(other, port=server.port, clock=FakeClock(NOW))
        breaks = [await anext(stream), await anext(stream)]
        event = await anext(stream)
    await server.close()
    assert [one.cause for one in breaks if isinstance(one, Break)] == ["closed", "rewound"]
    assert isinstance(event, Notice)
    assert [one.lots for one in event.data.trades] == [1, 3, 4], "all of it, to begin from"


async def test_a_stream_of_a_closed_client_ends_and_connects_no_more() -> None:
    async with scripted(well) as url, client_of(url) as client:
        async with client.watch_book(0) as stream:
            assert isinstance(await anext(stream), Notice)
            await client.close()
            with pytest.raises(ClientClosed):
                async for event in stream:
                    assert isinstance(event, Break)
        with pytest.raises(ClientClosed):
            await client.status()
