"""From a call to a method and back: params checked, errors told, nothing else let out."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import structlog

from node.errors import Halt, Retry
from node.rpc import wire
from node.rpc.envelope import Call, Faulty, failure, read, success
from node.rpc.errors import (
    Code,
    InvalidParams,
    Malformed,
    RpcError,
    halted,
    internal_error,
    shown,
    unavailable,
)

log = structlog.get_logger(__name__)

DETAIL_MAX = 200
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_REASONS = (
    ("Object missing required field", "missing_field"),
    ("Object contains unknown field", "unknown_field"),
    ("Invalid enum value", "unknown_value"),
)


class Method(msgspec.Struct, frozen=True):
    """A method: what it takes, what it gives, and the function of (context, params).

    `params` is a Struct; its fields are bound by name or by place.
    """

    name: str
    params: type[msgspec.Struct]
    result: Any
    call: Callable[[Any, Any], Any]
    summary: str


Methods = Mapping[str, Method]


def method_table(methods: Iterable[Method]) -> Methods:
    """Methods by name."""
    return {method.name: method for method in methods}


async def answer(body: bytes, methods: Methods, context: Any) -> bytes | None:
    """The reply to a body or message; None where it held notifications only."""
    try:
        incoming = read(body)
    except RpcError as error:
        return wire.encode(failure(None, error))
    replies = []
    for call in incoming.calls:
        reply = await _answer_one(call, methods, context)
        if reply is not None:
            replies.append(reply)
    if not replies:
        return None
    # Each reply is JSON already, so one that cannot be encoded harms no other.
    return b"[" + b",".join(replies) + b"]" if incoming.is_batch else replies[0]


async def _answer_one(call: Call | Faulty, methods: Methods, context: Any) -> bytes | None:
    if isinstance(call, Faulty):
        return wire.encode(failure(call.identity, call.error))
    try:
        reply = wire.encode(success(call.identity, await _run(call, methods, context)))
    except RpcError as error:
        reply = wire.encode(failure(call.identity, error))
    except Exception:
        # The method's name is known to be ours here; params may hold anything and stay out.
        log.exception("method_failed", method=call.method)
        reply = wire.encode(failure(call.identity, internal_error()))
    return None if call.is_notification else reply


async def _run(call: Call, methods: Methods, context: Any) -> Any:
    method = methods.get(call.method)
    if method is None:
        raise RpcError(
            *(Code.METHOD_NOT_FOUND, "unknown_method", "Method not found"),
            "rpc.discover lists the methods of this node",
            got=shown(call.method),
        )
    params = bind(method, call.params)
    try:
        result = method.call(context, params)
        return await result if inspect.isawaitable(result) else result
    except Retry as fault:
        raise unavailable(fault) from None
    except Halt as fault:
        raise halted(fault) from None


def bind(method: Method, params: list[Any] | dict[str, Any]) -> Any:
    """The method's params, by name or by place. InvalidParams where they do not fit."""
    names = method.params.__struct_encode_fields__
    if isinstance(params, list):
        if len(params) > len(names):
            raise InvalidParams(
                "too_many_params",
                f"{method.name} takes {len(names)} params, got {len(params)}",
                f"the params in order are: {', '.join(names) or 'none'}",
            )
        params = dict(zip(names, params, strict=False))
    return checked(params, method.params, f"rpc.discover lists the params of {method.name}")


def checked(value: Any, kind: type[wire.T], mend: str, *, root: str = "$") -> wire.T:
    """`value`, which stands at `root`, as a `kind`. InvalidParams says where and why it is none."""
    try:
        return wire.convert(value, kind)
    except msgspec.ValidationError as fault:
        raise _invalid(fault, mend, root) from None


def _invalid(fault: msgspec.ValidationError, mend: str, root: str) -> InvalidParams:
    match = _PLACE.match(str(fault))
    assert match is not None
    what, path = match["what"][:DETAIL_MAX], root + (match["path"] or "$")[1:DETAIL_MAX]
    cause = fault.__cause__
    if isinstance(cause, Malformed):
        return InvalidParams(
            *(cause.reason, f"{path}: {cause}", cause.mend),
            path=path,
            expected=cause.expected,
            got=cause.got,
        )
    reason = next((reason for start, reason in _REASONS if what.startswith(start)), "wrong_type")
    return InvalidParams(reason, f"{path}: {what}", mend, path=path)
