"""A worker process seen from the node: what it was asked, and whether it answers.

Whoever does not answer for `LATE_SECONDS` holds nobody up: what it has is told as unknown, and
it gets nothing more until it answers. After `PATIENCE_SECONDS` it is killed.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from node.signers.frames import SIZE_BYTES, Known, encode_rows, found_in, framed
from state.chunks import Row

LATE_SECONDS = 0.5
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.05
"""Between two looks at a worker. Silence is counted in looks, so that a node which was busy itself,
and has not read what came, takes no worker for silent."""


class Request:
    """Rows whose signers somebody wants; `known` is what was found when it `is_done`."""

    __slots__ = ("_waiting", "done", "known")

    def __init__(self, count: int) -> None:
        self._waiting = count
        self.known: Known = {}
        self.done: asyncio.Future[None] | None = None

    @property
    def is_done(self) -> bool:
        return self._waiting == 0

    def add(self, known: Known) -> None:
        """One row more is through, whatever was found."""
        self.known |= known
        self._waiting -= 1
        if self._waiting == 0 and self.done is not None and not self.done.done():
            self.done.set_result(None)


Asked = tuple[Request | None, Row]
"""A row, and who waits for it: nobody does any more when its worker is late."""


class Worker:
    """One process and what it has not answered yet; `changed` is called when it becomes late."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        pipe: asyncio.WriteTransport,
        changed: Callable[[], None],
    ) -> None:
        self.process = process
        self.pipe = pipe
        self.frames: deque[list[Asked]] = deque()
        self.rows = 0
        self.is_late = False
        self._changed = changed
        self._silence = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def send(self, frame: list[Asked]) -> None:
        self.frames.append(frame)
        self.rows += len(frame)
        self.pipe.write(framed(encode_rows(row for _, row in frame)))
        if self._timer is None:
            self._watch()

    async def receive(self) -> None:
        """The next answer, handed out. ValueError or EOFError where it is none."""
        assert self.process.stdout is not None
        size = await self.process.stdout.readexactly(SIZE_BYTES)
        body = await self.process.stdout.readexactly(int.from_bytes(size, "big"))
        if not self.frames:
            raise ValueError("an answer to nothing")
        found = found_in(body, [row for _, row in self.frames[0]])
        self.rows -= len(found)
        for (request, _), (_, known) in zip(self.frames.popleft(), found, strict=True):
            if request is not None:
                request.add(known)
        self.is_late = False
        self._watch()

    def give_up(self) -> None:
        """Whoever waits for this worker does without."""
        for at, frame in enumerate(self.frames):
            self.frames[at] = [(None, row) for _, row in frame]
            for request, _ in frame:
                if request is not None:
                    request.add({})

    def kill(self) -> None:
        self._rest()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def _watch(self) -> None:
        self._rest()
        self._silence = 0.0
        if self.frames:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._silence += LOOK_SECONDS
        if self._silence >= PATIENCE_SECONDS:
            self.kill()
            return
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
        if self._silence >= LATE_SECONDS and not self.is_late:
            self.is_late = True
            self.give_up()
            self._changed()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
