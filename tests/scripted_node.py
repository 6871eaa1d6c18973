"""A node that says what a test wrote down, and a wire that can be cut, for clients to live with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from node.rpc.server import RunningServer

Script = Callable[["Spoken"], Awaitable[None]]


class Spoken:
    """One WebSocket of a scripted node."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket

    async def asked(self) -> Any:
        """The next request."""
        return msgspec.json.decode((await self.socket.receive()).data)

    async def subscribe(self, name: str = "0x1") -> Any:
        """Answer a subscription; what was asked for."""
        request = await self.asked()
        await self.reply(request, result=name)
        return request["params"]

    async def reply(self, request: Any, **what: Any) -> None:
        text = msgspec.json.encode({"jsonrpc": "2.0", "id": request["id"]} | what)
        await self.socket.send_str(text.decode())

    async def notice(self, sequence: int, data: Any, **changed: Any) -> None:
        params = {"subscription": "0x1", "sequence": sequence, "channel": "book", "batch": 1}
        params |= {"time": 5, "type": "delta" if sequence > 1 else "snapshot", "data": data}
        notice = {"method": "venue_subscription", "params": params | changed}
        await self.socket.send_str(msgspec.json.encode(notice).decode())

    async def until_left(self) -> None:
        async for _ in self.socket:
            pass


@asynccontextmanager
async def scripted(*scripts: Script, autoping: bool = True) -> AsyncIterator[str]:
    """The URL of a node that follows a script on each connection, the last one on all others."""
    waiting = list(scripts)

    async def speak(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=autoping)
        await socket.prepare(request)
        script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        await script(Spoken(socket))
        return socket

    app = web.Application()
    app.router.add_get("/", speak)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Wire:
    """Between a client and a server; `is_deaf` keeps from the client what the server says."""

    def __init__(self, port: int) -> None:
        self.is_deaf = False
        self.connections = 0
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self._heard = asyncio.Event()
        self.carrying: set[asyncio.Task[None]] = set()

    async def connect(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        self.connections += 1
        server, requests = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [answers, requests]
        there = self._carry(client, requests, from_server=False)
        back = self._carry(server, answers, from_server=True)
        self.carrying |= {asyncio.create_task(there), asyncio.create_task(back)}

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_server: bool
    ) -> None:
        try:
            while data := await reader.read(65_536):
                if from_server and self.is_deaf:
                    self._heard.set()
                else:
                    writer.write(data)
        except ConnectionError:
            pass
        writer.close()

    async def lose_an_answer(self) -> None:
        """Wait until the server has answered something, keep it back, and break the wire."""
        self._heard.clear()
        await self._heard.wait()
        self.cut()
        self.is_deaf = False

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def wired(server: RunningServer) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to a server, and the URL at its other end."""
    wire = Wire(server.port)
    listening = await asyncio.start_server(wire.connect, "127.0.0.1", 0)
    try:
        yield wire, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        wire.cut()
        listening.close()
        await asyncio.gather(*wire.carrying)


async def text_only(spoken: Spoken) -> None:
    """Take a subscription and say nothing more, not even that one is there."""
    await spoken.subscribe()
    while (await spoken.socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
        pass
