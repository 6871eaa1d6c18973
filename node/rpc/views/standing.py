"""`venue_order`: where an order stands, also one that is no longer in the book."""

from node.rpc.errors import InvalidParams
from node.rpc.order_results import OrderStanding
from node.rpc.params import OrderStandingParams
from node.rpc.results import OpenOrder
from node.rpc.statuses import REFUSALS, reason_of
from node.rpc.views.accounts import open_order
from node.rpc.views.fills import order_id
from node.rpc.views.lookup import find_account, grid_of
from node.sequencing.answers import Answer, Answers, OrderName, Progress, RemembersAnswers
from node.view import SequencedReceipt, VenueView
from state.status import Status
from state.transactions import Amend, NewOrder


def standing(view: VenueView, params: OrderStandingParams) -> OrderStanding:
    """By name or by client order id; what nobody remembers is unknown."""
    find_account(view, params.account)
    if (params.order is None) == (params.client_order_id is None):
        raise InvalidParams(
            "one_name_expected",
            "an order is named either by order, its epoch and sequence, or by clientOrderId",
            "send one of the two",
            expected=["order", "clientOrderId"],
        )
    answers = view.answers if isinstance(view, RemembersAnswers) else Answers()
    if params.client_order_id is not None:
        named = answers.by_client_order_id(params.account, params.client_order_id)
        if named is None:
            return _unknown(params)
        name = _order_name(named)
    else:
        assert params.order is not None
        name = (int(params.account), int(params.order.epoch), int(params.order.sequence))
    return _standing(view, params, answers, name)


def _standing(
    view: VenueView, params: OrderStandingParams, answers: Answers, name: OrderName
) -> OrderStanding:
    answer, progress = answers.by_name(name), answers.progress(name)
    if answer is not None and not isinstance(answer.tx, NewOrder):
        answer, progress = None, None
    resting = _resting(view, name)
    if answer is None and resting is None:
        return _unknown(params, name)
    receipt = None if answer is None else answer.receipt
    return OrderStanding(
        account=params.account,
        order=order_id(*name[1:]),
        client_order_id=(receipt.client_order_id or None) if receipt else None,
        standing="resting" if resting else _gone(receipt, progress),
        status=reason_of(receipt.status) if receipt else None,
        filled_lots=progress.filled if progress else None,
        filled_size=_size(view, receipt, progress.filled) if receipt and progress else None,
        open_lots=resting.lots if resting else 0,
        resting=resting,
        batch=receipt.batch if receipt else None,
        journaled=answer is None or answers.is_journaled(answer),
    )


def _gone(receipt: SequencedReceipt | None, progress: Progress | None) -> str:
    """Why an order of the window is not in the book."""
    assert receipt is not None and progress is not None
    if receipt.status in REFUSALS and not receipt.fills:
        return "refused"
    if receipt.status != Status.OK:
        return "dropped"
    return "filled" if progress.open == 0 else "removed"


def _order_name(answer: Answer) -> OrderName:
    """The order that a message with a client order id is about: an amend's is the amended one."""
    tx = answer.tx
    if isinstance(tx, Amend):
        return tx.account, tx.order_epoch, tx.order_sequence
    assert isinstance(tx, NewOrder), "nothing else has a client order id"
    return tx.account, tx.epoch, tx.sequence


def _resting(view: VenueView, name: OrderName) -> OpenOrder | None:
    number, epoch, sequence = name
    reference = view.state.account(number).order(epoch, sequence)
    return None if reference is None else open_order(view, number, reference)


def _size(view: VenueView, receipt: SequencedReceipt, lots: int) -> str | None:
    market = None if receipt.market is None else view.state.markets.get(receipt.market)
    return None if market is None else grid_of(market).size(lots)


def _unknown(params: OrderStandingParams, name: OrderName | None = None) -> OrderStanding:
    return OrderStanding(
        account=params.account,
        order=None if name is None else order_id(*name[1:]),
        client_order_id=params.client_order_id,
        standing="unknown",
        status=None,
        filled_lots=None,
        filled_size=None,
        open_lots=0,
        resting=None,
        batch=None,
        journaled=False,
    )
