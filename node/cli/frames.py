"""One look at a venue, and how it is drawn: heads, book, last trades, an account."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.columns import Columns
from rich.console import Group
from rich.text import Text

from node.cli.output import Cell, facts, good, money, table
from node.rpc import wire
from node.rpc.results import AccountSummary, BookDepth, Level, MarketSummary, OpenOrder
from node.rpc.rollup_results import SyncStatus
from node.rpc.tape_results import PositionPage, PositionSummary, Trade

BAR = 16
"""Characters of the longest level."""

POSITION = ("market", ">size", ">entry", ">mark", ">value", ">unrealised")
ORDER = ("order", "market", "side", ">size", ">price")


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What was last known of a node at `url`. `away` says why nothing newer is.

    `time` is in seconds by this machine's clock.
    """

    url: str
    time: float
    status: SyncStatus
    market: MarketSummary
    book: BookDepth
    trades: list[Trade]
    account: AccountSummary | None = None
    positions: PositionPage | None = None
    away: str = ""


def plain(frame: Frame) -> dict[str, Any]:
    """The frame as JSON has it."""
    return {
        "url": frame.url,
        "time": int(frame.time),
        "away": frame.away or None,
        **{
            name: wire.plain(getattr(frame, name))
            for name in ("status", "market", "book", "trades", "account", "positions")
        },
    }


def drawn(frame: Frame) -> Group:
    """The frame for a terminal, or as lines where there is none."""
    return Group(*_parts(frame))


def _parts(frame: Frame) -> Iterator[Any]:
    yield _heads(frame)
    yield Columns([_book(frame), _trades(frame)], padding=(0, 4))
    if frame.account is not None:
        yield _account(frame.account)
    if frame.positions is not None:
        held = [one for one in frame.positions.positions if one.lots]
        if held:
            yield table("Positions", POSITION, [_position(one) for one in held])
    if frame.account is not None and frame.account.orders:
        yield table("Open orders", ORDER, [_order(one) for one in frame.account.orders])


def _heads(frame: Frame) -> Any:
    status, market = frame.status, frame.market
    mark = market.mark.usd if int(market.mark.nano) else "none yet"
    age = f"{market.price_age.age} s old"
    rows: list[tuple[str, Cell]] = [
        ("mark", good(market.price_age.fresh, f"{mark} USD, {age}", f"{mark} USD, {age}: stale")),
        ("open interest", f"{money(market.open_interest.notional)} USD"),
        (
            "batches",
            f"{status.unsafe} executed, {status.safe} on L1, {status.finalized} final, "
            f"{status.confirmed} confirmed",
        ),
        ("problems", good(not status.problems, "none", "\n".join(status.problems))),
    ]
    if frame.away:
        rows.append(("away", Text(f"{frame.away}; trying again", style="bold red")))
    title = f"{market.symbol} on a {status.role} at {frame.url}, {_clock(frame.time)} UTC"
    return facts(title, rows)


def _book(frame: Frame) -> Any:
    levels = [*frame.book.asks, *frame.book.bids]
    most = max((int(level.lots) for level in levels), default=1)

    def row(level: Level, side: str) -> tuple[Cell, ...]:
        bar = "█" * max(1, int(level.lots) * BAR // most)
        price = good(side == "buy", level.price, level.price)
        return price, level.size, good(side == "buy", bar, bar)

    rows = [row(level, "sell") for level in reversed(frame.book.asks)]
    rows += [row(level, "buy") for level in frame.book.bids]
    title = "Book" if rows else "Book: nothing in it"
    return table(title, (">price", ">size", ""), rows)


def _trades(frame: Frame) -> Any:
    rows = [
        (
            _clock(trade.time),
            good(trade.side == "buy", trade.price, trade.price),
            trade.size,
        )
        for trade in frame.trades
    ]
    title = "Last trades" if rows else "Last trades: none yet"
    return table(title, ("time", ">price", ">size"), rows)


def _account(account: AccountSummary) -> Any:
    margin = account.margin
    used = f"{money(margin.initial_margin)} of {money(margin.equity)} USD"
    return facts(
        f"Account {account.account}",
        [
            ("equity", f"{money(margin.equity)} USD"),
            ("initial margin", good(margin.healthy, used, f"{used}: not healthy")),
            ("free collateral", f"{money(margin.free_collateral)} USD"),
        ],
    )


def _order(one: OpenOrder) -> tuple[Cell, ...]:
    name = f"{one.id.epoch}:{one.id.sequence}"
    return name, one.symbol, good(one.side == "buy", one.side, one.side), one.size, one.price


def _position(one: PositionSummary) -> tuple[Cell, ...]:
    """What the node does not know of the past is left out."""
    entry = "-" if one.entry_price is None else one.entry_price.usd
    profit: Cell = "-"
    if one.unrealised is not None:
        amount = money(one.unrealised)
        profit = good(not amount.startswith("-"), amount, amount)
    return one.symbol, one.size, entry, one.mark.usd, money(one.value), profit


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")
