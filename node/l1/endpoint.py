"""One JSON-RPC endpoint over HTTP: ask once, and say what went wrong in our own words."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from node.errors import L1Error, Retry
from node.l1.jsonrpc import NotJson, parse

ANSWER_BYTES_MAX = 64 * 1024 * 1024
_RESOURCE_UNAVAILABLE = -32002
_LIMIT_EXCEEDED = -32005
_TOO_MANY_REQUESTS = 429

Post = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""Carries a request's body to L1: the HTTP status and body of the answer.

TimeoutError where none came in time, OSError where L1 cannot be reached."""


class Endpoint:
    """`url` may hold a provider's key, so messages name only its host."""

    def __init__(self, url: str, *, timeout_seconds: float, post: Post | None = None) -> None:
        """`post` stands in for HTTP, so that a simulation can hand in its own network."""
        self._url = url
        self._post = post or self._post_http
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError("the L1 URL must be http://host:port or https://host/path")
        port = "" if parts.port is None else f":{parts.port}"
        self.shown_url = f"{parts.scheme}://{parts.hostname}{port}"
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._identities = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, method: str, params: list[Any]) -> Any:
        """The result. Raises `L1Error` if L1 refuses, `Retry` if there is no answer to read."""
        identity = next(self._identities)
        request = {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}
        try:
            status, body = await self._post(msgspec.json.encode(request))
        except TimeoutError:
            raise Retry(f"L1 at {self.shown_url} did not answer {method} in time") from None
        except (aiohttp.ClientError, OSError) as error:
            kind = type(error).__name__
            raise Retry(f"L1 at {self.shown_url} cannot be reached: {kind}") from None
        return self._result(method, identity, status, body)

    async def _post_http(self, body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        async with self._session.post(
            self._url, data=body, headers={"Content-Type": "application/json"}
        ) as response:
            return response.status, await self._body(response)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for piece in response.content.iter_chunked(65_536):
            body += piece
            if len(body) > ANSWER_BYTES_MAX:
                raise L1Error(_LIMIT_EXCEEDED, f"the answer exceeds {ANSWER_BYTES_MAX} bytes")
        return bytes(body)

    def _result(self, method: str, identity: int, status: int, body: bytes) -> Any:
        try:
            reply = parse(body)
        except NotJson:
            reply = None
        if isinstance(reply, dict) and isinstance(reply.get("error"), dict):
            raise _refusal(reply["error"])
        if status == _TOO_MANY_REQUESTS or status >= 500:
            raise Retry(f"L1 at {self.shown_url} answered {method} with HTTP status {status}")
        if status >= 400:
            raise L1Error(status, f"HTTP status {status} from {self.shown_url}")
        if not isinstance(reply, dict) or reply.get("id") != identity or "result" not in reply:
            raise Retry(f"L1 at {self.shown_url} answered {method} with something else")
        return reply["result"]


def _refusal(error: dict[str, Any]) -> Exception:
    code, message = error.get("code"), str(error.get("message", ""))
    number = code if isinstance(code, int) else 0
    busy = number in (_TOO_MANY_REQUESTS, _RESOURCE_UNAVAILABLE) or (
        number == _LIMIT_EXCEEDED and "rate" in message.lower()
    )
    if busy:
        return Retry(f"L1 is busy: {message} (code {number})")
    return L1Error(number, message, error.get("data"))
