"""The devnet as a service: Ethereum JSON-RPC over HTTP, and blocks at their time.

Importing this loads py-evm; a process that only speaks to L1 imports `node.l1.client`.
"""

import asyncio
import contextlib
import errno
import logging
from collections.abc import Callable
from typing import Any, Self

import msgspec
from aiohttp import web

from node.clock import Clock, SystemClock
from node.connections import LimitedSite, until_taken
from node.errors import Halt
from node.l1.accounts import BALANCE, dev_accounts
from node.l1.block_file import BlockFile, NoStore
from node.l1.config import L1Config
from node.l1.devnet import Devnet, Genesis
from node.l1.evm import Evm
from node.l1.jsonrpc import INVALID_REQUEST, Awaited, Method, RpcError, answer, failure
from node.l1.methods import ABSENT, all_methods
from node.l1.methods.selection import Selection
from node.l1.worker import Worker
from node.origins import headers_for, is_welcome

LOOK_SECONDS = 0.02
_UNWELCOME = "pages of this origin may not speak to this L1: name it with --allow-origin"

log = logging.getLogger(__name__)

TOO_MANY = -32005
"""As EIP-1474 names it: a limit was exceeded."""


class L1Server:
    """A devnet behind a port. `async with` starts and stops it."""

    def __init__(self, config: L1Config, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._worker = Worker()
        self._file: BlockFile | None = None
        self._runner: web.AppRunner | None = None
        self._mining: asyncio.Task[None] | None = None
        self._mining_interval = 0.0
        self._methods: dict[str, Method] = {}
        self.devnet: Devnet
        self.url = ""
        self.halted: asyncio.Future[Halt] = asyncio.get_running_loop().create_future()
        """Set once the chain cannot go on, for instance because its disk is full."""

    async def __aenter__(self) -> Self:
        try:
            self.devnet = await self._worker.run(self._open)
            self._methods = self._table()
            await self._listen()
        except BaseException:
            await self.close()
            raise
        self._follow_interval()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Answer what is under way, then stop; the chain's file is whole at any time."""
        if self._mining is not None:
            self._mining.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._mining
            self._mining = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await asyncio.to_thread(self._worker.close)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> Devnet:
        config = self._config
        store: BlockFile | NoStore = NoStore()
        if config.data_directory is not None:
            store = self._file = BlockFile(config.data_directory, config.chain_id)
        balances = {account.address: BALANCE for account in dev_accounts()}
        return Devnet(
            Evm(config.chain_id),
            store,
            store.records(),
            genesis=Genesis(balances, config.block_gas_limit),
            now=self._clock.now,
            interval=config.block_time,
        )

    def _table(self) -> dict[str, Method]:
        config = self._config
        selection = Selection(self.devnet, config.safe_depth, config.finalized_depth)
        return all_methods(
            self.devnet,
            selection,
            log_blocks_max=config.log_blocks_max,
            log_results_max=config.log_results_max,
        )

    async def _listen(self) -> None:
        config = self._config
        application = web.Application(client_max_size=config.body_bytes_max)
        application.router.add_post("/", self._post)
        application.router.add_options("/", self._options)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=config.idle_seconds_max,
        )
        await self._runner.setup()
        too_many = msgspec.json.encode(failure(None, RpcError(TOO_MANY, "too many connections")))
        limits = config.connections
        site = LimitedSite(
            self._runner, config.host, config.port, limits=limits, turned_away=too_many
        )
        try:
            await site.start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                message = f"port {config.port} on {config.host} is taken: choose another, or 0"
                raise OSError(errno.EADDRINUSE, message) from None
            raise
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _post(self, request: web.Request) -> web.Response:
        await until_taken(request.transport)
        origin = request.headers.get("Origin")
        if not is_welcome(origin, self._config.allowed_origins):
            return web.Response(status=403, text=f"{_UNWELCOME}\n")
        if request.content_type != "application/json":
            # Also what keeps pages of other sites out: they cannot send this type unasked.
            return web.Response(status=415, text="send Content-Type: application/json\n")
        if "Content-Encoding" in request.headers:
            return web.Response(status=415, text="send the body uncompressed\n")
        try:
            async with asyncio.timeout(self._config.body_seconds_max):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408, text="the body took too long\n")
        except web.HTTPRequestEntityTooLarge:
            return self._too_large()
        reply = await answer(body, self._methods, self._call, ABSENT)
        headers = headers_for(origin, request.headers)
        if reply is None:
            return web.Response(status=204, headers=headers)
        return web.Response(body=reply, content_type="application/json", headers=headers)

    async def _options(self, request: web.Request) -> web.Response:
        headers, origin = {"Allow": "POST, OPTIONS"}, request.headers.get("Origin")
        if is_welcome(origin, self._config.allowed_origins):
            headers |= headers_for(origin, request.headers)
        return web.Response(status=204, headers=headers)

    def _too_large(self) -> web.Response:
        message = f"request body above {self._config.body_bytes_max} bytes"
        reply = failure(None, RpcError(INVALID_REQUEST, message))
        body = msgspec.json.encode(reply)
        return web.Response(status=413, body=body, content_type="application/json")

    async def _call(self, bound: Callable[[], Any]) -> Any:
        try:
            result = await self._worker.run(bound)
            return await self._awaited(result) if isinstance(result, Awaited) else result
        except Halt as halt:
            self._halt(halt)
            raise
        finally:
            self._follow_interval()

    async def _awaited(self, wanted: Awaited) -> Any:
        """Look until there is something, with everybody else served in between."""
        self._follow_interval()
        deadline = self._clock.monotonic() + wanted.seconds
        while (found := await self._worker.run(wanted.look)) is None:
            if self._clock.monotonic() >= deadline:
                raise wanted.late
            await self._clock.sleep(min(LOOK_SECONDS, wanted.seconds))
        return found

    def _follow_interval(self) -> None:
        """Mine at the devnet's interval, which a request may have changed."""
        if self.devnet.interval == self._mining_interval:
            return
        if self._mining is not None:
            self._mining.cancel()
            self._mining = None
        self._mining_interval = self.devnet.interval
        if self._mining_interval:
            self._mining = asyncio.create_task(self._mine_every(self._mining_interval))

    async def _mine_every(self, seconds: float) -> None:
        while True:
            await self._clock.sleep(seconds)
            try:
                await self._worker.run(self.devnet.mine)
            except Halt as halt:
                self._halt(halt)
                return
            except Exception:
                log.exception("no block was mined")

    def _halt(self, halt: Halt) -> None:
        if not self.halted.done():
            log.error("the devnet stops: %s", halt)
            self.halted.set_result(halt)


async def run_l1(
    config: L1Config,
    stop: asyncio.Event,
    *,
    clock: Clock | None = None,
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve until `stop` is set; `started` hears the URL, with the real port, once it answers.

    Raises `Halt` where the chain on disk is damaged, another chain's, in use, or cannot be
    written any more, and OSError where the port cannot be had.
    """
    async with L1Server(config, clock) as server:
        if started is not None:
            started(server.url)
        stopping = asyncio.create_task(stop.wait())
        either: set[asyncio.Future[Any]] = {stopping, server.halted}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        if server.halted.done():
            raise server.halted.result()
