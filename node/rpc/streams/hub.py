"""One hub per node: turns updates into notices, each made and encoded once for all its readers.

An update is taken while it is published, when the state is exactly what was told: topics read
what changed and make their data then. Encoding and handing on is the worker's, behind whoever
waits for a receipt. A topic is followed only while somebody listens; without any, the node is
not listened to at all.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog
from msgspec import Struct

from node.clock import Clock
from node.rpc import wire
from node.rpc.results import Result
from node.rpc.streams.accounts import AccountTopic, OrdersTopic
from node.rpc.streams.batches import BatchesTopic
from node.rpc.streams.book import BestTopic, BookTopic
from node.rpc.streams.results import NOTICE
from node.rpc.streams.topic import Told, Topic, Wanted
from node.rpc.streams.trading import CandlesTopic, FillsTopic, TradesTopic
from node.view import Update, VenueView

LOOK_SECONDS = 0.25

TOPICS: dict[str, Callable[[VenueView, Wanted], Topic]] = {
    "book": BookTopic,
    "bbo": BestTopic,
    "trades": TradesTopic,
    "candles": CandlesTopic,
    "account": AccountTopic,
    "orders": OrdersTopic,
    "batches": BatchesTopic,
    "fills": FillsTopic,
}

log = structlog.get_logger(__name__)


class Reader(Protocol):
    """Where the notices of a connection go."""

    def hand_on(self, notice: str) -> None:
        """Take it without waiting."""
        ...

    def fail(self) -> None:
        """Its subscriptions cannot go on."""
        ...


class Subscription:
    """A reader of a topic; `sequence` is that of the last notice it was handed."""

    def __init__(self, name: str, wanted: Wanted, reader: Reader) -> None:
        self.name = name
        self.wanted = wanted
        self.reader = reader
        self.sequence = 0
        self.is_open = True

    def notice(self, shared: str) -> str:
        """The next notification: what is its own before what all readers share."""
        self.sequence += 1
        return (
            f'{{"jsonrpc":"2.0","method":"{NOTICE}","params":{{"subscription":"{self.name}",'
            f'"sequence":{self.sequence},{shared}'
        )


class _Followed:
    """A topic and who reads it. `waiting` have no snapshot yet."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.has_begun = False
        self.readers: tuple[Subscription, ...] = ()
        self.waiting: tuple[Subscription, ...] = ()
        self._image: Result | None = None

    def begin(self) -> None:
        self.topic.begin()
        self.has_begun, self._image = True, None

    def image(self) -> Result:
        """Made once for all who come between two changes: after a restart everybody does."""
        if self._image is None:
            self._image = self.topic.image()
        return self._image

    def changed(self, data: Result | None) -> Result | None:
        """`data` of a delta, which makes the image another one."""
        if data is not None:
            self._image = None
        return data


class _Job(Struct, frozen=True):
    """Something to tell, and whom; who comes later is told in a job of their own."""

    readers: tuple[Subscription, ...]
    channel: str
    type: str
    batch: int
    time: int
    data: Result
    rewound: int | None = None


