"""What each channel tells. Fields are camelCase on the wire, units as in `node.rpc.results`."""

from typing import Any, Generic, Literal, TypeVar

from node.rpc.results import AccountSummary, FillSummary, Level, OpenOrder, OrderId, Result
from node.rpc.rollup_results import BatchSummary
from node.rpc.tape_results import Candle, OrderRecord, Trade

T = TypeVar("T")

NOTICE = "venue_subscription"
"""The method of every notification."""


class BookLevels(Result, frozen=True):
    """All levels of the book, or in a delta those that changed, each side from the best.

    A level is named by its `ticks` and told with all that is there now; one without lots is gone.
    """

    market: int
    symbol: str
    bids: list[Level]
    asks: list[Level]


class BestPrices(Result, frozen=True):
    """The best level of each side, null where there is none."""

    market: int
    symbol: str
    bid: Level | None
    ask: Level | None


class TradesTold(Result, frozen=True):
    """Trades of a market, the oldest first: the last ones, or in a delta the new ones."""

    market: int
    symbol: str
    trades: list[Trade]


class CandlesTold(Result, frozen=True):
    """Candles, the oldest first: the last ones, or in a delta those that changed or are new."""

    market: int
    symbol: str
    interval: str
    candles: list[Candle]


class ForgottenOrder(Result, frozen=True):
    """An order that is older than what this node remembers: its name, and what rests of it."""

    id: OrderId
    resting: OpenOrder | None


class OrdersTold(Result, frozen=True):
    """Orders of an account, each as it stands now: those that rest, or in a delta those to which
    something happened.
    """

    account: int
    orders: list[OrderRecord]
    forgotten: list[ForgottenOrder]


class FillTold(Result, frozen=True):
    """A fill with its place; `number` counts the venue's fills, the same on every node."""

    number: int
    batch: int
    time: int
    fill: FillSummary


class FillsTold(Result, frozen=True):
    """Fills, the oldest first: the last ones, or in a delta the new ones."""

    fills: list[FillTold]


class HeadsTold(Result, frozen=True):
    """The last batch at each degree of certainty, and the L1 block this was seen at."""

    unsafe: int
    safe: int
    finalized: int
    confirmed: int
    l1_block: int


class BatchesTold(Result, frozen=True):
    """The heads, and the last batches or in a delta the new ones, ascending."""

    heads: HeadsTold
    batches: list[BatchSummary]


class Notice(Result, Generic[T], frozen=True):
    """The params of a `venue_subscription` notification.

    `sequence` counts those of this subscription from 1 without gaps. What is told became visible
    by `time` of the venue, in `batch`. A snapshot that follows a rewind says in `rewound` to
    which batch the venue went back.
    """

    subscription: str
    sequence: int
    channel: str
    type: Literal["snapshot", "delta"]
    batch: int
    time: int
    data: T
    rewound: int | None = None


CHANNELS: dict[str, Any] = {
    "book": Notice[BookLevels],
    "bbo": Notice[BestPrices],
    "trades": Notice[TradesTold],
    "candles": Notice[CandlesTold],
    "account": Notice[AccountSummary],
    "orders": Notice[OrdersTold],
    "batches": Notice[BatchesTold],
    "fills": Notice[FillsTold],
}
"""The notices of each channel; snapshots and deltas have `data` of the same shape."""
