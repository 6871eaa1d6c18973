"""What happened in a simulation, in order, and its hash: two runs of a seed must agree."""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from msgspec import Struct

from node.simulation.loop import VirtualClock

LAST = 25
"""Events that a failure is told with."""


class Violation(Exception):
    """An invariant of the venue does not hold; `rule` names it."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail


class Event(Struct, frozen=True):
    """`at` is seconds since the story began, `who` a process or a part of the world."""

    at: float
    who: str
    what: str
    facts: str

    def __str__(self) -> str:
        return f"{self.at:9.3f}  {self.who:<10} {self.what} {self.facts}".rstrip()


class Trace:
    """Takes events; `counts` says how often each happened, faults under `fault ...`."""

    def __init__(self, *, keep_all: bool = False) -> None:
        self.events: deque[Event] = deque(maxlen=None if keep_all else LAST)
        self.counts: Counter[str] = Counter()
        self.listeners: dict[str, Callable[..., None]] = {}
        """Called with the facts of what the node logs under these names."""
        self._clock = VirtualClock()
        self._hash = hashlib.sha256()

    def add(self, who: str, what: str, **facts: Any) -> None:
        """Something happened; what is not the same in every run must not be among `facts`."""
        shown = " ".join(f"{name}={_shown(value)}" for name, value in facts.items())
        event = Event(round(self._clock.monotonic(), 6), who, what, shown)
        self.events.append(event)
        self.counts[what] += 1
        self._hash.update(str(event).encode())

    def fault(self, kind: str, who: str, **facts: Any) -> None:
        """Something went wrong on purpose."""
        self.add(who, f"fault {kind}", **facts)

    @property
    def digest(self) -> str:
        """The hash of everything so far."""
        return self._hash.hexdigest()

    @property
    def last_at(self) -> float:
        """When the last event was, in virtual seconds."""
        return self.events[-1].at if self.events else 0.0

    @property
    def faults(self) -> dict[str, int]:
        """How often each kind of fault befell this story."""
        found = {name: n for name, n in sorted(self.counts.items()) if name.startswith("fault ")}
        return {name.removeprefix("fault "): count for name, count in found.items()}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """What the node's own parts log becomes part of the trace."""
        before = structlog.get_config()
        structlog.configure(
            processors=[structlog.contextvars.merge_contextvars, self._take],
            wrapper_class=structlog.make_filtering_bound_logger(0),
            logger_factory=structlog.ReturnLoggerFactory(),
            cache_logger_on_first_use=False,
        )
        try:
            yield
        finally:
            structlog.configure(**before)

    def _take(self, _: Any, level: str, event: MutableMapping[str, Any]) -> str:
        who, what = event.pop("process", "world"), event.pop("event", "")
        event.pop("exc_info", None)
        if what in self.listeners:
            self.listeners[what](**event)
        if level in ("warning", "error") or what in _TELLING:
            self.add(who, what, **event)
        raise structlog.DropEvent


_TELLING = frozenset(
    {"batch_sealed", "batch_posted", "batch", "claimed", "confirmed", "snapshot_written"}
)


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()[:16]
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    return text if len(text) <= 160 else text[:157] + "..."
