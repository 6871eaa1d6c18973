"""The channels `trades`, `candles` and `fills`: what the tape has, and what it got since."""

from heapq import merge
from itertools import islice

from node.rpc.streams.results import CandlesTold, FillsTold, FillTold, TradesTold
from node.rpc.streams.topic import Told, Topic
from node.rpc.tape_results import Candle
from node.rpc.views import tape
from node.rpc.views.fills import fill_summary
from node.rpc.views.lookup import find_account, find_market, grid_of
from node.tape.candles import INTERVALS
from node.tape.records import Trade
from state.store import Fill

TRADES_SHOWN = 50
CANDLES_SHOWN = 100


class TradesTopic(Topic):
    """Trades of one market; those of block trades are marked."""

    def begin(self) -> None:
        assert self.wanted.market is not None
        self._market = find_market(self.view, self.wanted.market)[0]
        self._last = self._page(TRADES_SHOWN)

    def image(self) -> TradesTold:
        return self._told(self._last)

    def take(self, told: Told) -> TradesTold | None:
        count = sum(fill.market == self._market.market for _, fill in told.fills)
        if not count:
            return None
        new = self._page(count)
        self._last = [*self._last, *new][-TRADES_SHOWN:]
        return self._told(new)

    def _page(self, count: int) -> list[Trade]:
        return self.view.tape.trades(self._market.market, None, count)[::-1]

    def _told(self, trades: list[Trade]) -> TradesTold:
        return TradesTold(
            market=self._market.market,
            symbol=self._market.name,
            trades=[tape.trade(grid_of(self._market), one) for one in trades],
        )


class CandlesTopic(Topic):
    """Candles of one market and interval."""

    def begin(self) -> None:
        assert self.wanted.market is not None and self.wanted.interval is not None
        self._interval = self.wanted.interval
        self._market = find_market(self.view, self.wanted.market)[0]
        self._last = self._page(CANDLES_SHOWN)

    def image(self) -> CandlesTold:
        return self._told(list(self._last.values()))

    def take(self, told: Told) -> CandlesTold | None:
        seconds, market = INTERVALS[self._interval], self._market.market
        starts = {time - time % seconds for time, fill in told.fills if fill.market == market}
        if not starts:
            return None
        changed = self._page(len(starts))
        self._last = dict(list((self._last | changed).items())[-CANDLES_SHOWN:])
        return self._told(list(changed.values()))

    def _page(self, count: int) -> dict[int, Candle]:
        """The last ones by their start; told at once, because the tape goes on writing them."""
        found = self.view.tape.candles(self._market.market, self._interval, None, count)
        grid = grid_of(self._market)
        return {candle.start: tape.candle(grid, candle) for candle in reversed(found)}

    def _told(self, candles: list[Candle]) -> CandlesTold:
        return CandlesTold(
            market=self._market.market,
            symbol=self._market.name,
            interval=self._interval,
            candles=candles,
        )


class FillsTopic(Topic):
    """Fills with both sides, of a market or an account where one was named."""

    def begin(self) -> None:
        if self.wanted.market is not None:
            find_market(self.view, self.wanted.market)
        if self.wanted.account is not None:
            find_account(self.view, self.wanted.account)
        self._last = self._page(TRADES_SHOWN)

    def image(self) -> FillsTold:
        return self._told(self._last)

    def take(self, told: Told) -> FillsTold | None:
        count = sum(self._passes(fill) for _, fill in told.fills)
        if not count:
            return None
        new = self._page(count)
        self._last = [*self._last, *new][-TRADES_SHOWN:]
        return self._told(new)

    def _passes(self, fill: Fill) -> bool:
        market, account = self.wanted.market, self.wanted.account
        if market is not None and fill.market != market:
            return False
        return account is None or account in (fill.taker, fill.maker)

    def _page(self, count: int) -> list[Trade]:
        known, market, account = self.view.tape, self.wanted.market, self.wanted.account
        if account is not None:
            return known.fills_of(account, market, None, count)[::-1]
        markets = self.view.state.markets if market is None else (market,)
        pages = [known.trades(number, None, count) for number in markets]
        newest = merge(*pages, key=lambda trade: -trade.number)
        return list(islice(newest, count))[::-1]

    def _told(self, fills: list[Trade]) -> FillsTold:
        return FillsTold(
            fills=[
                FillTold(
                    number=one.number,
                    batch=one.batch,
                    time=one.time,
                    fill=fill_summary(self.view, one.fill),
                )
                for one in fills
            ]
        )
