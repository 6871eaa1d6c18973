"""JSON-RPC 2.0 envelopes: from bytes to calls, from outcomes to bytes.

Every input has an answer: bytes that are no JSON get -32700, values that are no request
-32600. Nothing here knows a method.
"""

from typing import Any

import msgspec

from node.l1.jsonrpc import DEPTH_MAX, NotJson, parse
from node.rpc import wire
from node.rpc.errors import RpcError, invalid_request, parse_error, shown

BATCH_MAX = 100


class Call(msgspec.Struct, frozen=True):
    """A well-formed request; a notification wants no answer, not even an error.

    `params` are a Struct where they were read already.
    """

    method: str
    params: list[Any] | dict[str, Any] | msgspec.Struct
    identity: Any = None
    is_notification: bool = False


class Faulty(msgspec.Struct, frozen=True):
    """A value in the place of a request that is none, and its error."""

    identity: Any
    error: RpcError


class Incoming(msgspec.Struct, frozen=True):
    """What one body or message held."""

    calls: list[Call | Faulty]
    is_batch: bool


def read(body: bytes) -> Incoming:
    """The calls in `body`. RpcError where there is but one error to tell."""
    value = _decoded(body)
    if not isinstance(value, list):
        return Incoming([_read_one(value)], is_batch=False)
    if not value:
        raise invalid_request("empty_batch", "a batch has at least one request")
    if len(value) > BATCH_MAX:
        raise invalid_request(
            "batch_too_large", f"{len(value)} requests in a batch, at most {BATCH_MAX} are served"
        )
    return Incoming([_read_one(one) for one in value], is_batch=True)


def _decoded(body: bytes) -> Any:
    try:
        return parse(body)
    except NotJson:
        raise parse_error(f"not one JSON text, or nested deeper than {DEPTH_MAX} levels") from None


def _read_one(value: Any) -> Call | Faulty:
    if not isinstance(value, dict):
        return Faulty(None, invalid_request("not_an_object", f"got {shown(value)}"))
    identity, fault = value.get("id"), _fault(value)
    if not _is_identity(identity):
        identity = None
        fault = fault or ("bad_id", "an id is a string, a number of at most 64 bits, or null")
    if fault is not None:
        return Faulty(identity, invalid_request(*fault))
    return Call(value["method"], value.get("params", []), identity, "id" not in value)


def _fault(request: dict[str, Any]) -> tuple[str, str] | None:
    method = request.get("method")
    if request.get("jsonrpc") != "2.0":
        return "wrong_version", f'"jsonrpc" is "2.0", not {shown(request.get("jsonrpc"))}'
    if not isinstance(method, str):
        return "bad_method", f"a method's name is a string, not {shown(method)}"
    if not isinstance(request.get("params", []), list | dict):
        return "bad_params", "params are an array or an object, or left out"
    return None


def _is_identity(identity: Any) -> bool:
    if isinstance(identity, bool):
        return False
    if isinstance(identity, int):
        return -(2**63) <= identity < 2**64
    return identity is None or isinstance(identity, str | float)


def success(identity: Any, result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "result": result}


def failure(identity: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "error": error.as_json()}


def notification(method: str, params: Any) -> bytes:
    """A message of the server's own accord."""
    return wire.encode({"jsonrpc": "2.0", "method": method, "params": params})
