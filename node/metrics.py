"""Figures of a service for Prometheus, under /metrics of a port on loopback."""

import errno

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from node.config import HOST
from node.connections import ConnectionLimits, LimitedSite

BUSY = b"too many connections\n"
LIMITS = ConnectionLimits(connections_max=16, reply_seconds=10.0)


class MetricsServer:
    """Collects anew for everybody who asks. Port 0 takes a free one."""

    def __init__(self, collector: Collector, port: int) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens, once it does."""
        assert self._runner is not None, "`start` comes first"
        return f"http://{HOST}:{self._runner.addresses[0][1]}/metrics"

    async def start(self) -> None:
        """OSError where the port cannot be had."""
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = LimitedSite(self._runner, HOST, self._port, limits=LIMITS, turned_away=BUSY)
        try:
            await site.start()
        except OSError as error:
            await self.close()
            if error.errno == errno.EADDRINUSE:
                message = f"port {self._port} on {HOST} is taken: choose another, or 0"
                raise OSError(errno.EADDRINUSE, message) from None
            raise

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
