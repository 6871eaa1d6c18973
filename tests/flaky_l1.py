"""An L1 endpoint that misbehaves as told, request by request."""

import asyncio
import json
from types import TracebackType
from typing import Any

from aiohttp import web


class FlakyL1:
    """Plays `script`, one act per request, and the last one for ever after.

    An act is a status and a body, in which "$id" stands for the request's id; or "hang",
    or "drop".
    """

    def __init__(self, *script: tuple[int, str] | str) -> None:
        self._script = list(script)
        self._runner: web.AppRunner
        self.url = ""
        self.asked: list[str] = []
        """The methods of the requests so far."""

    async def __aenter__(self) -> "FlakyL1":
        application = web.Application()
        application.router.add_post("/{path:.*}", self._act)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _act(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        self.asked.append(asked["method"])
        act = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if act == "hang":
            await asyncio.sleep(60)
        if isinstance(act, str):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        status, body = act
        return web.Response(status=status, text=body.replace("$id", str(asked["id"])))


def result(value: Any) -> tuple[int, str]:
    return 200, json.dumps({"jsonrpc": "2.0", "id": "$id", "result": value}).replace('"$id"', "$id")


def error(code: int, message: str, data: Any = None, status: int = 200) -> tuple[int, str]:
    whole = {"jsonrpc": "2.0", "id": "$id", "error": {"code": code, "message": message}}
    if data is not None:
        whole["error"] = {"code": code, "message": message, "data": data}
    return status, json.dumps(whole).replace('"$id"', "$id")
