"""Worker processes that recover signers while the node does something else.

Whatever waits is sent at once, in frames of at most `FRAME_ROWS`, to whoever is free. A worker
that dies, or stays silent, is replaced; what it had is told as unknown, which costs whoever
asked a recovery of its own and nothing else.
"""

import asyncio
import contextlib
import fcntl
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, cast

import structlog

from node.signers.frames import PIPE_BYTES, Known, is_recoverable
from node.signers.process import Request, Worker
from state.chunks import Row
from state.eip712 import Domain

log = structlog.get_logger(__name__)

FRAME_ROWS = 128
PAUSE_SECONDS = 1.0
"""Between the end of a worker and the start of the next in its place."""

_ROOT = Path(__file__).resolve().parents[2]


class SignerPool:
    """`count` workers, each with at most `rows_ahead` rows at a time that it has not answered.

    The fewer, the better they share; the more, the longer they work while nobody listens.
    """

    def __init__(self, on: Domain, count: int, rows_ahead: int = 2 * FRAME_ROWS) -> None:
        self._progress: Callable[[], None] | None = None
        self.ended = 0
        """How many workers ended that nobody asked to."""
        self._domain = on
        self._count = count
        self._rows_ahead = rows_ahead
        self._waiting: deque[tuple[Request, Row]] = deque()
        self._workers: list[Worker] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._is_due = False

    @property
    def workers(self) -> Sequence[Worker]:
        """Those that run now."""
        return self._workers

    @property
    def _prompt(self) -> list[Worker]:
        """Those that answer."""
        return [worker for worker in self._workers if not worker.is_late]

    async def start(self, progress: Callable[[], None] | None = None) -> None:
        """Return once every worker runs that can be started.

        `progress` is called whenever some signers were recovered.
        """
        self._progress = progress
        started = [asyncio.Event() for _ in range(self._count)]
        self._tasks = [asyncio.create_task(self._keep(event)) for event in started]
        await asyncio.gather(*(event.wait() for event in started))

    def ask(self, rows: Sequence[Row]) -> Request | None:
        """Recover the signers of `rows`; None where there is nothing to be done ahead."""
        if not self._prompt:
            return None
        rows = [row for row in rows if is_recoverable(row)]
        if not rows:
            return None
        request = Request(len(rows))
        self._waiting.extend([(request, row) for row in rows])
        if not self._is_due:
            # What else comes in this turn of the loop goes into the same frame.
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._dispatch)
        return request

    async def recover(self, rows: Sequence[Row]) -> Known:
        """As `ask`, waited for."""
        request = self.ask(rows)
        return {} if request is None else await self.wait(request)

    async def wait(self, request: Request) -> Known:
        """What was found, once that is all there is to find."""
        if not request.is_done:
            request.done = asyncio.get_running_loop().create_future()
            await request.done
        return request.known

    async def close(self) -> None:
        """End every worker; whoever still waits does without."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self._workers:
            worker.kill()
            worker.give_up()
            await _ended(worker)
        self._workers.clear()
        self._drop_waiting()

    # --- parts ---

    def _dispatch(self) -> None:
        """Send what waits to whoever has the least to do.

        Who still has something to do gets whole frames only: what is less waits for more, or for
        the answer, since a frame costs both sides as much as several signers in it.
        """
        self._is_due = False
        while self._waiting:
            free = [one for one in self._prompt if one.rows < self._rows_ahead]
            if not free:
                return
            idle = sum(not one.rows for one in free)
            share = -(-len(self._waiting) // max(1, idle))
            worker = min(free, key=lambda one: one.rows)
            count = min(FRAME_ROWS, share, len(self._waiting), self._rows_ahead - worker.rows)
            if worker.rows and count < FRAME_ROWS:
                return
            worker.send([self._waiting.popleft() for _ in range(count)])

    def _drop_waiting(self) -> None:
        while self._waiting:
            request, _ = self._waiting.popleft()
            request.add({})

    def _changed(self) -> None:
        """There is a worker less that answers."""
        if not self._prompt:
            self._drop_waiting()
        self._dispatch()
        self._told()

    async def _start_worker(self) -> Worker:
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        near, far = _wide_pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "node.signers.worker"),
                *(str(self._domain.chain_id), self._domain.rollup.hex()),
                stdin=far,
                stdout=asyncio.subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path},
                start_new_session=True,
            )
        except BaseException:
            near.close()
            raise
        finally:
            os.close(far)
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, near)
        worker = Worker(process, pipe, self._changed)
        self._workers.append(worker)
        return worker

    async def _keep(self, tried: asyncio.Event) -> None:
        """Have a worker, and when it ends another. Sets `tried` once that was tried."""
        while True:
            try:
                worker = await self._start_worker()
            except OSError as error:
                log.warning("signature_worker_not_started", error=str(error))
            else:
                tried.set()
                await self._listen(worker)
                await self._bury(worker)
            tried.set()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _bury(self, worker: Worker) -> None:
        self._workers.remove(worker)
        self.ended += 1
        worker.kill()
        worker.give_up()
        self._changed()
        await _ended(worker)
        log.warning("signature_worker_ended", code=worker.process.returncode)

    async def _listen(self, worker: Worker) -> None:
        try:
            while True:
                await worker.receive()
                self._dispatch()
                self._told()
        except (EOFError, OSError, ValueError):
            return

    def _told(self) -> None:
        if self._progress is not None:
            self._progress()


async def _ended(worker: Worker) -> None:
    """Nothing of the process is left; its pipe is closed."""
    if not worker.pipe.is_closing():
        worker.pipe.abort()
    await worker.process.wait()


def _wide_pipe() -> tuple[BinaryIO, int]:
    """An end to write and an end to read; it takes `PIPE_BYTES` that nobody reads yet."""
    far, near = os.pipe()
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(near, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return cast(BinaryIO, open(near, "wb", buffering=0)), far
