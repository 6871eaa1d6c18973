"""Batches from L1 whose signers are recovered while those before them are executed."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence

from msgspec import Struct

from node.rollup_events import BatchPosted, RollupEvent
from node.signatures import Recoverer
from node.signers.frames import Known, encode_rows, found_in, is_recoverable
from node.signers.known import KnownSigners
from node.signers.pool import SignerPool
from node.signers.process import Request
from node.signers.worker import answer
from state.batch import decode_header
from state.chunks import Row, decode_chunk, split_payload
from state.eip712 import Domain
from state.lz4_block import CodecError
from state.packing import NotCanonical

EVENTS_AHEAD = 8
"""Events that are looked at before their turn."""

ROWS_AHEAD = 8_192
"""Rows a worker may have: it must not run dry while a batch is executed here."""

SLICE = 64
"""Rows that are recovered here in one turn of the loop."""


class Asked(Struct):
    """An event, what was asked of workers about it, and the rows that are left to this process."""

    event: RollupEvent
    request: Request | None = None
    own: Sequence[Row] = ()


class BatchesAhead:
    """Goes over events in order. Without workers it does nothing besides."""

    def __init__(self, workers: int) -> None:
        self.known = KnownSigners()
        self._workers = workers
        self._pool: SignerPool | None = None
        self._domain: Domain | None = None
        self._recoverer = Recoverer()

    async def start(self, on: Domain) -> None:
        """From here on the workers help; `on` is what is signed for."""
        if self._workers and self._pool is None:
            self._domain = on
            self._pool = SignerPool(on, self._workers, rows_ahead=ROWS_AHEAD)
            await self._pool.start()

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def over(
        self, events: Iterable[RollupEvent], *, after: int = 0
    ) -> AsyncIterator[RollupEvent]:
        """Each event in its turn, its signers known as far as they can be.

        Batches up to `after` are not executed.
        """
        source, waiting = iter(events), deque[Asked]()
        is_alone = True
        while True:
            while len(waiting) < EVENTS_AHEAD and (event := next(source, None)) is not None:
                waiting.append(self._ask(event, after, is_alone=is_alone))
                is_alone = is_alone and waiting[-1].request is None
            if not waiting:
                return
            asked = waiting.popleft()
            if asked.request is not None:
                self.known.expect([await self._found(asked.request, asked.own)])
            yield asked.event

    def _ask(self, event: RollupEvent, after: int, *, is_alone: bool) -> Asked:
        """While nothing else can be done, this process takes its share of the rows."""
        if self._pool is None or not isinstance(event, BatchPosted) or event.number <= after:
            return Asked(event)
        rows = [row for row in rows_of(event) if is_recoverable(row)]
        own = len(rows) // (1 + len(self._pool.workers)) if is_alone else 0
        return Asked(event, self._pool.ask(rows[own:]), rows[:own])

    async def _found(self, request: Request, own: Sequence[Row]) -> Known:
        assert self._domain is not None and self._pool is not None
        found: Known = {}
        for start in range(0, len(own), SLICE):
            rows = own[start : start + SLICE]
            body = answer(encode_rows(rows), self._domain, self._recoverer)
            for _, known in found_in(body, rows):
                found |= known
            # What the workers found is read, and what waits is sent.
            await asyncio.sleep(0)
        return found | await self._pool.wait(request)


def rows_of(event: BatchPosted) -> list[Row]:
    """The rows of a batch as far as they can be read: derivation says what is wrong with it."""
    try:
        header = decode_header(event.header)
        chunks = split_payload(event.payload, [chunk.size for chunk in header.chunks])
        return [
            row
            for data, chunk in zip(chunks, header.chunks, strict=True)
            for row in decode_chunk(data, chunk.raw_hash)
        ]
    except (CodecError, NotCanonical, ValueError):
        return []
