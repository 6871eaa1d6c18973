"""The channels `book` and `bbo`."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from node.rpc.results import Level
from node.rpc.streams.results import BestPrices, BookLevels
from node.rpc.streams.topic import Told, Topic, Wanted
from node.rpc.views.book import levels
from node.rpc.views.lookup import find_market, grid_of
from node.rpc.wire import U64
from node.view import VenueView
from state.orders import BUY, SELL, key_ticks

HEAP_SLACK = 1_024

Place = tuple[int, int]
"""Side, and key of an order or ticks of a level."""


class BookTopic(Topic):
    """All levels of live orders, kept by the orders that updates name and never walked again.

    An order that has run out still rests until somebody meets it; the heap knows whose turn is
    next, so what the venue's time removes costs no search.
    """

    def begin(self) -> None:
        assert self.wanted.market is not None
        self._market = find_market(self.view, self.wanted.market)[0]
        self._lots: dict[Place, int] = {}
        self._levels: dict[Place, tuple[int, int]] = {}
        self._expiries: list[tuple[int, int, int]] = []
        for side in (BUY, SELL):
            for key, order in self.view.state.book(self._market.market, side):
                self._set(side, key, self._live_lots(side, key), {})
                if self.view.state.machine.time <= order.expiry:
                    self._expiries.append((order.expiry, side, key))
        heapify(self._expiries)

    def image(self) -> BookLevels:
        return self._told(self._levels)

    def take(self, told: Told) -> BookLevels | None:
        before: dict[Place, tuple[int, int]] = {}
        for side, key in told.orders.get(self._market.market, ()):
            order = self.view.state.order(self._market.market, side, key)
            if order is not None:
                heappush(self._expiries, (order.expiry, side, key))
            self._set(side, key, self._live_lots(side, key), before)
        now = self.view.state.machine.time
        while self._expiries and self._expiries[0][0] < now:
            _, side, key = heappop(self._expiries)
            # Live still where it was amended meanwhile: then it is further down as well.
            self._set(side, key, self._live_lots(side, key), before)
        if len(self._expiries) > 2 * len(self._lots) + HEAP_SLACK:
            self._forget_expiries()
        changed = [place for place, was in before.items() if self._levels.get(place, (0, 0)) != was]
        return self._told(changed) if changed else None

    def _forget_expiries(self) -> None:
        """Those of orders that are gone: they would wait here for the rest of their lives."""
        market, state = self._market.market, self.view.state
        live = {
            (order.expiry, *place)
            for place in self._lots
            if (order := state.order(market, *place)) is not None
        }
        self._expiries = list(live)
        heapify(self._expiries)

    def _live_lots(self, side: int, key: int) -> int:
        order = self.view.state.order(self._market.market, side, key)
        is_live = order is not None and self.view.state.machine.time <= order.expiry
        return order.lots if order is not None and is_live else 0

    def _set(self, side: int, key: int, lots: int, before: dict[Place, tuple[int, int]]) -> None:
        """An order has `lots` live now; `before` keeps what its level had first."""
        level = (side, key_ticks(side, key))
        was = self._lots.pop((side, key), 0)
        if lots:
            self._lots[side, key] = lots
        total, orders = self._levels.get(level, (0, 0))
        before.setdefault(level, (total, orders))
        total, orders = total + lots - was, orders + bool(lots) - bool(was)
        if orders:
            self._levels[level] = (total, orders)
        else:
            self._levels.pop(level, None)

    def _told(self, places: Iterable[Place]) -> BookLevels:
        chosen = sorted(places)
        return BookLevels(
            market=self._market.market,
            symbol=self._market.name,
            bids=[self._level(place) for place in reversed(chosen) if place[0] == BUY],
            asks=[self._level(place) for place in chosen if place[0] == SELL],
        )

    def _level(self, place: Place) -> Level:
        lots, orders = self._levels.get(place, (0, 0))
        grid, ticks = grid_of(self._market), place[1]
        return Level(
            price=grid.price(ticks),
            size=grid.size(lots),
            ticks=ticks,
            lots=U64(lots),
            orders=orders,
        )


class BestTopic(Topic):
    """The best level of each side; walks no further than that."""

    def __init__(self, view: VenueView, wanted: Wanted) -> None:
        super().__init__(view, wanted)
        assert wanted.market is not None
        self._market = wanted.market
        self._last: BestPrices | None = None

    def begin(self) -> None:
        self._time = self.view.state.machine.time
        self._last = self._now()

    def image(self) -> BestPrices:
        assert self._last is not None, "it has begun"
        return self._last

    def take(self, told: Told) -> BestPrices | None:
        time, before = self.view.state.machine.time, self._time
        if time == before and self._market not in told.orders:
            return None
        self._time = time
        now = self._now()
        if now == self._last:
            return None
        self._last = now
        return now

    def _now(self) -> BestPrices:
        market, _ = find_market(self.view, self._market)
        bid, ask = (
            next(iter(levels(self.view, market.market, side, grid_of(market), 1)), None)
            for side in (BUY, SELL)
        )
        return BestPrices(market=market.market, symbol=market.name, bid=bid, ask=ask)
