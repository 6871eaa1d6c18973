"""`venue_submit` and its kin: from signed messages to receipts, or to refusals that say why."""

from asyncio import Future
from typing import Any, cast

from node.errors import Halt, Retry
from node.rpc import wire
from node.rpc.amounts import Grid
from node.rpc.context import Context
from node.rpc.dispatch import checked
from node.rpc.errors import Code, InvalidParams, RpcError, halted, shown, unavailable
from node.rpc.message_types import MESSAGES
from node.rpc.messages import Signed, transaction_of
from node.rpc.order_results import BatchItem
from node.rpc.params import (
    SUBMIT_BATCH_MAX,
    CancelParams,
    SubmitBatchParams,
    SubmitParams,
    SubmitPriceParams,
)
from node.rpc.quick import CLIENT_ORDER_ID, Request, RequestBatch
from node.rpc.receipts import submit_receipt
from node.rpc.refusals import is_refusal, refusal
from node.rpc.replies import HandedIn
from node.rpc.results import SubmitReceipt
from node.rpc.views.fills import order_id
from node.rpc.views.lookup import find_market, grid_of
from node.rpc.wire import Signature
from node.sequencing.answers import ClientOrderIdUsed, names_of
from node.signatures import compact
from node.view import NotAttempted, SignedTransaction, VenueView, VenueWriter
from state.execution import Receipt
from state.limits import SIGNATURE_BYTES
from state.transactions import SignedPrice, Transaction


def submit(context: Context, params: SubmitParams | Request) -> HandedIn:
    """Sequence a signed message: the `SubmitReceipt` once it is on disk, or the refusal."""
    return _sequence(context, _request(params))


def submit_cancel(context: Context, params: CancelParams) -> HandedIn:
    return submit(context, SubmitParams("cancel", params.message, params.signature))


def submit_price(context: Context, params: SubmitPriceParams) -> HandedIn:
    """A publisher's price: in nano-USD per lot as it is signed, or in USD per coin."""
    market, _ = find_market(context.view, params.market)
    tx = SignedPrice(market.market, _nano_price(grid_of(market), params), int(params.time))
    return _sequence(context, Request("price", tx, read_signature(params.signature)))


def submit_batch(
    context: Context, params: SubmitBatchParams | RequestBatch
) -> HandedIn | list[BatchItem]:
    """Sequence several messages with nothing between them: what became of each, in order.

    One that is refused stops the others only where that was asked for.
    """
    if not 1 <= len(params.items) <= SUBMIT_BATCH_MAX:
        raise InvalidParams(
            "items_out_of_range",
            f"$.items: 1 to {SUBMIT_BATCH_MAX} items, got {len(params.items)}",
            "send what is more in another batch",
            expected=f"1 to {SUBMIT_BATCH_MAX}",
            got=len(params.items),
        )
    writer = _writer(context.view)
    requests = _requests(params)
    sent = [request for request in requests if isinstance(request, Request)]
    handed = [SignedTransaction(one.tx, one.signature, one.client_order_id) for one in sent]
    stops = _has_failed if params.stop_on_error else None
    answers = writer.hand_in(handed, stops=stops) if handed else []

    def result() -> list[BatchItem]:
        outcomes, told = map(_outcome, answers), dict[Any, BatchItem]()
        items = [
            _item(context.view, request, next(outcomes), told)
            if isinstance(request, Request)
            else BatchItem(error=request.as_json())
            for request in requests
        ]
        left = BatchItem(error=_error_of(NotAttempted()).as_json())
        return items + [left] * (len(params.items) - len(items))

    return HandedIn(answers[-1], result) if answers else result()


def _requests(params: SubmitBatchParams | RequestBatch) -> list[Request | RpcError]:
    """The items as they can be sequenced, or what is wrong with them; up to the first where
    that one stops the rest.
    """
    found: list[Request | RpcError] = []
    if isinstance(params, RequestBatch):
        return [*params.items]
    for at, item in enumerate(params.items):
        root = f"$.items[{at}]"
        mend = "an item has the params of venue_submit; rpc.discover lists them"
        try:
            found.append(_request(checked(item, SubmitParams, mend, root=root), root))
        except InvalidParams as error:
            found.append(error)
            if params.stop_on_error:
                break
    return found


def _has_failed(tx: Transaction, answer: Receipt | Exception) -> bool:
    return isinstance(answer, Exception) or is_refusal(cast(Signed, tx), answer)


def _item(
    view: VenueView, request: Request, answer: Receipt | Exception, told: dict[Any, BatchItem]
) -> BatchItem:
    """The same message many times has the same answer, with all its fills: that is `told` once."""
    if (request, answer) in told:
        return told[request, answer]
    try:
        item = BatchItem(result=_answer(view, request, answer))
    except RpcError as error:
        item = BatchItem(error=error.as_json())
    told[request, answer] = item
    return item


# --- reading ---


