"""Processes of a node that start, crash at any moment, and start again."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any, Protocol

import structlog

from node.errors import Halt, L1Error, Retry
from node.journal import JournalFailed
from node.l1.client import L1Client, Patience
from node.simulation.database import NO_SPACE, SimulatedDatabase, SimulatedDatabases
from node.simulation.deployment import URL
from node.simulation.disk import Killed, MountedDisk, SimulatedDisk
from node.simulation.faults import Faults
from node.simulation.l1 import SimulatedL1
from node.simulation.loop import VirtualClock
from node.simulation.network import TIMEOUT, Network
from node.simulation.trace import Trace, Violation

PATIENCE = Patience(answer=TIMEOUT, question=2 * TIMEOUT)
WRITES = b"eth_sendRawTransaction"
MEND = "check the disk and its free space"
"""What whoever halts because of a write that failed must say."""


class Service(Protocol):
    """A part of the node as its command runs it."""

    async def run(self, stop: asyncio.Event) -> None: ...


class Run:
    """One life of a process: what it is given of the world, until it ends."""

    def __init__(self, process: "Process", number: int) -> None:
        self.number = number
        self.is_alive = True
        self.service: Any = None
        self.struck: set[str] = set()
        self.stop = asyncio.Event()
        self.clock = VirtualClock()
        self._process = process

    @property
    def disk(self) -> MountedDisk:
        return self._process.disk.mount(self)

    def open_database(self, directory: Path) -> SimulatedDatabase:
        """`node.database.OpenDatabase`, on this machine."""
        return self._process.databases.open(directory, self)

    def client(self) -> L1Client:
        """L1 over a network that loses messages."""
        chance = self._process.random.random
        return L1Client(URL, clock=self.clock, chance=chance, patience=PATIENCE, post=self._post)

    def check(self) -> None:
        if not self.is_alive:
            raise Killed

    def end(self, why: str, *, power: bool) -> None:
        self._process.end(why, power=power)

    def strike(self, kind: str) -> None:
        self.struck.add(kind)
        self._process.trace.fault(kind, self._process.name)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        self.check()
        process = self._process
        answer = await process.network.ask(
            process.name, lambda: process.l1.serve(body), twice=WRITES in body
        )
        self.check()
        return answer


class Process:
    """`start` makes the service of a new run. `on_start` is told of every one that stands."""

    def __init__(
        self,
        name: str,
        start: Callable[[Run], Awaitable[Service]],
        *,
        l1: SimulatedL1,
        network: Network,
        faults: Faults,
        trace: Trace,
        on_start: Callable[[Any], None],
    ) -> None:
        self.name = name
        self.l1 = l1
        self.network = network
        self.trace = trace
        self.random: Random = faults.random(name)
        self.disk = SimulatedDisk(faults, name)
        self.databases = SimulatedDatabases(faults, name)
        self.current: Run | None = None
        self._start = start
        self._on_start = on_start
        self._faults = faults
        self._task: asyncio.Task[None] | None = None

    @property
    def service(self) -> Any:
        """What serves now; None while nothing does."""
        run = self.current
        return run.service if run is not None and run.is_alive else None

    async def run(self) -> None:
        """Start it again and again. Violation where it ends for no reason of ours."""
        structlog.contextvars.bind_contextvars(process=self.name)
        number = 0
        while True:
            number += 1
            self.current = run = Run(self, number)
            self._task = asyncio.create_task(self._live(run))
            await asyncio.wait([self._task])
            self._judge(run, self._task)
            run.is_alive, run.service = False, None
            pause = self.random.choice((0.2, 2.0, 2.0, 15.0)) if self._faults.is_on else 1.0
            await asyncio.sleep(pause)

    def end(self, why: str, *, power: bool) -> None:
        """Kill what runs now; with `power`, what its machine had not synced is lost too."""
        run = self.current
        if run is None or not run.is_alive:
            return
        run.is_alive = False
        lost = 0
        if power:
            lost = self.disk.lose_power() + self.databases.lose_power()
        self.trace.fault(why, self.name, run=run.number, lost=lost)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def stop(self) -> None:
        """Ask it to end in good order."""
        if self.current is not None and self.current.is_alive:
            self.trace.fault("stop", self.name, run=self.current.number)
            self.current.stop.set()

    async def _live(self, run: Run) -> None:
        service = await self._start(run)
        run.check()
        run.service = service
        self.trace.add(self.name, "started", run=run.number)
        self._on_start(service)
        await service.run(run.stop)

    def _judge(self, run: Run, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Violation):
            raise error
        if not run.is_alive:
            return
        if isinstance(error, JournalFailed):
            self.trace.add(self.name, "stopped", why="the disk failed")
        elif isinstance(error, Halt) and self._may_halt(run) and MEND in str(error):
            self.trace.add(self.name, "stopped", why="the disk is full")
        elif isinstance(error, Retry | L1Error) and run.service is None:
            self.trace.add(self.name, "did not start", why=error)
        elif error is not None or not run.stop.is_set():
            kind = "halted" if isinstance(error, Halt) else "ended"
            raise Violation(f"{self.name} {kind}", repr(error)) from error

    def _may_halt(self, run: Run) -> bool:
        """A full disk ends a process. A sequencer that serves only writes snapshots there."""
        serves = self.name == "sequencer" and run.service is not None
        return NO_SPACE in run.struck and not serves
