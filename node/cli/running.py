"""A long-running process of ours: how it logs, stops, and says that it is ready."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from node.cli.failures import told
from node.clock import Clock
from node.config import HOST
from node.errors import L1Error, Retry
from node.files import write_whole
from node.stopping import run_until

COLLECT_AFTER = (50_000, 10, 10)
"""As `gc.set_threshold` takes it: objects that came and stayed, and rounds of younger ones."""

LOOK_SECONDS = 1.0
"""Between two looks for an L1 that is away."""

Announce = Callable[..., None]
"""Called once, with keyword facts such as `url`, when the process serves."""

Serve = Callable[[asyncio.Event, Announce], Awaitable[None]]
"""Runs until the event is set, or raises."""


def run_process(serve: Serve, *, ready_file: Path | None, until_stdin_closes: bool) -> None:
    """Run `serve` until SIGINT or SIGTERM, or until standard input closes if that is asked."""
    start_logging()
    with told():
        asyncio.run(_run(serve, ready_file, until_stdin_closes))


def start_logging() -> None:
    """One line an event on standard error, from structlog and from logging alike."""
    import structlog

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[lines], force=True)


def _json(value: Any, **_: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


async def _run(serve: Serve, ready_file: Path | None, until_stdin_closes: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:
        await loop.connect_read_pipe(lambda: _StopAtEnd(stop), sys.stdin)

    def announce(**facts: Any) -> None:
        # What serves now lives as long as the process.
        gc.collect()
        gc.freeze()
        if ready_file is not None:
            write_whole(ready_file, msgspec.json.encode(facts))

    with _rare_collections():
        await serve(stop, announce)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cycles less often, and not among what was there when the process began to serve.

    A node keeps much for long and makes few cycles: looking as often as usual took a seventh of
    its time. What cycles there are wait a little longer, which is a few megabytes.
    """
    usual = gc.get_threshold()
    gc.set_threshold(*COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


async def chain_of(l1_url: str, clock: Clock, stop: asyncio.Event) -> int | None:
    """The id of the chain at a URL, however long L1 is away; None where `stop` is set first.

    For what cannot begin without L1: the log says what is waited for.
    """
    import structlog

    from node.follower import ONE_TRY
    from node.l1.client import L1Client

    found: list[int] = []

    async def ask() -> None:
        told = ""
        while not found:
            try:
                found.append(await client.chain_id())
            except (Retry, L1Error) as error:
                problem = f"L1_AWAY: {error}; this process begins once L1 answers"
                if problem != told:
                    structlog.get_logger(__name__).warning("L1 is away", problem=problem)
                told = problem
                await clock.sleep(LOOK_SECONDS)

    async with L1Client(l1_url, clock=clock, patience=ONE_TRY) as client:
        await run_until(stop, ask())
    return found[0] if found else None


async def serve_view(
    view: Any,
    run: Callable[[asyncio.Event], Awaitable[None]],
    port: int,
    stop: asyncio.Event,
    announce: Announce,
    *,
    listen: str = HOST,
    hosts: tuple[str, ...] = (),
    switches: Path | None = None,
) -> None:
    """Run a service and its JSON-RPC beside it; both end when either must."""
    from msgspec.structs import replace

    from node.cli.listening import rpc_config
    from node.rpc.server import serve

    config = replace(rpc_config(listen, hosts), switches=switches)
    server = await serve(view, listen, port, config)
    announce(url=server.url)
    try:
        await run(stop)
    finally:
        await server.close()


class _StopAtEnd(asyncio.Protocol):
    """Stops the process when whoever holds the other end of its input is gone."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, _: Exception | None) -> None:
        self._stop.set()
