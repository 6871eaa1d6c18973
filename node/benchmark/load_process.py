"""The load generator: a plan on standard input, signed and sent, its outcome on standard output."""

import asyncio
import sys
import traceback
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from time import process_time
from typing import Any

import aiohttp
import msgspec

from node.benchmark.figures import Gauge, Sample
from node.benchmark.flow import Flow, Trader
from node.benchmark.frames import Frame, frames, lanes, params_of, read_reply
from node.benchmark.load import LoadFailed, LoadOutcome, LoadPlan
from node.clock import Clock, SystemClock
from state.eip712 import domain

ANSWER_SECONDS = 120.0
"""A sequencer that is silent for so long has lost our frames."""

GAUGE_RECOVERIES = 500


class Lane:
    """One WebSocket and the frames that go over it."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, batch: list[Frame], clock: Clock
    ) -> None:
        self.acknowledged = self.last_batch = 0
        self.refused: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.late = self.ended = 0.0
        self._socket = socket
        self._frames = batch
        self._clock = clock
        self._from: dict[int, float] = {}

    async def saturate(self, window: int) -> None:
        """`window` frames in flight, and the next as soon as one is answered."""
        room = asyncio.Semaphore(window)

        async def send() -> None:
            for frame in self._frames:
                await room.acquire()
                self._from[frame.identity] = self._clock.monotonic()
                await self._socket.send_str(frame.body)

        await self._both(send(), room)

    async def schedule(self, start: float, orders_per_second: float) -> None:
        """Every frame at its time, answered or not what was sent before it."""

        async def send() -> None:
            due = start
            for frame in self._frames:
                wait = due - self._clock.monotonic()
                if wait > 0:
                    await self._clock.sleep(wait)
                self.late = max(self.late, self._clock.monotonic() - due)
                self._from[frame.identity] = due
                await self._socket.send_str(frame.body)
                due += frame.orders / orders_per_second

        await self._both(send(), None)

    async def _both(
        self, sending: Coroutine[Any, Any, None], room: asyncio.Semaphore | None
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sending)
            tasks.create_task(self._receive(room))

    async def _receive(self, room: asyncio.Semaphore | None) -> None:
        for _ in self._frames:
            message = await self._socket.receive(timeout=ANSWER_SECONDS)
            if message.type != aiohttp.WSMsgType.TEXT:
                raise LoadFailed(f"the sequencer closed a WebSocket ({self._socket.close_code})")
            self.ended = self._clock.monotonic()
            identity, items = read_reply(message.data)
            latency = self.ended - self._from.pop(identity)
            for item in items:
                if item.result is not None:
                    self.acknowledged += 1
                    self.last_batch = max(self.last_batch, item.result.batch or 0)
                elif item.error is not None:
                    self.refused[item.error.reason] += 1
            self.latencies += [latency] * len(items)
            if room is not None:
                room.release()


async def generate(plan: LoadPlan, clock: Clock) -> LoadOutcome:
    """Sign everything, clear what rests from before, begin the book, and let the load run."""
    traders = [Trader(one.account, one.owner, one.private_key) for one in plan.signers]
    on = domain(plan.chain_id, plan.rollup)
    flow = Flow(traders, seed=plan.seed, ticks=plan.ticks, expiry=plan.expiry, first=plan.first)
    opening = [params_of(on, traders[at], tx) for at, tx in (*flow.clear(), *flow.begin())]
    by_socket = lanes(flow, plan.messages, plan.sockets)
    began = process_time()
    signed = [[params_of(on, trader, tx) for trader, tx in lane] for lane in by_socket]
    signing = plan.messages / (process_time() - began)
    batches = [frames(lane, plan) for lane in signed]
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sockets = [
            await stack.enter_async_context(session.ws_connect(plan.url, max_msg_size=0))
            for _ in range(plan.sockets)
        ]
        first = Lane(sockets[0], frames(opening, msgspec.structs.replace(plan, size=1)), clock)
        await first.saturate(1)
        laid = [Lane(*pair, clock) for pair in zip(sockets, batches, strict=True)]
        start, spent = clock.monotonic(), process_time()
        await _run(plan, laid, start)
        spent = process_time() - spent
    return _outcome(laid, start, spent, Sample(signing, Gauge(GAUGE_RECOVERIES).read()), first)


async def _run(plan: LoadPlan, laid: list[Lane], start: float) -> None:
    async with asyncio.TaskGroup() as tasks:
        for at, lane in enumerate(laid):
            if plan.rate is None:
                tasks.create_task(lane.saturate(plan.window))
                continue
            # Sockets take turns, so that frames are spread evenly over time.
            turn = plan.size / plan.rate * at
            tasks.create_task(lane.schedule(start + turn, plan.rate / plan.sockets))


def _outcome(
    done: list[Lane], start: float, spent: float, signing: Sample, first: Lane
) -> LoadOutcome:
    return LoadOutcome(
        acknowledged=sum(lane.acknowledged for lane in done),
        refused=dict(sum((lane.refused for lane in done), Counter[str]())),
        signing=signing,
        began=start,
        ended=max(lane.ended for lane in done),
        last_batch=max(lane.last_batch for lane in done),
        prepared=first.acknowledged,
        cpu=spent,
        latencies=tuple(latency for lane in done for latency in lane.latencies),
        late=max(lane.late for lane in done),
    )


def main() -> None:
    """Of what goes wrong the last line on standard error says which it was first."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=LoadPlan)
    try:
        outcome = asyncio.run(generate(plan, SystemClock()))
    except Exception as error:
        traceback.print_exception(error)
        first = error
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        raise SystemExit(f"{type(first).__name__}: {first}") from None
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
