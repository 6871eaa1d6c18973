"""`trades`, `candles`, `fills`, `orders` and `positions`: what happened at the venue."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, get_args

import click

from node.cli.asking import accounts_meant, ask
from node.cli.options import json_option, rpc_option
from node.cli.output import Cell, console, facts, good, money, print_json, table
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.params import Interval
from node.rpc.tape_params import PAGE_MAX, OrderStatus
from node.rpc.tape_results import (
    AccountFill,
    Candle,
    FillPage,
    OrderPage,
    OrderRecord,
    PositionPage,
    PositionSummary,
    Trade,
)

Page = TypeVar("Page")
NOTHING = "none"


def _page_options(shown: int) -> Callable[[Any], Any]:
    """--count and --before, which every page has; `shown` are given without --count."""

    def add(command: Any) -> Any:
        count = click.option(
            "--count", type=click.IntRange(1, PAGE_MAX), default=shown, show_default=True
        )
        before = click.option(
            "--before",
            type=click.IntRange(0),
            help="Only what has a lower number (of candles: starts earlier).",
        )
        return count(before(rpc_option(json_option(command))))

    return add


_market_option = click.option("--market", help="Only this market.")


@click.command()
@click.argument("market")
@_page_options(20)
def trades(market: str, count: int, before: int | None, rpc_url: str, as_json: bool) -> None:
    """Show the last trades of MARKET, the newest first."""
    found = ask(rpc_url, lambda venue: venue.trades(market, before=before, count=count))
    if as_json:
        print_json(wire.plain(found))
        return
    _warn(found.since_batch)
    columns = (">number", "time (UTC)", "side", ">price", ">size", "")
    console().print(
        table(_title(found.symbol, found.trades), columns, [_trade(one) for one in found.trades])
    )


def _trade(one: Trade) -> tuple[Cell, ...]:
    block = "block trade" if one.block else ""
    return (str(one.number), _time(one.time), _side(one.side), one.price, one.size, block)


@click.command()
@click.argument("market")
@click.option("--interval", type=click.Choice(get_args(Interval)), default="1h", show_default=True)
@_page_options(20)
def candles(
    market: str, interval: Interval, count: int, before: int | None, rpc_url: str, as_json: bool
) -> None:
    """Show what MARKET traded at, stretch by stretch, the newest first."""
    found = ask(rpc_url, lambda venue: venue.candles(market, interval, before=before, count=count))
    if as_json:
        print_json(wire.plain(found))
        return
    _warn(found.since_batch)
    columns = ("from (UTC)", ">open", ">high", ">low", ">close", ">volume", ">USD", ">trades")
    title = _title(f"{found.symbol}, {interval}", found.candles)
    console().print(table(title, columns, [_candle(one) for one in found.candles]))


def _candle(one: Candle) -> tuple[Cell, ...]:
    prices = (price or "-" for price in (one.open, one.high, one.low, one.close))
    return (_time(one.start), *prices, one.volume, money(one.value), str(one.trades))


@click.command()
@click.argument("who")
@_market_option
@_page_options(20)
def fills(
    who: str, market: str | None, count: int, before: int | None, rpc_url: str, as_json: bool
) -> None:
    """Show the last fills of WHO (a devnet name, an address or an account number)."""

    async def page(venue: VenueClient, account: int) -> FillPage:
        return await venue.account_fills(account, market=market, before=before, count=count)

    pages = ask(rpc_url, lambda venue: _of_each(venue, who, page))
    if as_json:
        print_json(wire.plain(pages))
        return
    columns = (">number", "time (UTC)", "market", "role", "side", ">price", ">size")
    for one in pages:
        _warn(one.since_batch)
        title = _title(f"Fills of account {one.account}", one.fills)
        rows = [_fill(fill) for fill in one.fills]
        console().print(table(title, (*columns, ">fee", ">realised", "order"), rows))


def _fill(one: AccountFill) -> tuple[Cell, ...]:
    return (
        *(str(one.number), _time(one.time), one.symbol, one.role, _side(one.side)),
        *(one.price, one.size, one.fee, _profit(one.realised)),
        one.client_order_id or f"{one.order.epoch}:{one.order.sequence}",
    )


@click.command()
@click.argument("who")
@_market_option
@click.option("--status", type=click.Choice(get_args(OrderStatus)), help="Only with this status.")
@_page_options(20)
def orders(
    who: str,
    market: str | None,
    status: OrderStatus | None,
    count: int,
    before: int | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Show the last orders of WHO and what became of them."""

    async def page(venue: VenueClient, account: int) -> OrderPage:
        return await venue.account_orders(
            account, market=market, status=status, before=before, count=count
        )

    pages = ask(rpc_url, lambda venue: _of_each(venue, who, page))
    if as_json:
        print_json(wire.plain(pages))
        return
    columns = (">number", "time (UTC)", "order", "market", "side", ">price", ">size", ">filled")
    for one in pages:
        _warn(one.since_batch)
        title = _title(f"Orders of account {one.account}", one.orders)
        rows = [_order(order) for order in one.orders]
        console().print(table(title, (*columns, ">average", "status"), rows))


