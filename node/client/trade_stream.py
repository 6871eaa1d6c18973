"""Streams of trades and fills, which have numbers: what was missed while away is told too."""

from typing import Any

from msgspec.structs import replace

from node.client.streams import Break, Stream
from node.rpc import wire
from node.rpc.params import MarketName
from node.rpc.streams.results import FillsTold, FillTold, Notice, TradesTold
from node.rpc.tape_results import Trade, TradePage

PAGE = 1_000


class TradeStream(Stream[TradesTold]):
    """After a break its snapshot has the trades since the last one told, and no others."""

    _last: Trade | None = None
    _has_begun = False

    async def seen(self, notice: Notice[TradesTold]) -> list[Notice[TradesTold] | Break]:
        rows, broken = notice.data.trades, None
        if notice.type == "snapshot" and self._has_begun and notice.rewound is None:
            rows, broken = await self._since_last(notice)
        self._has_begun = True
        newest = notice.data.trades[-1:]
        if newest or notice.type == "snapshot":
            self._last = newest[0] if newest else None
        told = replace(notice, data=replace(notice.data, trades=rows))
        return [told] if broken is None else [broken, told]

    async def _since_last(self, notice: Notice[TradesTold]) -> tuple[list[Trade], Break | None]:
        """The trades after the last one told, the oldest first; with a break where some lack."""
        last = self._last.number if self._last is not None else 0
        rows = list(notice.data.trades)
        while rows and rows[0].number > last:
            page = await self._page(notice.data.market, rows[0].number)
            if not page:
                break
            rows = page[::-1] + rows
        if self._last is None:
            return rows, None
        known = [row for row in rows if row.number <= last]
        if known and known[-1] == self._last:
            return [row for row in rows if row.number > last], None
        if known or not rows:
            return notice.data.trades, Break("rewound", f"trade {last} is another one, or gone")
        detail = f"of the trades after {last}, the node tells those from {rows[0].number} on"
        return rows, Break("forgotten", detail)

    async def _page(self, market: MarketName, before: int) -> list[Trade]:
        params: dict[str, Any] = {"market": market, "before": before, "count": PAGE}
        answer = await self._channel.request("venue_trades", params)
        return wire.convert(answer, TradePage).trades


class FillStream(Stream[FillsTold]):
    """After a break its snapshot has the fills since the last one told, where it reaches back."""

    _last: FillTold | None = None

    async def seen(self, notice: Notice[FillsTold]) -> list[Notice[FillsTold] | Break]:
        fills, broken = notice.data.fills, None
        if notice.type == "snapshot" and self._last is not None and notice.rewound is None:
            fills, broken = _after(self._last, fills)
        newest = notice.data.fills[-1:]
        if newest or notice.type == "snapshot":
            self._last = newest[0] if newest else None
        told = replace(notice, data=replace(notice.data, fills=fills))
        return [told] if broken is None else [broken, told]


def _after(last: FillTold, fills: list[FillTold]) -> tuple[list[FillTold], Break | None]:
    known = [one for one in fills if one.number <= last.number]
    if known and known[-1] == last:
        return fills[len(known) :], None
    if known or not fills:
        return fills, Break("rewound", f"fill {last.number} is another one, or gone")
    between = f"between {last.number} and {fills[0].number}"
    detail = f"there may have been more fills {between}: account_fills pages through them"
    return fills, Break("forgotten", detail)
