"""What the `venue_*` methods give. Fields are camelCase on the wire.

Money is in USD, prices in USD per coin and sizes in coin, as exact decimal strings; beside
them stand the integers of the rules: ticks, lots, and nano-USD where a price is no tick.
Rates are parts per million. Times are seconds since 1970 by the venue's own clock.
"""

from typing import Any

from msgspec import Struct

from node.rpc.wire import U64, U256, Address


class Result(Struct, frozen=True, rename="camel", kw_only=True):
    """Base of all results."""


# --- markets ---


class MarketPrice(Result, frozen=True):
    """`usd` per coin is `nano` per lot."""

    usd: str
    nano: U64


class PriceAge(Result, frozen=True):
    """The mark counts while it is at most `age_max` old and the market is live."""

    time: int
    age: int
    age_max: int
    fresh: bool


class MarginTier(Result, frozen=True):
    """Rates for the slice of a notional from `start` up to the next tier's."""

    start: str
    initial_ppm: int
    maintenance_ppm: int


class OpenInterest(Result, frozen=True):
    """Lots held long, which are as many as lots held short."""

    size: str
    lots: U64
    lots_max: U64
    notional: str


class Band(Result, frozen=True):
    """The worst prices an order may name: a buy at most `highest`, a sell at least `lowest`.

    Null where there is none: before the first price, or beyond the ticks there are.
    """

    ppm: int
    lowest: str | None
    highest: str | None


class MarketSummary(Result, frozen=True):
    """One lot is `lot_size` coin, one tick `tick_size` USD per coin.

    USD per coin = ticks x `tick` / 10^9 x 10^`lot_exponent`.
    """

    market: int
    symbol: str
    mode: str
    lot_exponent: int
    lot_size: str
    tick: int
    tick_size: str
    mark: MarketPrice
    index: MarketPrice
    slow_mark: MarketPrice
    price_age: PriceAge
    open_interest: OpenInterest
    band: Band
    taker_fee_ppm: int
    maker_fee_ppm: int
    min_notional: str
    order_lots_max: U64
    position_lots_max: U64
    order_life_max: int
    tiers: list[MarginTier]
    interest_lower: str
    interest_upper: str
    publishers: list[Address]


# --- the book ---


class Level(Result, frozen=True):
    """All live orders at one price."""

    price: str
    size: str
    ticks: int
    lots: U64
    orders: int


class BookDepth(Result, frozen=True):
    """Levels from the best. Orders past their expiry are left out, though they still rest."""

    market: int
    symbol: str
    batch: int
    time: int
    best_bid: Level | None
    best_ask: Level | None
    bids: list[Level]
    asks: list[Level]


# --- accounts ---


class OrderId(Result, frozen=True):
    """What an order is known by within its account."""

    epoch: int
    sequence: U64


class OpenOrder(Result, frozen=True):
    """A resting order; `flags` is the byte that was sequenced, told apart beside it."""

    id: OrderId
    market: int
    symbol: str
    side: str
    price: str
    ticks: int
    size: str
    lots: int
    expiry: int
    life: str
    reduce_only: bool
    self_trade: str
    flags: int
    client_order_id: str | None = None


class Slice(Result, frozen=True):
    """margin = (end - start) x rate, rounded up to a nano-USD."""

    start: str
    end: str
    rate_ppm: int
    margin: str


class PositionTerms(Result, frozen=True):
    """One market's part in an account's margin, every term named.

    value = lots x valued_at, which is the mark, or for what leaves the account the worse of
    mark and slow mark; worst_lots = max(|lots + bid_lots|, |lots - ask_lots|);
    exposure = worst_lots x mark; initial_margin = sum of the slices' margins. A slice's
    rate is its tier's, raised toward all of it by `interest_ppm`, how far the market's open
    interest has come between its two bounds.
    """

    market: int
    symbol: str
    size: str
    lots: int
    bid_lots: U64
    ask_lots: U64
    worst_lots: U64
    mark: MarketPrice
    valued_at: MarketPrice
    value: str
    exposure: str
    interest_ppm: int
    slices: list[Slice]
    initial_margin: str
    fresh: bool


class MarginTerms(Result, frozen=True):
    """equity = cash + sum of values; free_collateral = equity - initial_margin.

    Healthy: free_collateral is not negative and every mark is fresh.
    """

    cash: str
    equity: str
    initial_margin: str
    free_collateral: str
    healthy: bool
    fresh: bool
    positions: list[PositionTerms]


class SessionKeySummary(Result, frozen=True):
    """A delegated key of an account. One that may trade may cancel too, but not block trade."""

    epoch: int
    address: Address
    next_sequence: U64
    expiry: int
    may_trade: bool
    may_cancel: bool
    may_block_trade: bool
    permissions: int


class AccountSummary(Result, frozen=True):
    """An account. `withdrawable` USDC may leave, positions at the worse of mark and slow mark."""

    account: int
    owner: Address
    owner_number: int
    subaccount: int
    batch: int
    time: int
    next_sequence: U64
    keys: list[SessionKeySummary]
    margin: MarginTerms
    withdrawable: str
    orders: list[OpenOrder]


# --- trading ---


class FillSummary(Result, frozen=True):
    """A match at the maker's price, or a leg of a `block` trade; `side` is the taker's.

    The orders of a block trade's fills are the sequence numbers under which both agreed to it.
    """

    market: int
    symbol: str
    side: str
    price: str
    size: str
    ticks: int
    lots: int
    taker: int
    maker: int
    taker_order: OrderId
    maker_order: OrderId
    taker_fee: str
    maker_fee: str
    block: bool


class SubmitReceipt(Result, frozen=True):
    """What became of a transaction that ran.

    `status` is "ok", or says why what was left of an order was dropped. `remaining_lots`
    were not filled; `resting_lots` of them were in the book then. `journaled`: on the
    sequencer's disk, so it will be in a batch; `batch` is that one, null where unknown.
    `cancelled` counts orders; `key_epoch` is that of a key just added; `kept_priority` says of
    an amend whether the order was changed where it rests. `resubmission`: it had been
    executed before, and this is the answer it had then.
    """

    kind: str
    status: str
    status_number: int
    message: str
    account: int | None
    order: OrderId | None
    client_order_id: str | None
    fills: list[FillSummary]
    filled_lots: int
    remaining_lots: int
    resting_lots: int
    filled_size: str
    remaining_size: str
    kept_priority: bool | None
    cancelled: int | None
    key_epoch: int | None
    withdrawal: int | None
    batch: int | None
    journaled: bool
    resubmission: bool


class FillNotice(Result, frozen=True):
    """A fill as the client tells it. `number` counts the venue's fills over all markets and
    accounts; `sequence` is that of the notice in which it came.
    """

    subscription: str
    sequence: int
    number: int
    batch: int
    time: int
    fill: FillSummary


class TypeField(Result, frozen=True):
    name: str
    type: str


class TypedDataDomain(Result, frozen=True):
    name: str
    version: str
    chain_id: U256
    verifying_contract: Address


class TypedData(Result, frozen=True):
    """The JSON that eth_signTypedData_v4 takes."""

    types: dict[str, list[TypeField]]
    primary_type: str
    domain: dict[str, Any]
    message: dict[str, Any]