def _order(one: OrderRecord) -> tuple[Cell, ...]:
    return (
        *(str(one.number), _time(one.time)),
        one.client_order_id or f"{one.id.epoch}:{one.id.sequence}",
        *(one.symbol or str(one.market), _side(one.side)),
        one.price or ("market" if one.type == "market" else "-"),
        *(one.size or str(one.lots), one.filled_size or str(one.filled_lots)),
        one.average_price or "-",
        one.status + (f" ({one.reason})" if one.reason else ""),
    )


@click.command()
@click.argument("who")
@rpc_option
@json_option
def positions(who: str, rpc_url: str, as_json: bool) -> None:
    """Show what WHO holds, at which price it was entered, and what it brought."""

    async def page(venue: VenueClient, account: int) -> PositionPage:
        return await venue.positions(account)

    pages = ask(rpc_url, lambda venue: _of_each(venue, who, page))
    if as_json:
        print_json(wire.plain(pages))
        return
    for one in pages:
        _warn(one.since_batch)
        console().print(_sums(one))
        if one.positions:
            columns = ("market", ">size", ">entry", ">mark", ">value", ">unrealised", ">realised")
            rows = [_position(position) for position in one.positions]
            console().print(table("Positions", (*columns, ">fees", ">initial margin"), rows))


def _sums(one: PositionPage) -> Any:
    return facts(
        f"Account {one.account}",
        [
            ("paid in", f"{_usd(one.paid_in)} USD"),
            ("realised", f"{_usd(one.realised)} USD"),
            ("unrealised", f"{_usd(one.unrealised)} USD"),
            ("fees", f"{_usd(one.fees)} USD"),
            ("equity", f"{_usd(one.equity)} USD"),
            ("initial margin", f"{_usd(one.initial_margin)} USD"),
        ],
    )


def _position(one: PositionSummary) -> tuple[Cell, ...]:
    return (
        *(one.symbol, one.size),
        one.entry_price.usd if one.entry_price is not None else "-",
        *(one.mark.usd, money(one.value), _profit(one.unrealised), _profit(one.realised)),
        *(money(one.fees), money(one.initial_margin)),
    )


async def _of_each(
    venue: VenueClient, who: str, page: Callable[[VenueClient, int], Awaitable[Page]]
) -> list[Page]:
    """The page of every account that `who` names."""
    return [await page(venue, one.account) for one in await accounts_meant(venue, who)]


def _title(title: str, rows: list[Any]) -> str:
    return title if rows else f"{title}: {NOTHING}"


def _side(side: str) -> Cell:
    return good(side == "buy", side, side)


def _usd(amount: str | None) -> str:
    return "not known" if amount is None else money(amount)


def _profit(amount: str | None) -> Cell:
    if amount is None:
        return "not known"
    return good(not amount.startswith("-"), money(amount), money(amount))


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _warn(since_batch: int) -> None:
    """Say it where the node does not know all of the past."""
    if since_batch > 1:
        console(stderr=True).print(f"this node knows the past from batch {since_batch} on")
