"""What `venue_preview` gives."""

from typing import Any

from node.rpc.results import FillSummary, MarginTerms, MarketPrice, Result
from node.rpc.wire import U64


class MaintenancePrice(Result, frozen=True):
    """Where a position would bring its account to maintenance margin, all other marks as they are.

    The lowest mark of a long position, or the highest of a short one, at which equity is still
    at least maintenance margin; null where no mark brings it there, or none helps.
    """

    market: int
    symbol: str
    size: str
    lots: int
    price: MarketPrice | None


class AccountPreview(Result, frozen=True):
    """An account's margin before and after; `party` is the field of the message that names it.

    `cautious`: positions are valued at the worse of mark and slow mark, as this kind is judged.
    `maintenance_margin` is that of the positions after it, at their marks, open orders apart:
    the sum over tiers of the slice x the tier's maintenance rate, rounded up. `withdrawable`
    is what could leave after it.
    """

    account: int
    party: str
    cautious: bool
    before: MarginTerms
    after: MarginTerms
    maintenance_margin: str
    maintenance_prices: list[MaintenancePrice]
    withdrawable: str


class Preview(Result, frozen=True):
    """What would become of a transaction at `time` if it ran on the state as it stands.

    `refused` says that nothing would be done, and `error` is what venue_submit would answer.
    `notional` is the sum of the fills at their prices, `average_price` that by size: rounded to
    a nano-USD per lot, up for a buy and down for a sell. `fees` are those of who takes.
    `resting_lots` would be in the book.
    """

    kind: str
    time: int
    status: str
    status_number: int
    message: str
    refused: bool
    error: dict[str, Any] | None
    fills: list[FillSummary]
    filled_lots: int
    filled_size: str
    notional: str
    average_price: str | None
    fees: str
    remaining_lots: U64
    remaining_size: str
    resting_lots: U64
    resting_size: str
    accounts: list[AccountPreview]
