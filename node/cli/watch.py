"""`watch`: a market and an account as they change, in a terminal or as lines."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import click
import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.live import Live

from node.cli.asking import accounts_meant
from node.cli.failures import Failure, WronglyPut, told
from node.cli.frames import Frame, drawn, plain
from node.cli.options import SECONDS, json_option, rpc_option
from node.cli.output import console
from node.clock import Clock, SystemClock
from node.errors import Retry
from node.rpc.client import VenueClient, VenueError

TRADES = 10
ANSWER_SECONDS = 5.0

Show = Callable[[Frame], None]


@click.command()
@click.argument("market", required=False)
@click.option("--from", "name", metavar="NAME", help="A devnet account to show, such as alice.")
@click.option("--account", "number", type=click.IntRange(0, 2**32 - 1), help="Or its number.")
@click.option("--depth", type=click.IntRange(1, 50), default=8, show_default=True)
@click.option("--seconds", type=SECONDS, default=1.0, show_default=True, help="Between two looks.")
@click.option("--once", is_flag=True, help="Show it once and end.")
@rpc_option
@json_option
def watch(
    market: str | None,
    name: str | None,
    number: int | None,
    depth: int,
    seconds: float,
    once: bool,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Show the book, last trades and heads of MARKET, and an account, until Ctrl-C.

    Without MARKET the first one. A node that is away is waited for. Where there is no terminal,
    or with --json, one frame follows another.
    """
    if name is not None and number is not None:
        raise WronglyPut("name one account: --from NAME or --account N")
    who = name if number is None else str(number)
    with told(), suppress(KeyboardInterrupt), _screen(as_json or once, as_json) as show:
        asyncio.run(_watch(rpc_url, market, who, depth, None if once else seconds, show))


@contextmanager
def _screen(is_plain: bool, as_json: bool) -> Iterator[Show]:
    """Where frames go: in place on a terminal, one after the other elsewhere."""
    screen = console()
    if is_plain or not screen.is_terminal:
        yield lambda frame: _print(screen, frame, as_json)
        return
    with Live(console=screen, screen=True, auto_refresh=False) as live:
        yield lambda frame: live.update(drawn(frame), refresh=True)


def _print(screen: Console, frame: Frame, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(plain(frame)))
    else:
        screen.print(drawn(frame))


@dataclass(slots=True)
class Watcher:
    """Looks at one market of a node, and at an account where `who` names one."""

    url: str
    venue: VenueClient
    who: str | None
    depth: int
    clock: Clock

    async def look(self, market: str | None) -> Frame:
        """What the node says now. Failure where it has no market to show."""
        venue = self.venue
        if market is None:
            listed = await venue.markets()
            if not listed:
                raise Failure(f"the venue at {self.url} has no market: `tallystick market list`")
            market = listed[0].symbol
        account = None if self.who is None else (await accounts_meant(venue, self.who))[0]
        return Frame(
            url=self.url,
            time=self.clock.now(),
            status=await venue.status(),
            market=await venue.market(market),
            book=await venue.book(market, self.depth),
            trades=(await venue.trades(market, count=TRADES)).trades,
            account=account,
            positions=None if account is None else await venue.positions(account.account),
        )

    async def frames(self, last: Frame, seconds: float) -> AsyncIterator[Frame]:
        """A frame every `seconds`; while the node is away, the last one with the reason."""
        while True:
            await self.clock.sleep(seconds)
            try:
                last = await self.look(last.market.symbol)
            except (Retry, VenueError, Failure) as error:
                last = replace(last, time=self.clock.now(), away=str(error))
            yield last


async def _watch(
    url: str, market: str | None, who: str | None, depth: int, seconds: float | None, show: Show
) -> None:
    """Show a frame, and another every `seconds` where there is such a number."""
    async with VenueClient(url, timeout_seconds=ANSWER_SECONDS) as venue:
        watcher = Watcher(url, venue, who, depth, SystemClock())
        first = await watcher.look(market)
        show(first)
        if seconds is None:
            return
        async for frame in watcher.frames(first, seconds):
            show(frame)
