"""JSON-RPC 2.0: bytes in, bytes out, around any table of methods. Knows no transport.

Every input has an answer: bytes that are not JSON get -32700, values that are not a
request -32600, and what a method raises besides `RpcError` becomes -32603 without its
traceback.
"""

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

BATCH_MAX = 100
DEPTH_MAX = 64
_NO_ID = object()
_NOT_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[^][{}"]+', re.DOTALL)

Method = Callable[..., Any]
Caller = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a bound method and returns its result: where it runs is the server's choice."""

log = logging.getLogger(__name__)


class RpcError(Exception):
    """An error object of the reply; `data` is left out when None."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        error = {"code": self.code, "message": self.message}
        return error if self.data is None else error | {"data": self.data}


class InvalidParams(RpcError):
    """A parameter is missing, superfluous or malformed."""

    def __init__(self, message: str) -> None:
        super().__init__(INVALID_PARAMS, message)


@dataclass(frozen=True, slots=True)
class Awaited:
    """A method's answer that is not there yet: what `look` finds within `seconds`, or `late`.

    Whoever runs methods looks again now and then.
    """

    look: Callable[[], Any]
    seconds: float
    late: RpcError


class NotJson(Exception):
    """The bytes are not JSON, or nest deeper than `DEPTH_MAX`."""


def parse(body: bytes) -> Any:
    """The JSON value of bytes from a stranger. Raises `NotJson`.

    The parser recurses in C up to the interpreter's limit, which py-evm's dependencies
    raise so far that the stack ends first, and the process with it: so depth is counted
    before it sees the bytes.
    """
    if _is_deep(body):
        raise NotJson
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotJson from None


async def answer(
    body: bytes,
    methods: Mapping[str, Method],
    call: Caller,
    absent: Mapping[str, str] | None = None,
) -> bytes | None:
    """The reply to a request body, or None when it held notifications only.

    `absent` says what to do in place of a method that is asked for in vain.
    """
    try:
        request = parse(body)
    except NotJson:
        return _encode(failure(None, RpcError(PARSE_ERROR, "Parse error")))
    missing = absent or {}
    if not isinstance(request, list):
        reply = await _answer_one(request, methods, call, missing)
        return None if reply is None else _encode(reply)
    if not request:
        return _encode(failure(None, RpcError(INVALID_REQUEST, "Invalid Request")))
    if len(request) > BATCH_MAX:
        message = f"batch of {len(request)} requests, at most {BATCH_MAX} are served at once"
        return _encode(failure(None, RpcError(INVALID_REQUEST, message)))
    replies = [await _answer_one(one, methods, call, missing) for one in request]
    spoken = [reply for reply in replies if reply is not None]
    return _encode(spoken) if spoken else None


def _is_deep(body: bytes) -> bool:
    """Whether brackets outside strings nest deeper than `DEPTH_MAX`."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return False
    depth = 0
    for bracket in _NOT_BRACKETS.sub(b"", body):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_MAX:
            return True
    return False


async def _answer_one(
    request: Any, methods: Mapping[str, Method], call: Caller, absent: Mapping[str, str]
) -> dict[str, Any] | None:
    identity = request.get("id", _NO_ID) if isinstance(request, dict) else _NO_ID
    if not _is_request(request) or not _is_identity(identity):
        known = identity if identity is not _NO_ID and _is_identity(identity) else None
        return failure(known, RpcError(INVALID_REQUEST, "Invalid Request"))
    try:
        name = request["method"]
        if name not in methods:
            raise _not_found(absent.get(name))
        bound = _bind(methods[name], name, request.get("params", []))
        result = await call(bound)
    except RpcError as error:
        return None if identity is _NO_ID else failure(identity, error)
    except Exception:
        log.exception("%s failed", request["method"])
        fault = RpcError(INTERNAL_ERROR, "Internal error")
        return None if identity is _NO_ID else failure(identity, fault)
    if identity is _NO_ID:
        return None
    return {"jsonrpc": "2.0", "id": identity, "result": result}


def _is_request(request: Any) -> bool:
    return (
        isinstance(request, dict)
        and request.get("jsonrpc") == "2.0"
        and isinstance(request.get("method"), str)
        and isinstance(request.get("params", []), list | dict)
    )


def _is_identity(identity: Any) -> bool:
    if isinstance(identity, bool):
        return False
    if isinstance(identity, int):
        # Beyond 64 bits many parsers, ours for replies included, lose the number.
        return -(2**63) <= identity < 2**64
    return identity is _NO_ID or identity is None or isinstance(identity, str | float)


def _not_found(instead: str | None) -> RpcError:
    """In the words of the specification, and what to do where that is known."""
    said = "Method not found"
    return RpcError(METHOD_NOT_FOUND, said if instead is None else f"{said}: {instead}")


def _bind(method: Method, name: str, params: list[Any] | dict[str, Any]) -> Any:
    try:
        if isinstance(params, list):
            bound = inspect.signature(method).bind(*params)
        else:
            bound = inspect.signature(method).bind(**params)
    except TypeError as mismatch:
        raise InvalidParams(f"{name}: {mismatch}") from None
    return lambda: method(*bound.args, **bound.kwargs)


def failure(identity: Any, error: RpcError) -> dict[str, Any]:
    """The reply that carries `error`."""
    return {"jsonrpc": "2.0", "id": identity, "error": error.as_json()}


def _encode(reply: Any) -> bytes:
    return msgspec.json.encode(reply)
