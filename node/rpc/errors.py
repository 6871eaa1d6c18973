"""Errors as they leave the server. Each names a stable reason and how to mend it.

| code | |
|---|---|
| -32700, -32600, -32601, -32602, -32603 | as JSON-RPC 2.0 says |
| -32001 .. -32009 | the server's limits and doors |
| 1000 + `state.Status` | refused by the venue's rules |
| 2001 .. 2099 | there is no such thing, or not here |
"""

from enum import IntEnum
from typing import Any

from node.errors import Halt, Retry

SHOWN_MAX = 80


class Code(IntEnum):
    """Every code that is not a status of the rules."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    BODY_TOO_LARGE = -32001
    WRONG_MEDIA = -32002
    FORBIDDEN = -32003
    TOO_SLOW = -32004
    TOO_MANY = -32005
    WRONG_DOOR = -32006
    UNAVAILABLE = -32007
    HALTED = -32008
    REPLY_TOO_LARGE = -32009
    NOT_FOUND = 2001
    READ_ONLY = 2002
    NEEDS_WEBSOCKET = 2003
    CLIENT_ORDER_ID_USED = 2004
    NOT_ATTEMPTED = 2005


REFUSED = 1000
"""Added to a status of the rules, the code of its refusal."""


class RpcError(Exception):
    """The error object of a reply: `data` holds reason, mend and what else is known."""

    def __init__(self, code: int, reason: str, message: str, mend: str, **details: Any) -> None:
        super().__init__(f"{message} ({reason}, code {code})")
        self.code = code
        self.reason = reason
        self.message = message
        self.data: dict[str, Any] = {"reason": reason, "mend": mend, **details}

    def as_json(self) -> dict[str, Any]:
        return {"code": int(self.code), "message": self.message, "data": self.data}


class InvalidParams(RpcError):
    """A parameter is missing, superfluous or not what it should be."""

    def __init__(self, reason: str, message: str, mend: str, **details: Any) -> None:
        super().__init__(Code.INVALID_PARAMS, reason, f"Invalid params: {message}", mend, **details)


class NotFound(RpcError):
    """What was asked for is not in this node's state."""

    def __init__(self, reason: str, message: str, mend: str, **details: Any) -> None:
        super().__init__(Code.NOT_FOUND, reason, message, mend, **details)


class Malformed(ValueError):
    """A value that is not of its type; the dispatcher adds where it stood."""

    def __init__(self, reason: str, *, expected: str, got: Any, mend: str) -> None:
        super().__init__(f"expected {expected}, got {shown(got)}")
        self.reason = reason
        self.expected = expected
        self.got = shown(got)
        self.mend = mend


def shown(value: Any) -> str:
    """`value` as an error may show it: short, and on one line."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python converts
        return f"a value of type {type(value).__name__} too long to show"
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."


def parse_error(detail: str) -> RpcError:
    return RpcError(
        *(Code.PARSE_ERROR, "not_json", "Parse error", "send one JSON text in UTF-8"),
        detail=detail,
    )


def invalid_request(reason: str, detail: str) -> RpcError:
    return RpcError(
        *(Code.INVALID_REQUEST, reason, "Invalid Request"),
        'send {"jsonrpc": "2.0", "method": ..., "params": ..., "id": ...} or a list of those',
        detail=detail,
    )


def internal_error() -> RpcError:
    """A fault of ours; what it was stands in the node's log and nowhere else."""
    return RpcError(
        *(Code.INTERNAL_ERROR, "internal_error", "Internal error"),
        "this is a fault of the node: its log has the details",
    )


def unavailable(fault: Retry) -> RpcError:
    """The node cannot do this now."""
    return RpcError(
        *(Code.UNAVAILABLE, "unavailable", f"The node cannot do this now: {fault}"),
        "send the same request again in a moment",
        cause=str(getattr(fault, "reason", "unavailable")),
        retryable=True,
    )


def halted(fault: Halt) -> RpcError:
    """The node will not do this any more."""
    return RpcError(
        *(Code.HALTED, "halted", f"The node has stopped for safety: {fault}"),
        "its operator must look at it; rollup_syncStatus lists the problems",
        retryable=False,
    )


def overview() -> list[dict[str, Any]]:
    """The codes that are not statuses, for `rpc.discover`."""
    return [{"code": int(code), "name": code.name.lower()} for code in Code]
