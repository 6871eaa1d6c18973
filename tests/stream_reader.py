"""A reader of streams that keeps, from snapshots and deltas alone, what each channel is about."""

import asyncio
from itertools import count
from typing import Any

import msgspec

from node.rpc.params import BookParams
from node.rpc.streams.hub import Hub, Subscription
from node.rpc.streams.topic import Wanted
from node.rpc.streams.trading import CANDLES_SHOWN, TRADES_SHOWN
from node.rpc.views import accounts, book
from node.rpc.views.lookup import grid_of
from node.rpc.wire import plain
from node.view import VenueView
from state.orders import BUY, SELL

TIMELY = ("time", "batch", "withdrawable")
"""Of an account: what moves with the clock alone."""


class Kept:
    """What one subscription knows. `sequence` is that of the last notice."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.sequence = 0
        self.data: Any = None
        self.levels: dict[tuple[str, int], Any] = {}
        self.rows: dict[Any, Any] = {}
        self.rewinds = 0
        self.deltas = 0

    def take(self, params: dict[str, Any]) -> None:
        self.sequence += 1
        assert params["sequence"] == self.sequence, "no gaps"
        assert params["channel"] == self.wanted.channel
        if params["type"] == "snapshot":
            assert ("rewound" in params) is (self.sequence > 1)
            self.rewinds += "rewound" in params
            self.levels, self.rows = {}, {}
        else:
            assert self.sequence > 1, "a snapshot comes first"
            self.deltas += 1
        self.data = params["data"]
        for side in ("bids", "asks"):
            for level in self.data.get(side, ()):
                assert params["type"] == "delta" or level["orders"]
                self._keep_level(side, level)
        for name, key in (("trades", "number"), ("fills", "number"), ("candles", "start")):
            for row in self.data.get(name, ()):
                self.rows[row[key]] = row
        if self.wanted.channel == "orders":
            for row in self.data["orders"]:
                self._keep_order(row["id"], row["openLots"], row["market"])
            for row in self.data["forgotten"]:
                rests = row["resting"] or {"lots": 0, "market": 0}
                self._keep_order(row["id"], rests["lots"], rests["market"])

    def _keep_level(self, side: str, level: dict[str, Any]) -> None:
        if level["orders"]:
            self.levels[side, level["ticks"]] = level
        else:
            assert (level["size"], level["lots"]) == ("0", "0")
            del self.levels[side, level["ticks"]]

    def _keep_order(self, name: dict[str, Any], lots: int, market: int) -> None:
        place = (name["epoch"], int(name["sequence"]))
        self.rows.pop(place, None)
        if lots:
            self.rows[place] = (lots, market)

    def check(self, view: VenueView) -> None:
        """It is the venue's."""
        getattr(self, f"_check_{self.wanted.channel}")(view)

    def _check_book(self, view: VenueView) -> None:
        for side, name in ((BUY, "bids"), (SELL, "asks")):
            market = view.state.markets[self.wanted.market or 0]
            all_levels = book.levels(view, market.market, side, grid_of(market), 10**6)
            mine = [level for (of, _), level in sorted(self.levels.items()) if of == name]
            assert (mine[::-1] if side == BUY else mine) == plain(all_levels)

    def _check_bbo(self, view: VenueView) -> None:
        now = plain(book.book(view, BookParams(self.wanted.market or 0)))
        assert (self.data["bid"], self.data["ask"]) == (now["bestBid"], now["bestAsk"])

    def _check_trades(self, view: VenueView) -> None:
        found = view.tape.trades(self.wanted.market or 0, None, TRADES_SHOWN)
        newest = list(self.rows.values())[-TRADES_SHOWN:]
        assert [(row["number"], row["batch"], row["time"], row["lots"]) for row in newest] == [
            (trade.number, trade.batch, trade.time, trade.fill.lots) for trade in reversed(found)
        ]

    def _check_fills(self, view: VenueView) -> None:
        account = self.wanted.account
        assert account is not None
        found = view.tape.fills_of(account, None, None, TRADES_SHOWN)
        newest = list(self.rows.values())[-TRADES_SHOWN:]
        assert [(row["number"], row["fill"]["lots"]) for row in newest] == [
            (trade.number, trade.fill.lots) for trade in reversed(found)
        ]

    def _check_candles(self, view: VenueView) -> None:
        assert self.wanted.interval is not None
        found = view.tape.candles(
            self.wanted.market or 0, self.wanted.interval, None, CANDLES_SHOWN
        )
        newest = list(self.rows.values())[-CANDLES_SHOWN:]
        assert [(row["start"], row["lots"], row["trades"]) for row in newest] == [
            (candle.start, str(candle.volume), candle.count) for candle in reversed(found)
        ]

    def _check_account(self, view: VenueView) -> None:
        number = self.wanted.account or 0
        now = plain(accounts.summary(view, number, view.state.account(number)))
        assert _timeless(self.data) == _timeless(now)

    def _check_orders(self, view: VenueView) -> None:
        account = view.state.account(self.wanted.account or 0)
        theirs = {}
        for held in account.orders:
            order = view.state.order(held.market, held.side, held.key)
            assert order is not None
            theirs[held.epoch, held.sequence] = (order.lots, held.market)
        assert self.rows == theirs

    def _check_batches(self, view: VenueView) -> None:
        assert self.data["heads"] == plain_heads(view)


def plain_heads(view: VenueView) -> dict[str, int]:
    heads = msgspec.to_builtins(view.heads)
    return {"l1Block": heads.pop("l1_block"), **heads}


def _timeless(account: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in account.items() if name not in TIMELY}
    margin = {n: v for n, v in account["margin"].items() if n not in ("fresh", "healthy")}
    positions = [{n: v for n, v in p.items() if n != "fresh"} for p in margin["positions"]]
    return kept | {"margin": margin | {"positions": positions}}


class Listener:
    """A connection's end of the hub: every notice goes to the subscription it is of."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.kept: dict[str, Kept] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.failures = 0
        self._names = count(1)

    def subscribe(self, wanted: Wanted) -> Kept:
        name = f"0x{next(self._names):x}"
        self.subscriptions[name] = Subscription(name, wanted, self)
        self.kept[name] = Kept(wanted)
        self.hub.enter(self.subscriptions[name])
        return self.kept[name]

    def unsubscribe(self, name: str) -> None:
        del self.kept[name]
        self.hub.leave(self.subscriptions.pop(name))

    def hand_on(self, notice: str) -> None:
        params = msgspec.json.decode(notice)["params"]
        self.kept[params["subscription"]].take(params)

    def fail(self) -> None:
        self.failures += 1


async def settled(hub: Hub) -> None:
    """Return when all that was taken is handed on."""
    for _ in range(5):
        await asyncio.sleep(0)
    while hub._jobs:
        await asyncio.sleep(0)
