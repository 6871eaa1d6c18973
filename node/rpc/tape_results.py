"""What the methods of the tape give: the past of the venue, as far back as it is kept.

`since_batch` is the first batch that a node knows it of; 1 where it knows all that happened.
Units are as in `node.rpc.results`; times are seconds since 1970 by the venue's clock.
"""

from node.rpc.results import MarketPrice, OrderId, Result
from node.rpc.wire import U64


class Trade(Result, frozen=True):
    """A fill without its parties; `side` is the taker's, `block` that of a block trade.

    `number` counts all fills of the venue, from 1 and the same on every node.
    """

    number: int
    batch: int
    time: int
    side: str
    price: str
    size: str
    ticks: int
    lots: int
    block: bool


class TradePage(Result, frozen=True):
    """Trades of a market, the newest first."""

    market: int
    symbol: str
    since_batch: int
    trades: list[Trade]


class Candle(Result, frozen=True):
    """The trades from `start` on, for as long as the interval.

    Prices are those of trades in the book, and null where there was only a block trade.
    `volume` (the same as `lots`), `value` in USD and `trades` count block trades too.
    """

    start: int
    open: str | None
    high: str | None
    low: str | None
    close: str | None
    open_ticks: int | None
    high_ticks: int | None
    low_ticks: int | None
    close_ticks: int | None
    volume: str
    lots: U64
    value: str
    trades: int


class CandlePage(Result, frozen=True):
    """Candles of a market, the newest first; a stretch without trades has none."""

    market: int
    symbol: str
    interval: str
    since_batch: int
    candles: list[Candle]


class AccountFill(Result, frozen=True):
    """A fill as one side had it: its own side, its role, its fee and what it realised.

    `realised` is before the fee, and null where the cost of what was closed is not known;
    `order` is in a block trade the sequence number that consented.
    """

    number: int
    batch: int
    time: int
    market: int
    symbol: str
    role: str
    side: str
    price: str
    size: str
    ticks: int
    lots: int
    fee: str
    realised: str | None
    order: OrderId
    client_order_id: str | None
    counterparty: int
    block: bool


class FillPage(Result, frozen=True):
    """Fills of an account, the newest first."""

    account: int
    since_batch: int
    fills: list[AccountFill]


class OrderRecord(Result, frozen=True):
    """An order and what became of it; `number` counts the orders that this node knows of.

    `lots` were asked for (after an amend: filled and to be open), `open_lots` rest.
    `average_price` is rounded to a nano-USD per lot, up for a buy and down for a sell.
    """

    number: int
    id: OrderId
    client_order_id: str | None
    market: int
    symbol: str | None
    side: str
    type: str
    life: str
    reduce_only: bool
    price: str | None
    ticks: int
    size: str | None
    lots: int
    status: str
    reason: str | None
    open_lots: int
    filled_size: str | None
    filled_lots: int
    average_price: str | None
    fees: str
    amended: int
    expiry: int
    batch: int
    time: int
    updated_batch: int
    updated_time: int


class OrderPage(Result, frozen=True):
    """Orders of an account, the newest first."""

    account: int
    since_batch: int
    orders: list[OrderRecord]


class PositionSummary(Result, frozen=True):
    """An account in one market, open or closed.

    `entry_price` = |cost| / |lots|, rounded down to a nano-USD per lot; `cost` is what the lots
    cost, negative for what short ones brought in; unrealised = value - cost. Null where the
    node does not know what they cost. `since` is when the position was opened.
    """

    market: int
    symbol: str
    size: str
    lots: int
    entry_price: MarketPrice | None
    cost: str | None
    mark: MarketPrice
    value: str
    unrealised: str | None
    realised: str
    fees: str
    since: int | None
    initial_margin: str
    fresh: bool


class PositionPage(Result, frozen=True):
    """Every market that an account ever traded in, or rests in, and the sums over them.

    equity = paid_in + realised + unrealised - fees, exactly. `paid_in` is deposits less
    withdrawals, and transfers; null, like `unrealised`, where not all of the past is known.
    """

    account: int
    batch: int
    time: int
    since_batch: int
    cash: str
    equity: str
    paid_in: str | None
    realised: str
    unrealised: str | None
    fees: str
    initial_margin: str
    positions: list[PositionSummary]
