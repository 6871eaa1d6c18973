"""Candles: what a market's trades in equal stretches of the venue's time came to."""

from collections import deque
from collections.abc import Mapping

from node.tape.records import Candle
from node.tape.tables import Tables
from state.store import Fill
from state.units import notional

INTERVALS: Mapping[str, int] = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "1h": 3_600,
    "4h": 14_400,
    "1d": 86_400,
}
"""Seconds; a candle starts at a multiple of them since 1970."""


class Candles:
    """The last `limit` of every market and interval; a stretch without trades has none."""

    def __init__(self, tables: Tables, limit: int) -> None:
        self._tables = tables
        self._limit = limit
        self._starts: dict[tuple[int, int], deque[int]] = {}

    def reindex(self) -> None:
        """The rows are others now."""
        self._starts = {}
        for market, seconds, start in sorted(self._tables.rows["candles"]):
            self._starts.setdefault((market, seconds), deque()).append(start)

    def add(self, fill: Fill, time: int) -> None:
        """Count a fill; one of a block trade was agreed on elsewhere, so it moves no price."""
        for seconds in INTERVALS.values():
            start = time - time % seconds
            candle = self._at(fill.market, seconds, start)
            if not fill.block:
                _move(candle, fill.ticks)
            candle.volume += fill.lots
            candle.value += notional(fill.lots, fill.price)
            candle.count += 1

    def _at(self, market: int, seconds: int, start: int) -> Candle:
        candle: Candle | None = self._tables.touch("candles", (market, seconds, start))
        if candle is not None:
            return candle
        candle = Candle(start)
        self._tables.put("candles", (market, seconds, start), candle)
        starts = self._starts.setdefault((market, seconds), deque())
        starts.append(start)
        if len(starts) > self._limit:
            self._tables.put("candles", (market, seconds, starts.popleft()), None)
        return candle

    def page(self, market: int, interval: str, before: int | None, count: int) -> list[Candle]:
        """At most `count` that start before `before`, the newest first."""
        seconds, found = INTERVALS[interval], list[Candle]()
        for start in reversed(self._starts.get((market, seconds), ())):
            if len(found) == count:
                break
            if before is None or start < before:
                found.append(self._tables.rows["candles"][market, seconds, start])
        return found


def _move(candle: Candle, ticks: int) -> None:
    if candle.open is None or candle.high is None or candle.low is None:
        candle.open = candle.high = candle.low = ticks
    else:
        candle.high, candle.low = max(candle.high, ticks), min(candle.low, ticks)
    candle.close = ticks
