"""What the methods of the tape take: pages, the newest first, on from `before`."""

from typing import Literal

from node.rpc.params import Interval, MarketName, Params
from node.rpc.wire import U16, U32, U40, U64

PAGE_DEFAULT = 100
PAGE_MAX = 1_000

OrderStatus = Literal["resting", "filled", "dropped", "cancelled", "removed", "refused"]


class TradesParams(Params, frozen=True):
    """Those numbered under `before`: PAGE_DEFAULT unless `count` says how many."""

    market: MarketName
    before: U64 | None = None
    count: U16 | None = None


class CandlesParams(Params, frozen=True):
    """Those that start before the time `before`."""

    market: MarketName
    interval: Interval
    before: U40 | None = None
    count: U16 | None = None


class FillsParams(Params, frozen=True):
    """Of one account, in one market where it is given; those numbered under `before`."""

    account: U32
    market: MarketName | None = None
    before: U64 | None = None
    count: U16 | None = None


class OrdersParams(Params, frozen=True):
    """Of one account, with one status where it is given; those numbered under `before`."""

    account: U32
    market: MarketName | None = None
    status: OrderStatus | None = None
    before: U64 | None = None
    count: U16 | None = None


class PositionsParams(Params, frozen=True):
    account: U32
