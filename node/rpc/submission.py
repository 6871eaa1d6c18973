"""`venue_submit`: from a signed message to a receipt, or to a refusal that says why."""

from typing import cast

from node.rpc.amounts import Grid
from node.rpc.context import Context
from node.rpc.dispatch import checked
from node.rpc.errors import Code, InvalidParams, RpcError
from node.rpc.messages import MESSAGES, Kind, Signed, transaction_of
from node.rpc.params import CancelParams, SubmitParams, SubmitPriceParams
from node.rpc.refusals import refusal
from node.rpc.results import SubmitReceipt
from node.rpc.statuses import DROPPED, REFUSALS, reason_of
from node.rpc.views.fills import fill_summary, order_id
from node.rpc.views.lookup import find_market, grid_of
from node.rpc.wire import Signature
from node.signatures import compact
from node.view import SequencedReceipt, VenueView, VenueWriter
from state.execution import Receipt
from state.limits import SIGNATURE_BYTES
from state.status import Status
from state.transactions import NewOrder, SignedPrice, Withdraw


async def submit(context: Context, params: SubmitParams) -> SubmitReceipt:
    """Sequence a signed message: the receipt once it is on disk, or the refusal."""
    message = checked(
        params.message,
        MESSAGES[params.kind],
        f"send the message of the typed data of a {params.kind}, every field as it was signed",
        root="$.message",
    )
    return await _sequence(context, params.kind, transaction_of(message), params.signature)


async def submit_cancel(context: Context, params: CancelParams) -> SubmitReceipt:
    return await submit(context, SubmitParams("cancel", params.message, params.signature))


async def submit_price(context: Context, params: SubmitPriceParams) -> SubmitReceipt:
    """A publisher's price: in nano-USD per lot as it is signed, or in USD per coin."""
    market, _ = find_market(context.view, params.market)
    tx = SignedPrice(market.market, _nano_price(grid_of(market), params), int(params.time))
    return await _sequence(context, "price", tx, params.signature)


def _nano_price(grid: Grid, params: SubmitPriceParams) -> int:
    if params.price is not None and params.usd is None:
        return int(params.price)
    if params.usd is not None and params.price is None:
        return grid.read_nano_price(params.usd)
    raise InvalidParams(
        "one_price_expected",
        "a price comes either as price, in nano-USD per lot, or as usd, in USD per coin",
        "send one of the two",
        expected=["price", "usd"],
    )


def read_signature(signature: Signature) -> bytes:
    """The 64 bytes that are sequenced, from those or from a wallet's 65."""
    raw = bytes(signature)
    if len(raw) == SIGNATURE_BYTES:
        return raw
    try:
        return compact(raw)
    except ValueError as fault:
        raise InvalidParams(
            "bad_signature_form",
            f"$.signature: {fault}",
            "send r, s and v as wallets do, or r and s with the parity of y in the top bit",
            expected="65 bytes, or 64 as in EIP-2098",
            got=f"{len(raw)} bytes",
        ) from None


async def _sequence(
    context: Context, kind: Kind, tx: Signed, signature: Signature
) -> SubmitReceipt:
    writer = _writer(context.view)
    packed = read_signature(signature)
    receipt = await writer.submit(tx, packed)
    status = receipt.status
    # A reduce-only order that ran out of position after a fill has traded: that is no refusal.
    if status in REFUSALS and not receipt.fills:
        raise refusal(context.view, tx, packed, status)
    return _receipt(context.view, kind, tx, receipt)


def _writer(view: VenueView) -> VenueWriter:
    if hasattr(view, "submit"):
        return cast(VenueWriter, view)
    raise RpcError(
        *(Code.READ_ONLY, "read_only", f"This node is a {view.role}; it takes no transactions"),
        "send it to the sequencer's JSON-RPC",
        got=view.role,
    )


def _receipt(view: VenueView, kind: Kind, tx: Signed, receipt: Receipt) -> SubmitReceipt:
    order = tx if isinstance(tx, NewOrder) else None
    filled = sum(fill.lots for fill in receipt.fills)
    remaining = order.lots - filled if order else 0
    grid = grid_of(view.state.markets[order.market]) if order else Grid(0, 1)
    status = receipt.status
    return SubmitReceipt(
        kind=kind,
        status=reason_of(status),
        status_number=int(status),
        message=_sentence(tx, status, remaining),
        account=None if isinstance(tx, SignedPrice) else tx.account,
        order=order_id(order.epoch, order.sequence) if order else None,
        fills=[fill_summary(view, fill) for fill in receipt.fills],
        filled_lots=filled,
        remaining_lots=remaining,
        # An order that is OK has either traded all it asked for or rests with what is left.
        resting_lots=remaining if status == Status.OK else 0,
        filled_size=grid.size(filled),
        remaining_size=grid.size(remaining),
        withdrawal=_withdrawal_index(view, tx) if isinstance(tx, Withdraw) else None,
        batch=receipt.batch if isinstance(receipt, SequencedReceipt) else None,
        journaled=True,
    )


def _sentence(tx: Signed, status: Status, remaining: int) -> str:
    if status != Status.OK:
        return DROPPED[status]
    if not isinstance(tx, NewOrder):
        return "done"
    if remaining == 0:
        return "filled"
    return "resting in the book" if remaining == tx.lots else "filled in part, the rest is resting"


def _withdrawal_index(view: VenueView, tx: Withdraw) -> int | None:
    """The last withdrawal that is what `tx` asked for."""
    wanted = (tx.account, tx.recipient, tx.amount)
    for withdrawal in reversed(view.state.withdrawals):
        if (withdrawal.account, withdrawal.recipient, withdrawal.amount) == wanted:
            return withdrawal.index
    return None
