"""The bots: signed prices that the venue takes, and a book that is never empty."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from builders import DOMAIN, NOW, PUBLISHER, Venue, key, listing
from cli_world import open_account
from fake_clock import FakeClock
from rpc_world import Rpc, Sequencer, running

from node.config import BotsConfig
from node.devnet.bots import market_maker
from node.devnet.listings import COINS
from node.devnet.market_maker import MarketMaker
from node.devnet.price_feed import PriceFeed, read_cursor
from node.devnet.prices import PricePath
from node.devnet.quotes import Ladder
from node.errors import Halt, Retry
from node.l1.answers import L1Block
from node.l1.client import L1Client
from state.eip712 import domain
from state.orders import BUY, SELL
from state.transactions import Header

DOLLAR = 10**9
LADDER = Ladder(levels=3, inner=300, step=500, tolerance=400, notional=1_000 * DOLLAR)
PATH = PricePath("", [(50_000_000, 20_000_000, 15_000_000), (51_000_000, 21_000_000, 14_000_000)])


@dataclass
class L1Clock:
    """An L1 that has only a time: block n is one second after block n - 1."""

    head: int = 10
    is_away: bool = False

    async def block_number(self) -> int:
        if self.is_away:
            raise Retry("no answer")
        return self.head

    async def block(self, number: int) -> L1Block:
        return L1Block(number, bytes(32), bytes(32), NOW + number, 0)


@dataclass
class World:
    """A venue in memory with three markets, the feed, and what they share."""

    rpc: Rpc
    node: Sequencer
    l1: L1Clock
    clock: FakeClock
    feed: PriceFeed

    def mark(self, market: int) -> int:
        row = self.node.state.row(market)
        assert row is not None
        return row.mark

    def tick(self) -> None:
        """A block of L1 passes, and the venue has seen it."""
        self.l1.head += 1
        self.node.venue.run(Header(NOW + self.l1.head))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    names = ("BTC", "ETH", "SOL")
    listed = tuple(
        listing(number, symbol=f"{name}-USD-PERP".encode()) for number, name in enumerate(names)
    )
    node, clock, l1 = Sequencer(Venue(markets=listed)), FakeClock(NOW), L1Clock()
    async with running(node, clock=clock) as rpc:
        config = BotsConfig(rpc=rpc.server.url, l1="", cursor=tmp_path / "bots" / "bar")
        feed = PriceFeed(
            config,
            PATH,
            venue=rpc.client,
            l1=cast(L1Client, l1),
            private_key=PUBLISHER.private,
            clock=clock,
        )
        world = World(rpc, node, l1, clock, feed)
        world.tick()
        yield world


async def test_every_market_gets_the_bar_of_the_moment(world: World) -> None:
    assert len(COINS) == 3
    assert await world.feed.publish() == 3
    assert [world.mark(market) for market in range(3)] == list(PATH.bars[0])
    world.clock.advance(1)
    world.tick()
    assert await world.feed.publish() == 3
    assert [world.mark(market) for market in range(3)] == list(PATH.bars[1])


async def test_prices_are_of_a_time_that_the_venue_has_seen(world: World) -> None:
    await world.feed.publish()
    row = world.node.state.row(0)
    assert row is not None and row.time == NOW + world.l1.head - 1 <= world.node.state.machine.time


async def test_the_same_second_twice_is_no_failure(world: World) -> None:
    assert await world.feed.publish() == 3
    assert await world.feed.publish() == 0


async def test_a_stranger_publishes_nothing(world: World) -> None:
    world.feed._private_key = key("stranger").private
    assert await world.feed.publish() == 0
    assert world.mark(0) == 50_000_000


async def test_the_feed_goes_on_where_it_was(world: World) -> None:
    world.clock.advance(7)
    await world.feed.publish()
    assert read_cursor(world.feed.config.cursor) == 7
    again = PriceFeed(
        world.feed.config,
        PATH,
        venue=world.rpc.client,
        l1=cast(L1Client, world.l1),
        private_key=PUBLISHER.private,
        clock=FakeClock(NOW),
    )
    assert again.bar_number == 7


@pytest.mark.parametrize("content", ["", "soon", "-4"])
def test_an_unreadable_cursor_begins_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bar"
    assert read_cursor(path) == 0
    path.write_text(content)
    assert read_cursor(path) == 0


class Enough(Exception):
    """Ends a loop that has no end."""


async def test_an_l1_that_is_away_does_not_end_the_feed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.l1.is_away = True
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        world.l1.is_away = False
        if len(waits) == 2:
            raise Enough

    monkeypatch.setattr(world.clock, "sleep", sleep)
    with pytest.raises(Enough):
        await world.feed.run()
    assert waits == [1.0, 1.0] and world.mark(1) == 20_000_000


async def maker(world: World) -> MarketMaker:
    number = world.node.venue.open("maker", 100_000)
    await world.feed.publish()
    return MarketMaker(
        world.rpc.client, key("maker").private, number, LADDER, FakeClock(NOW + world.l1.head)
    )


def best(world: World, side: int, market: int = 0) -> int | None:
    front = world.node.state.front(market, side)
    return front[0] >> 40 if front else None


async def test_every_book_is_filled_on_both_sides(world: World) -> None:
    bot = await maker(world)
    assert await bot.refresh() == 3 * 2 * LADDER.levels
    for market in range(3):
        book = await world.rpc.client.book(market)
        assert len(book.bids) == len(book.asks) == LADDER.levels
        assert book.best_bid is not None and book.best_ask is not None
        mark = PATH.bars[0][market] // 100
        assert book.best_bid.ticks < mark < book.best_ask.ticks


async def test_quotes_that_fit_are_left_alone(world: World) -> None:
    bot = await maker(world)
    await bot.refresh()
    assert await bot.refresh() == 0


async def test_quotes_follow_the_price_and_the_book_is_never_empty(world: World) -> None:
    bot = await maker(world)
    await bot.refresh()
    sides: list[bool] = []
    world.node.venue.on_step = lambda *_: sides.append(
        all(best(world, side, market) is not None for market in range(3) for side in (BUY, SELL))
    )
    world.clock.advance(1)
    world.tick()
    await world.feed.publish()
    await bot.refresh()
    assert len(sides) > 30 and all(sides)
    book = await world.rpc.client.book(0)
    assert len(book.bids) == len(book.asks) == LADDER.levels
    assert book.best_bid is not None and book.best_bid.ticks > 509_000
    assert len(world.node.state.account(bot.account).orders) == 3 * 2 * LADDER.levels


async def test_what_was_taken_is_quoted_again(world: World) -> None:
    bot = await maker(world)
    await bot.refresh()
    world.node.venue.open("taker", 10_000)
    world.node.venue.buy("taker", 20_000, 501_000)
    assert await bot.refresh() == 1
    book = await world.rpc.client.book(0)
    assert len(book.asks) == LADDER.levels


async def test_a_market_without_a_fresh_price_is_not_quoted(world: World) -> None:
    bot = await maker(world)
    world.node.venue.run(Header(NOW + 4_000))
    world.node.venue.price(50_000_000, 0)
    await bot.refresh()
    assert best(world, BUY, 0) is not None
    assert best(world, BUY, 1) is None and best(world, BUY, 2) is None


async def test_a_refused_quote_does_not_stop_the_others(world: World) -> None:
    number = world.node.venue.open("maker", 1)
    await world.feed.publish()
    poor = MarketMaker(
        world.rpc.client, key("maker").private, number, LADDER, FakeClock(NOW + world.l1.head)
    )
    assert await poor.refresh() == 3 * 2 * LADDER.levels
    assert world.node.state.account(number).orders == ()


async def test_public_keys_make_no_market_on_another_chain(world: World) -> None:
    world.node.domain = domain(1, DOMAIN.rollup)
    with pytest.raises(Halt, match="chain 1 is no devnet"):
        await market_maker(
            world.feed.config, world.rpc.client, cast(L1Client, world.l1), world.clock
        )


async def test_a_maker_that_has_its_collateral_deposits_no_more(world: World) -> None:

    number = open_account(world.node.venue, "erin", 1_000)
    bot = await market_maker(
        world.feed.config, world.rpc.client, cast(L1Client, world.l1), world.clock
    )
    assert bot.account == number
