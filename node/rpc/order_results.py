"""What `venue_order` and `venue_submitBatch` give."""

from typing import Any

from node.rpc.results import OpenOrder, OrderId, Result, SubmitReceipt


class BatchItem(Result, frozen=True):
    """What became of one item: a receipt, or the error it would have had alone."""

    result: SubmitReceipt | None = None
    error: dict[str, Any] | None = None


class OrderStanding(Result, frozen=True):
    """Where an order stands.

    `standing` is "resting"; "filled" whole; "dropped", when what was left could not trade or
    rest; "removed", when it rested and was cancelled or swept since; "refused"; or "unknown":
    it does not rest, and is not among the last transactions. `filled_lots` are all since it
    was placed, null where that is too long ago; `open_lots` are in the book. `status` and
    `batch` are those of its receipt.
    """

    account: int
    order: OrderId | None
    client_order_id: str | None
    standing: str
    status: str | None
    filled_lots: int | None
    filled_size: str | None
    open_lots: int
    resting: OpenOrder | None
    batch: int | None
    journaled: bool
