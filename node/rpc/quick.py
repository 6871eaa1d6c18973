"""The way of most messages: signed orders, cancels and amends, from bytes in one step.

A message in its usual form is decoded straight into the fields of its transaction. Whatever
else comes, right or wrong, goes the long way of `node.rpc.envelope`, where every form is
known and every error is told; for what both can read they read the same.
"""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from node.rpc.envelope import BATCH_MAX, Call, Incoming, read
from node.rpc.message_types import Kind, LifeName, OrderType, SelfTradeName, Side
from node.rpc.messages import Signed, flags_byte
from node.rpc.params import SUBMIT_BATCH_MAX
from node.signatures import compact
from state.limits import SIGNATURE_BYTES
from state.transactions import Amend, Cancel, NewOrder

CLIENT_ORDER_ID = re.compile(r"[ -~]{1,36}")
"""Printable ASCII."""

_U16 = Annotated[int, Meta(ge=0, lt=2**16)]
_U24 = Annotated[int, Meta(ge=0, lt=2**24)]
_U32 = Annotated[int, Meta(ge=0, lt=2**32)]
_U40 = Annotated[int, Meta(ge=0, lt=2**40)]
_U48 = Annotated[int, Meta(ge=0, lt=2**48)]
_Wide = int | str
_SEQUENCE = re.compile(r"0|[1-9][0-9]{0,19}")


class Request(Struct, frozen=True):
    """A message that can be sequenced, its signatures packed."""

    kind: Kind
    tx: Signed
    signature: bytes
    client_order_id: str = ""


class RequestBatch(Struct, frozen=True):
    """Several, in order."""

    items: list[Request]
    stop_on_error: bool


class _Unusual(Exception):
    """For the long way."""


class _Form(Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename="camel"):
    pass


class _Order(_Form, frozen=True, gc=False):
    account: _U32
    key_epoch: _U32
    sequence: _Wide
    market: _U16
    side: Side
    order_type: OrderType
    life: LifeName
    reduce_only: bool
    self_trade: SelfTradeName
    ticks: _U24
    lots: _U48
    expiry: _U40

    def transaction(self) -> Signed:
        flags = flags_byte(self.side, self.order_type, self.life, self.reduce_only, self.self_trade)
        return NewOrder(
            *(self.account, self.key_epoch, _sequence(self.sequence), self.market, flags),
            *(self.ticks, self.lots, self.expiry),
        )


class _Cancel(_Form, frozen=True, gc=False):
    account: _U32
    key_epoch: _U32
    sequence: _Wide
    order_key_epoch: _U32
    order_sequence: _Wide
    expiry: _U40

    def transaction(self) -> Signed:
        return Cancel(
            *(self.account, self.key_epoch, _sequence(self.sequence)),
            *(self.order_key_epoch, _sequence(self.order_sequence), self.expiry),
        )


class _Amend(_Form, frozen=True, gc=False):
    account: _U32
    key_epoch: _U32
    sequence: _Wide
    order_key_epoch: _U32
    order_sequence: _Wide
    ticks: _U24
    lots: _U48
    expiry: _U40

    def transaction(self) -> Signed:
        return Amend(
            *(self.account, self.key_epoch, _sequence(self.sequence), self.order_key_epoch),
            *(_sequence(self.order_sequence), self.ticks, self.lots, self.expiry),
        )


class _Submit(_Form, frozen=True, gc=False, tag_field="kind"):
    signature: str


class _SubmitOrder(_Submit, frozen=True, gc=False, tag="order"):
    message: _Order
    client_order_id: str | None = None


class _SubmitAmend(_Submit, frozen=True, gc=False, tag="amend"):
    message: _Amend
    client_order_id: str | None = None


class _SubmitCancel(_Submit, frozen=True, gc=False, tag="cancel"):
    message: _Cancel
    client_order_id: None = None


_AnySubmit = _SubmitOrder | _SubmitAmend | _SubmitCancel


class _Batch(_Form, frozen=True):
    items: Annotated[list[_AnySubmit], Meta(min_length=1, max_length=SUBMIT_BATCH_MAX)]
    stop_on_error: bool = False


class _SubmitCall(Struct, frozen=True, forbid_unknown_fields=True):
    jsonrpc: Literal["2.0"]
    id: int | str
    method: Literal["venue_submit"]
    params: _AnySubmit


class _BatchCall(Struct, frozen=True, forbid_unknown_fields=True):
    jsonrpc: Literal["2.0"]
    id: int | str
    method: Literal["venue_submitBatch"]
    params: _Batch


_decode_call: Any = msgspec.json.Decoder(_SubmitCall).decode
_decode_batch_call: Any = msgspec.json.Decoder(_BatchCall).decode
_decode_calls: Any = msgspec.json.Decoder(
    Annotated[list[_SubmitCall], Meta(min_length=1, max_length=BATCH_MAX)]
).decode


def read_calls(body: bytes) -> Incoming:
    """The calls in `body`, as `node.rpc.envelope.read`; the usual ones have their params read."""
    try:
        if body.startswith(b"["):
            return Incoming([_call(one) for one in _decode_calls(body)], is_batch=True)
        if b'"venue_submit"' in body:
            return Incoming([_call(_decode_call(body))], is_batch=False)
        if b'"venue_submitBatch"' in body:
            call = _decode_batch_call(body)
            items = [_request(item) for item in call.params.items]
            params = RequestBatch(items, call.params.stop_on_error)
            return Incoming([Call(call.method, params, _identity(call.id))], is_batch=False)
    except (msgspec.DecodeError, UnicodeDecodeError, _Unusual, ValueError):
        pass
    return read(body)


def _call(call: _SubmitCall) -> Call:
    return Call(call.method, _request(call.params), _identity(call.id))


def _identity(value: int | str) -> int | str:
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise _Unusual
    return value


def _request(params: _AnySubmit) -> Request:
    name = params.client_order_id
    if name is not None and not CLIENT_ORDER_ID.fullmatch(name):
        raise _Unusual
    kind: Kind = params.__struct_config__.tag  # type: ignore[assignment]
    return Request(kind, params.message.transaction(), _signature(params.signature), name or "")


def _signature(text: str) -> bytes:
    """ValueError where it is no signature of a wallet, nor a packed one."""
    raw = bytes.fromhex(text[2:])
    # What is read as hex may have had spaces in it.
    if not text.startswith("0x") or len(text) != 2 + 2 * len(raw):
        raise _Unusual
    return raw if len(raw) == SIGNATURE_BYTES else compact(raw)


def _sequence(value: _Wide) -> int:
    if isinstance(value, str):
        if not _SEQUENCE.fullmatch(value):
            raise _Unusual
        value = int(value)
    if not 0 <= value < 2**64:
        raise _Unusual
    return value
