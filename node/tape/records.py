"""What the tape keeps. Values of a sealed batch are never changed: later batches copy them."""

from msgspec import Struct

from state.store import Fill

OrderName = tuple[int, int, int]
"""Account, key epoch, sequence number."""


class Trade(Struct, frozen=True, gc=False, array_like=True):
    """A fill with its place among all fills of the venue, and what each side realised by it.

    `time` is the venue's, in seconds. Realised profit is in nano-USD before fees, None where
    the cost of what was closed is not known.
    """

    number: int
    batch: int
    time: int
    fill: Fill
    taker_realised: int | None
    maker_realised: int | None


class Candle(Struct, gc=False, array_like=True):
    """The trades of `start <= time < start + interval`, in seconds.

    Prices are in ticks and of trades in the book alone; None where there was only a block
    trade. `volume` is in lots, `value` in nano-USD, and `count` fills: all of them count.
    """

    start: int
    open: int | None = None
    high: int | None = None
    low: int | None = None
    close: int | None = None
    volume: int = 0
    value: int = 0
    count: int = 0


class Holding(Struct, frozen=True, gc=False, array_like=True):
    """An account in one market. Money is in nano-USD.

    `cost` is what the lots cost, negative for what short ones brought in; None where the tape
    began behind some of them. `since` is when the lots last ceased to be zero. `realised` is
    before `fees`; both are of all that the tape knows.
    """

    lots: int = 0
    cost: int | None = 0
    realised: int = 0
    fees: int = 0
    since: int = 0


class PlacedOrder(Struct, gc=False, array_like=True):
    """An order and what became of it. `lots` is what was asked for, `open` what rests.

    `status` is resting, filled, dropped, cancelled, removed or refused; `reason` is the rules'
    status for what was dropped or refused, else why it left the book. `value` is the sum of
    lots x price over its fills in nano-USD. `amended` counts. Times are the venue's.
    """

    number: int
    account: int
    epoch: int
    sequence: int
    client_order_id: str
    market: int
    flags: int
    ticks: int
    lots: int
    expiry: int
    batch: int
    time: int
    status: str = ""
    reason: str = ""
    open: int = 0
    filled: int = 0
    value: int = 0
    fees: int = 0
    amended: int = 0
    updated_batch: int = 0
    updated: int = 0

    @property
    def name(self) -> OrderName:
        return self.account, self.epoch, self.sequence


class Counts(Struct, gc=False, array_like=True):
    """How many fills and orders there have been."""

    fills: int = 0
    orders: int = 0


class Limits(Struct, frozen=True, kw_only=True):
    """How much the tape holds: of each the newest.

    `trades` and `orders` are of the whole venue, `account_orders` of one account, `candles` of
    one market and interval.
    """

    trades: int = 65_536
    candles: int = 1_500
    orders: int = 131_072
    account_orders: int = 2_048