class Hub:
    """The streams of one node."""

    def __init__(self, view: VenueView, clock: Clock) -> None:
        self._view = view
        self._clock = clock
        self._followed: dict[Wanted, _Followed] = {}
        self._jobs: deque[_Job] = deque()
        self._has_jobs = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._looker: asyncio.Task[None] | None = None
        self._stand = (0, 0)
        self._encoded: tuple[Result | None, bytes] = (None, b"")

    @property
    def readers(self) -> int:
        """How many subscriptions there are."""
        return sum(len(each.readers) + len(each.waiting) for each in self._followed.values())

    def enter(self, subscription: Subscription) -> None:
        """Send a snapshot and go on from there. NotFound where there is no such thing.

        While something ran that was not told yet, the snapshot comes with that.
        """
        followed = self._followed.get(subscription.wanted)
        if followed is None:
            topic = TOPICS[subscription.wanted.channel](self._view, subscription.wanted)
            followed = _Followed(topic)
            if not self._view.updates.is_behind():
                self._note_stand()
                followed.begin()
            self._followed[subscription.wanted] = followed
            self._start(topic)
        if followed.has_begun:
            followed.readers += (subscription,)
            self._tell((subscription,), followed, "snapshot", followed.image())
        else:
            followed.waiting += (subscription,)

    def leave(self, subscription: Subscription) -> None:
        """Nothing more is sent, nor what waits."""
        subscription.is_open = False
        followed = self._followed.get(subscription.wanted)
        if followed is None:
            return
        followed.readers = _without(followed.readers, subscription)
        followed.waiting = _without(followed.waiting, subscription)
        if not (followed.readers or followed.waiting):
            del self._followed[subscription.wanted]
        self._stop_what_is_idle()

    # --- when an update is published ---

    def _take(self, update: Update) -> None:
        told = Told(update)
        self._note_stand()
        for followed in list(self._followed.values()):
            self._guarded(followed, partial(self._bring_on, followed, told))

    def _bring_on(self, followed: _Followed, told: Told) -> None:
        topic, rewound = followed.topic, told.update.rewound
        if rewound is not None or not followed.has_begun:
            followed.begin()
            if followed.readers:
                self._tell(followed.readers, followed, "snapshot", followed.image(), rewound)
        elif (data := followed.changed(topic.take(told))) is not None:
            self._tell(followed.readers, followed, "delta", data)
        if followed.waiting:
            waiting, followed.waiting = followed.waiting, ()
            followed.readers += waiting
            self._tell(waiting, followed, "snapshot", followed.image())

    def _tell(
        self,
        readers: tuple[Subscription, ...],
        followed: _Followed,
        kind: str,
        data: Result,
        rewound: int | None = None,
    ) -> None:
        job = _Job(readers, followed.topic.wanted.channel, kind, *self._stand, data, rewound)
        self._jobs.append(job)
        self._has_jobs.set()

    def _note_stand(self) -> None:
        """The state is what was told: of this batch and time is what topics have from here on."""
        machine = self._view.state.machine
        self._stand = machine.batch, machine.time

    def _guarded(self, followed: _Followed, action: Callable[[], None]) -> None:
        """A topic that fails ends for its readers to see, and harms nobody else."""
        try:
            action()
        except Exception:
            # A stream that has ended must not look like a quiet one.
            log.exception("stream_failed", wanted=followed.topic.wanted)
            self._fail(followed.readers + followed.waiting)

    def _fail(self, readers: tuple[Subscription, ...]) -> None:
        for subscription in readers:
            self.leave(subscription)
            subscription.reader.fail()

    # --- the worker ---

    def _start(self, topic: Topic) -> None:
        if self._worker is None:
            self._view.updates.listen(self._take)
            self._worker = asyncio.create_task(self._work())
        if topic.looks and self._looker is None:
            self._looker = asyncio.create_task(self._look())

    def _stop_what_is_idle(self) -> None:
        if self._looker is not None and not any(f.topic.looks for f in self._followed.values()):
            self._looker.cancel()
            self._looker = None
        if self._worker is not None and not self._followed:
            self._view.updates.unlisten(self._take)
            self._worker.cancel()
            self._worker = None
            self._jobs.clear()

    async def _work(self) -> None:
        while True:
            await self._has_jobs.wait()
            while self._jobs:
                job = self._jobs.popleft()
                try:
                    self._do(job)
                except Exception:
                    log.exception("notice_failed", channel=job.channel)
                    self._fail(job.readers)
                # Whoever waits for a receipt comes first.
                await asyncio.sleep(0)
            self._has_jobs.clear()

    def _do(self, job: _Job) -> None:
        readers = [subscription for subscription in job.readers if subscription.is_open]
        if not readers:
            return
        if self._encoded[0] is not job.data:
            self._encoded = job.data, wire.encode(job.data)
        shared = _shared(job, self._encoded[1])
        for subscription in readers:
            # One that is too slow may be closed by what its connection was just handed.
            if subscription.is_open:
                subscription.reader.hand_on(subscription.notice(shared))

    async def _look(self) -> None:
        """What changes without an update is looked for now and then, where somebody asked."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            if self._view.updates.is_behind():
                continue
            self._note_stand()
            for followed in list(self._followed.values()):
                if followed.has_begun:
                    self._guarded(followed, partial(self._look_at, followed))

    def _look_at(self, followed: _Followed) -> None:
        data = followed.changed(followed.topic.look())
        if data is not None:
            self._tell(followed.readers, followed, "delta", data)


def _without(
    readers: tuple[Subscription, ...], subscription: Subscription
) -> tuple[Subscription, ...]:
    return tuple(one for one in readers if one is not subscription)


def _shared(job: _Job, data: bytes) -> str:
    """The end of a notification, from behind the sequence number on."""
    fields = {"channel": job.channel, "type": job.type, "batch": job.batch, "time": job.time}
    if job.rewound is not None:
        fields["rewound"] = job.rewound
    return (wire.encode(fields)[1:-1] + b',"data":' + data + b"}}").decode()
