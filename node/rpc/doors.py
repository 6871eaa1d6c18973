"""What is turned away before any JSON is read, with an answer that is JSON-RPC all the same."""

import asyncio
import logging
import re
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http import HttpProcessingError

from node.origins import is_welcome
from node.rpc import wire
from node.rpc.envelope import failure
from node.rpc.errors import Code, RpcError, shown

_NOT_IN_A_HOST = re.compile(r"[/?#@\\\s]")


class Refused(Exception):
    """A request that is not served; `response` says why."""

    def __init__(self, status: int, error: RpcError, *, close: bool = False) -> None:
        super().__init__(error.message)
        self.response = web.Response(
            status=status,
            body=wire.encode(failure(None, error)),
            content_type="application/json",
        )
        if close:
            self.response.force_close()

    @classmethod
    def too_many(cls, message: str) -> "Refused":
        return cls(503, _too_many(message))


def _too_many(message: str) -> RpcError:
    mend = "close one, or try again later"
    return RpcError(Code.TOO_MANY, "too_many_connections", message, mend)


TURNED_AWAY = wire.encode(failure(None, _too_many("There are too many connections already")))
"""The body for a connection above the limit."""


def check_form(request: web.Request) -> None:
    """Method and media type. Refused where one is not as it should be."""
    if request.method == "GET":
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise _wrong_door(request)
    elif request.method == "POST":
        _check_media(request)
    elif request.method != "OPTIONS" or "Origin" not in request.headers:
        raise _wrong_door(request)


def check_names(request: web.Request, hosts: tuple[str, ...]) -> None:
    """Host and Origin: Refused where one is not as it should be.

    Against DNS rebinding and cross-site WebSockets: both headers are the browser's own.
    """
    _check_name("Host", request.host, _host_of(f"http://{request.host}"), hosts)
    origin = request.headers.get("Origin")
    if origin is not None and not is_welcome(origin, ()):
        _check_name("Origin", origin, _host_of(origin), hosts)


def _check_name(header: str, got: str, host: str | None, hosts: tuple[str, ...]) -> None:
    if host in hosts:
        return
    raise Refused(
        403,
        RpcError(
            *(Code.FORBIDDEN, f"{header.lower()}_not_allowed"),
            f"The {header} header names a host that this node does not answer to",
            f"use one of {', '.join(hosts)}, or have its operator add the name",
            expected=list(hosts),
            got=shown(got),
        ),
        close=True,
    )


def _host_of(url: str) -> str | None:
    """Of a scheme, a host and perhaps a port; None where there is anything else."""
    if _NOT_IN_A_HOST.search(url.partition("://")[2]):
        return None
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _check_media(request: web.Request) -> None:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if request.content_type != "application/json" or encoding != "identity":
        raise Refused(
            415,
            RpcError(
                *(Code.WRONG_MEDIA, "wrong_media", "The body must be JSON, not compressed"),
                "send Content-Type: application/json and no Content-Encoding",
                expected="application/json",
                got=shown(f"{request.content_type}, {encoding}"),
            ),
            close=True,
        )


def _wrong_door(request: web.Request) -> Refused:
    refused = Refused(
        405,
        RpcError(
            *(Code.WRONG_DOOR, "wrong_method", "This address takes JSON-RPC"),
            "POST a JSON-RPC request, or open a WebSocket",
            expected=["POST", "GET with Upgrade: websocket"],
            got=shown(request.method),
        ),
        close=True,
    )
    refused.response.headers["Allow"] = "GET, POST"
    return refused


async def body_of(request: web.Request, seconds: float) -> bytes:
    """The body, if it is small enough and comes in time."""
    try:
        async with asyncio.timeout(seconds):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        large = RpcError(
            *(Code.BODY_TOO_LARGE, "body_too_large", "The body is too large"),
            "split a batch into several",
            expected=f"at most {request.client_max_size} bytes",
        )
        raise Refused(413, large, close=True) from None
    except TimeoutError:
        late = RpcError(
            *(Code.TOO_SLOW, "body_too_slow", "The body did not arrive in time"),
            f"send the whole body within {seconds:g} seconds",
        )
        raise Refused(408, late, close=True) from None


class _OurFaults(logging.Filter):
    """Lets nothing by that a stranger can write at will: bad HTTP has had its answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        fault = record.exc_info[1] if record.exc_info else None
        return not isinstance(fault, HttpProcessingError)


def http_log() -> logging.Logger:
    """Where the HTTP server logs its own failures."""
    found = logging.getLogger(__name__)
    if not found.filters:
        found.addFilter(_OurFaults())
    return found
