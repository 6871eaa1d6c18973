"""A market's book, kept from its stream."""

from collections.abc import Iterable
from decimal import Decimal

from node.client.streams import Break
from node.rpc.results import Level
from node.rpc.streams.results import BookLevels, Notice


class Book:
    """Every level of a market as of `batch` and `time`, fed by `take`.

    `is_current` is false before the first snapshot and from a break to the next one: what is
    shown then is the past.
    """

    def __init__(self) -> None:
        self.is_current = False
        self.batch = 0
        self.time = 0
        self._bids: dict[int, Level] = {}
        self._asks: dict[int, Level] = {}

    def take(self, event: Notice[BookLevels] | Break) -> None:
        """The next event of `watch_book`, in order."""
        if isinstance(event, Break):
            self.is_current = False
            return
        if event.type == "snapshot":
            self._bids, self._asks = {}, {}
            self.is_current = True
        self.batch, self.time = event.batch, event.time
        _put(self._bids, event.data.bids)
        _put(self._asks, event.data.asks)

    @property
    def bids(self) -> list[Level]:
        """From the highest."""
        return [self._bids[ticks] for ticks in sorted(self._bids, reverse=True)]

    @property
    def asks(self) -> list[Level]:
        """From the lowest."""
        return [self._asks[ticks] for ticks in sorted(self._asks)]

    @property
    def best_bid(self) -> Level | None:
        return self._bids[max(self._bids)] if self._bids else None

    @property
    def best_ask(self) -> Level | None:
        return self._asks[min(self._asks)] if self._asks else None

    @property
    def middle(self) -> Decimal | None:
        """Halfway between the best prices, in USD per coin; None while a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        if bid is None or ask is None:
            return None
        return (Decimal(bid.price) + Decimal(ask.price)) / 2


def _put(levels: dict[int, Level], changed: Iterable[Level]) -> None:
    for level in changed:
        if level.orders:
            levels[level.ticks] = level
        else:
            levels.pop(level.ticks, None)
