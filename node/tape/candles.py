"""Candles: what a market's trades in equal stretches of the venue's time came to."""

from collections import deque
from collections.abc import Mapping

from msgspec import Struct

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


MINUTE = 60
"""The shortest interval, which divides all others."""


class Running(Struct):
    """The fills of one market in one minute and one batch, not yet in any row."""

    batch: int
    candle: Candle


class Candles:
    """The last `limit` of every market and interval; a stretch without trades has none.

    Fills are gathered by minute, and go into the rows of all intervals at once: `settle`
    before rows are read, taken back or kept.
    """

    def __init__(self, tables: Tables, limit: int) -> None:
        self._tables = tables
        self._limit = limit
        self._running: dict[int, Running] = {}
        self._starts: dict[tuple[int, int], deque[int]] = {}

    def reindex(self) -> None:
        """The rows are others now."""
        self._starts = {}
        for market, seconds, start in sorted(self._tables.rows["candles"]):
            self._starts.setdefault((market, seconds), deque()).append(start)

    def add(self, fill: Fill, batch: int, time: int) -> None:
        """Count a fill; one of a block trade was agreed on elsewhere, so it moves no price."""
        start, running = time - time % MINUTE, self._running.get(fill.market)
        if running is None or running.batch != batch or running.candle.start != start:
            self.settle()
            running = self._running[fill.market] = Running(batch, Candle(start))
        candle, ticks, lots = running.candle, fill.ticks, fill.lots
        if not fill.block:
            if candle.open is None or candle.high is None or candle.low is None:
                candle.open = candle.high = candle.low = ticks
            elif ticks > candle.high:
                candle.high = ticks
            elif ticks < candle.low:
                candle.low = ticks
            candle.close = ticks
        candle.volume += lots
        candle.value += notional(lots, fill.price)
        candle.count += 1

    def settle(self) -> None:
        """Put what was gathered into the rows, as written by its batch."""
        if not self._running:
            return
        gathered, self._running, batch = self._running, {}, self._tables.batch
        for market, running in gathered.items():
            self._tables.begin(running.batch)
            for seconds in INTERVALS.values():
                start = running.candle.start - running.candle.start % seconds
                _merge(self._at(market, seconds, start), running.candle)
        self._tables.begin(batch)

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
        self.settle()
        seconds, found = INTERVALS[interval], list[Candle]()
        for start in reversed(self._starts.get((market, seconds), ())):
            if len(found) == count:
                break
            if before is None or start < before:
                found.append(self._tables.rows["candles"][market, seconds, start])
        return found


def _merge(candle: Candle, later: Candle) -> None:
    """Count what `later` counted behind all that `candle` did."""
    if candle.open is None or candle.high is None or candle.low is None:
        candle.open, candle.high, candle.low = later.open, later.high, later.low
    elif later.high is not None and later.low is not None:
        candle.high, candle.low = max(candle.high, later.high), min(candle.low, later.low)
    candle.close = candle.close if later.close is None else later.close
    candle.volume += later.volume
    candle.value += later.value
    candle.count += later.count
