"""The client without `await`: the same methods, from any thread."""

import asyncio
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

import pytest
from builders import DOMAIN, NOW, Venue, key, listing
from cli_world import Background
from fake_clock import FakeClock
from rpc_world import Sequencer

from node.client import (
    Book,
    Client,
    ClientClosed,
    Notice,
    SyncClient,
    SyncTrader,
    Trader,
    VenueError,
)
from node.rpc.server import RunningServer, serve

ALICE = 1 << 8
ELSEWHERE = {"fills"}
"""`watch_fills` is the form that mends itself."""


@contextmanager
def trading() -> Iterator[tuple[Sequencer, SyncClient]]:
    node = Sequencer(Venue(markets=(listing(),)))
    node.venue.open("alice", 10_000)
    background = Background()
    try:
        server = background.run(serve_at_now(node))
        with SyncClient(server.url, domain=DOMAIN, clock=FakeClock(NOW)) as client:
            yield node, client
        background.run(server.close())
    finally:
        background.close()


async def serve_at_now(node: Sequencer) -> RunningServer:
    return await serve(node, clock=FakeClock(NOW))


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_both_forms_have_the_same_methods_with_the_same_signatures() -> None:
    for awaited, plain in ((Client, SyncClient), (Trader, SyncTrader)):
        assert public(plain) == public(awaited) - ELSEWHERE
        for name in public(plain):
            theirs, ours = inspect.getattr_static(awaited, name), getattr(plain, name)
            if isinstance(theirs, property) or name == "close":
                continue
            found, expected = inspect.signature(ours), inspect.signature(theirs)
            assert found.parameters == expected.parameters, name


def test_a_trader_trades_and_errors_are_raised_here() -> None:
    with trading() as (_, client):
        trader = client.trader(key("alice").private)
        assert (trader.account, trader.key_epoch) == (ALICE, 0)
        assert trader.address == key("alice").address
        receipt = trader.place(0, "buy", "0.001", price="49000")
        assert receipt.order is not None and receipt.resting_lots == 1_000
        assert client.book(0).best_bid is not None
        with trader.cancel_on_disconnect() as standing:
            assert standing.armed
        with pytest.raises(VenueError, match="unknown_market"):
            client.market("DOGE")
        assert client.request("venue_markets")[0]["symbol"] == "BTC-USD-PERP"
        assert client.draft_cancel(ALICE, receipt.order, sequence=9).sequence == 9
    assert "tallystick-client" not in {thread.name for thread in threading.enumerate()}


def test_threads_share_a_trader_and_no_number_is_used_twice() -> None:
    with trading() as (_, client), ThreadPoolExecutor(8) as threads:
        trader = client.trader(key("alice").private)
        prices = [str(48_000 + place) for place in range(16)]
        found = list(
            threads.map(lambda price: trader.place(0, "buy", "0.001", price=price), prices)
        )
        assert sorted(int(one.order.sequence) for one in found if one.order) == list(range(1, 17))
        assert len(trader.summary().orders) == 16


def test_streams_are_plain_iterators() -> None:
    with trading() as (_, client):
        trader, book = client.trader(key("alice").private), Book()
        with client.watch_book(0) as stream:
            for place in range(3):
                trader.place(0, "buy", "0.001", price=str(48_000 + place))
            for event in islice(stream, 4):
                assert isinstance(event, Notice)
                book.take(event)
        assert [level.price for level in book.bids] == ["48002", "48001", "48000"]


def test_a_thread_that_waits_is_told_when_another_closes_the_client() -> None:
    with trading() as (_, client), ThreadPoolExecutor(2) as threads, client.watch_book(0) as stream:
        assert isinstance(next(iter(stream)), Notice)
        waiting = threads.submit(next, iter(stream))
        stuck = threads.submit(client.loop.run, asyncio.sleep(600))
        client.close()
        for one in (waiting, stuck):
            with pytest.raises(ClientClosed, match="make another one"):
                one.result()
        client.close()
        for call in (client.status, lambda: client.trader(key("alice").private)):
            with pytest.raises(ClientClosed):
                call()


def test_threads_close_a_client_once() -> None:
    with trading() as (_, client), ThreadPoolExecutor(4) as threads:
        client.status()
        closing = [threads.submit(client.close) for _ in range(4)]
        assert [one.result() for one in closing] == [None] * 4


def test_a_program_that_ends_without_closing_ends_quietly() -> None:
    with trading() as (_, client):
        url = client.inner._channel.url
        program = f"""
from node.client import SyncClient
client = SyncClient({url!r})
print(client.markets()[0].symbol)
"""
        done = subprocess.run(
            [sys.executable, "-P", "-W", "default", "-c", program],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "BTC-USD-PERP\n", "")
