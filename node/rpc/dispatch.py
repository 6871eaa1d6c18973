"""From a call to a method and back: params checked, errors told, nothing else let out."""

import asyncio
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import structlog

from node.errors import Halt, Retry
from node.rpc import wire
from node.rpc.call_batch import CallBatch
from node.rpc.envelope import Call, Faulty, Incoming, failure, read, success
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
from node.rpc.replies import HandedIn, Later, Reply

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

    `params` is a Struct; its fields are bound by name or by place. One that only `queues`
    gives a `HandedIn`, and looks at nothing of the venue before that is done.
    """

    name: str
    params: type[msgspec.Struct]
    result: Any
    call: Callable[[Any, Any], Any]
    summary: str
    queues: bool = False


Methods = Mapping[str, Method]

Read = Callable[[bytes], Incoming]
"""The calls in a body; RpcError where there is but one error to tell."""


def method_table(methods: Iterable[Method]) -> Methods:
    """Methods by name."""
    return {method.name: method for method in methods}


async def answer(body: bytes, methods: Methods, context: Any, read: Read = read) -> bytes | None:
    """The reply to a body or message; None where it held notifications only."""
    reply = begin(body, methods, context, read)
    return await reply.reply() if isinstance(reply, Later) else reply


def begin(body: bytes, methods: Methods, context: Any, read: Read = read) -> Reply:
    """As `answer`, with everything that need not wait done when this returns.

    So what is begun first is handed in first.
    """
    try:
        incoming = read(body)
    except RpcError as error:
        return wire.encode(failure(None, error))
    if not incoming.is_batch:
        return _begin_one(incoming.calls[0], methods, context)
    batch = CallBatch(
        incoming.calls,
        lambda call: _begin_one(call, methods, context),
        lambda call: _only_queues(call, methods),
    )
    return batch.begin()


def _only_queues(call: Call | Faulty, methods: Methods) -> bool:
    if isinstance(call, Faulty):
        return True
    method = methods.get(call.method)
    return method is None or method.queues


def _begin_one(call: Call | Faulty, methods: Methods, context: Any) -> Reply:
    if isinstance(call, Faulty):
        return wire.encode(failure(call.identity, call.error))
    try:
        result = _called(call, methods, context)
    except Exception as fault:
        return _fault(call, fault)
    if isinstance(result, HandedIn):
        return Later(result.last, lambda: _reply(call, result.result))
    if inspect.isawaitable(result):
        task = asyncio.ensure_future(result)
        return Later(task, lambda: _reply(call, task.result))
    return _reply(call, lambda: result)


def _called(call: Call, methods: Methods, context: Any) -> Any:
    method = methods.get(call.method)
    if method is None:
        raise RpcError(
            *(Code.METHOD_NOT_FOUND, "unknown_method", "Method not found"),
            "rpc.discover lists the methods of this node",
            got=shown(call.method),
        )
    return method.call(context, bind(method, call.params))


def _reply(call: Call, result: Callable[[], Any]) -> bytes | None:
    """The result, or the error that it is."""
    try:
        reply = wire.encode(success(call.identity, result()))
    except Exception as fault:
        return _fault(call, fault)
    return None if call.is_notification else reply


def _fault(call: Call, fault: Exception) -> bytes | None:
    """The error that a method raised, as its reply."""
    match fault:
        case RpcError():
            error = fault
        case Retry():
            error = unavailable(fault)
        case Halt():
            error = halted(fault)
        case _:
            # The method's name is known to be ours here; params may hold anything and stay out.
            log.error("method_failed", method=call.method, exc_info=fault)
            error = internal_error()
    return None if call.is_notification else wire.encode(failure(call.identity, error))


def bind(method: Method, params: Any) -> Any:
    """The method's params, by name or by place. InvalidParams where they do not fit."""
    if isinstance(params, msgspec.Struct):
        return params
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
