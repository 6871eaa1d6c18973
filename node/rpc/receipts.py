"""What became of a transaction, in the words and units of the one who sent it."""

from node.rpc.amounts import Grid
from node.rpc.message_types import Kind
from node.rpc.messages import Signed
from node.rpc.results import SubmitReceipt
from node.rpc.statuses import DROPPED, reason_of
from node.rpc.views.fills import fill_summary, order_id
from node.rpc.views.lookup import grid_of
from node.view import SequencedReceipt, VenueView
from state.execution import Receipt
from state.status import Status
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    NewOrder,
    RevokeKey,
    SignedPrice,
)


def submit_receipt(view: VenueView, kind: Kind, tx: Signed, receipt: Receipt) -> SubmitReceipt:
    """The receipt of a transaction that was not refused."""
    order = tx if isinstance(tx, NewOrder | Amend) else None
    place = receipt if isinstance(receipt, SequencedReceipt) else None
    filled = 0 if isinstance(tx, BlockTrade) else sum(fill.lots for fill in receipt.fills)
    remaining = order.lots - filled if order else 0
    resting = place.resting_lots if place else 0
    grid = _grid(view, place.market if place else None)
    return SubmitReceipt(
        kind=kind,
        status=reason_of(receipt.status),
        status_number=int(receipt.status),
        message=_sentence(tx, receipt, remaining, resting),
        account=None if isinstance(tx, SignedPrice | BlockTrade) else tx.account,
        order=order_id(*_name(order)) if order else None,
        client_order_id=(place.client_order_id or None) if place else None,
        fills=[fill_summary(view, fill) for fill in receipt.fills],
        filled_lots=filled,
        remaining_lots=remaining,
        resting_lots=resting,
        filled_size=grid.size(filled),
        remaining_size=grid.size(remaining),
        kept_priority=_kept_priority(receipt) if isinstance(tx, Amend) else None,
        cancelled=_cancelled(tx, receipt),
        key_epoch=place.key_epoch if place else None,
        withdrawal=place.withdrawal if place else None,
        batch=place.batch if place else None,
        journaled=True,
        resubmission=place.resubmission if place else False,
    )


def _grid(view: VenueView, number: int | None) -> Grid:
    market = None if number is None else view.state.markets.get(number)
    return Grid(0, 1) if market is None else grid_of(market)


def _name(order: NewOrder | Amend) -> tuple[int, int]:
    if isinstance(order, Amend):
        return order.order_epoch, order.order_sequence
    return order.epoch, order.sequence


def _kept_priority(receipt: Receipt) -> bool:
    """An amended order is changed where it stands in one step; any other way takes more."""
    return receipt.status == Status.OK and receipt.steps == 1


def _cancelled(tx: Signed, receipt: Receipt) -> int | None:
    """How many orders left the book: a cancel all takes one in each step behind its first."""
    match tx:
        case CancelAll():
            return receipt.steps - 1
        case Cancel():
            return 1
    return None


def _sentence(tx: Signed, receipt: Receipt, remaining: int, resting: int) -> str:
    if receipt.status != Status.OK:
        return DROPPED[receipt.status]
    match tx:
        case Amend() if _kept_priority(receipt):
            return "changed where it rests, with its priority kept"
        case NewOrder() | Amend():
            return _order_sentence(tx.lots, remaining, resting)
        case CancelAll():
            return f"cancelled: {receipt.steps - 1}"
        case AddKey():
            return "the key may sign from now on"
        case RevokeKey():
            return "the key signs nothing any more; its resting orders stay"
        case BlockTrade():
            return "traded, every leg"
    return "done"


def _order_sentence(lots: int, remaining: int, resting: int) -> str:
    if remaining == 0:
        return "filled"
    if resting < remaining:
        return "resting with as much as the position can still give"
    return "resting in the book" if remaining == lots else "filled in part, the rest is resting"