def _request(params: SubmitParams | Request, root: str = "$") -> Request:
    """InvalidParams where message, signatures or client order id are not of the kind."""
    if isinstance(params, Request):
        return params
    kind = params.kind
    message = checked(
        params.message,
        MESSAGES[kind],
        f"send the message of the typed data of a {kind}, every field as it was signed",
        root=f"{root}.message",
    )
    signature = b"".join(read_signature(one, root) for one in _signatures(params, root))
    return Request(kind, transaction_of(message), signature, _client_order_id(params, root))


def _signatures(params: SubmitParams, root: str) -> list[Signature]:
    """The maker's and the taker's of a block trade, one of any other kind."""
    given = {
        "signature": params.signature,
        "makerSignature": params.maker_signature,
        "takerSignature": params.taker_signature,
    }
    wanted = ["makerSignature", "takerSignature"]
    if params.kind != "blockTrade":
        wanted = ["signature"]
    found = {name: signature for name, signature in given.items() if signature is not None}
    if list(found) != wanted:
        raise InvalidParams(
            "signatures_expected",
            f"{root}: a {params.kind} carries {' and '.join(wanted)}",
            "send the signatures that its kind needs, and no other",
            path=root,
            expected=wanted,
            got=list(found),
        )
    return list(found.values())


def _client_order_id(params: SubmitParams, root: str) -> str:
    given = params.client_order_id
    if given is None:
        return ""
    if params.kind not in ("order", "amend"):
        raise InvalidParams(
            "client_order_id_not_taken",
            f"{root}.clientOrderId: only orders and amends have one, not a {params.kind}",
            "leave it out: a message sent twice is recognised without it",
            path=f"{root}.clientOrderId",
        )
    return read_client_order_id(given, root)


def read_client_order_id(given: str, root: str = "$") -> str:
    """InvalidParams for what is not 1 to 36 printable ASCII characters."""
    if not CLIENT_ORDER_ID.fullmatch(given):
        raise InvalidParams(
            "bad_client_order_id",
            f"{root}.clientOrderId: 1 to 36 printable ASCII characters, got {shown(given)}",
            "a UUID in its usual form fits",
            path=f"{root}.clientOrderId",
            expected="1 to 36 printable ASCII characters",
            got=shown(given),
        )
    return given


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


def read_signature(signature: Signature, root: str = "$") -> bytes:
    """The 64 bytes that are sequenced, from those or from a wallet's 65."""
    raw = bytes(signature)
    if len(raw) == SIGNATURE_BYTES:
        return raw
    try:
        return compact(raw)
    except ValueError as fault:
        raise InvalidParams(
            "bad_signature_form",
            f"{root}.signature: {fault}",
            "send r, s and v as wallets do, or r and s with the parity of y in the top bit",
            expected="65 bytes, or 64 as in EIP-2098",
            got=f"{len(raw)} bytes",
        ) from None


# --- sequencing ---


def _sequence(context: Context, request: Request) -> HandedIn:
    handed = SignedTransaction(request.tx, request.signature, request.client_order_id)
    (answer,) = _writer(context.view).hand_in([handed])
    return HandedIn(answer, lambda: _answer(context.view, request, _outcome(answer)))


def _outcome(answer: Future[Receipt]) -> Receipt | Exception:
    fault = answer.exception()
    if fault is None:
        return answer.result()
    assert isinstance(fault, Exception)
    return fault


def _answer(view: VenueView, request: Request, answer: Receipt | Exception) -> SubmitReceipt:
    """The receipt, or the RpcError of a transaction of which nothing was done."""
    if isinstance(answer, Exception):
        raise _error_of(answer) from None
    if is_refusal(request.tx, answer):
        raise refusal(view, request.tx, request.signature, answer)
    return submit_receipt(view, request.kind, request.tx, answer)


def _error_of(fault: Exception) -> RpcError:
    match fault:
        case ClientOrderIdUsed():
            return _client_order_id_used(fault)
        case NotAttempted():
            return RpcError(
                *(Code.NOT_ATTEMPTED, "not_attempted", "An item before it was refused"),
                "send it again once that one is mended",
                sequenceConsumed=False,
                retryable=True,
            )
        case Retry():
            return unavailable(fault)
        case Halt():
            return halted(fault)
    raise fault


def _client_order_id_used(fault: ClientOrderIdUsed) -> RpcError:
    tx = fault.answer.tx
    ((_, epoch, sequence),) = names_of(tx)
    return RpcError(
        *(Code.CLIENT_ORDER_ID_USED, "client_order_id_used"),
        "This client order id names another message of the account",
        "venue_order tells what became of that one; use a new id for another order",
        field="clientOrderId",
        got=fault.client_order_id,
        usedBy={"sequence": wire.plain(order_id(epoch, sequence))},
        sequenceConsumed=False,
        retryable=False,
    )


def _writer(view: VenueView) -> VenueWriter:
    if hasattr(view, "submit"):
        return cast(VenueWriter, view)
    raise RpcError(
        *(Code.READ_ONLY, "read_only", f"This node is a {view.role}; it takes no transactions"),
        "send it to the sequencer's JSON-RPC",
        got=view.role,
    )
