"""One run: every part in turn, R in between, and what the machine was doing."""

import os
import platform
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from node.benchmark.devnet import loaded_venue
from node.benchmark.end_to_end import Loads, measure_latency, measure_throughput
from node.benchmark.figures import Figure, Gauge
from node.benchmark.following import measure_following
from node.benchmark.primitives import measure_primitives
from node.benchmark.rules import measure_rules
from node.benchmark.scale import Scale
from node.clock import Clock

Tell = Callable[[str], None]
"""Hears what is being measured."""


class Bench(Struct, frozen=True):
    """What every part is given."""

    scale: Scale
    gauge: Gauge
    clock: Clock
    tell: Tell


class Part(Struct, frozen=True):
    """A part of the run and what it measures, in words."""

    name: str
    title: str
    measure: Callable[[Bench], Awaitable[list[Figure]]]


class Machine(Struct, frozen=True, kw_only=True):
    """Where it ran. `load` is what waited for a core, before and after, over a minute."""

    cores: int
    python: str
    load_before: float
    load_after: float


class Report(Struct, frozen=True, kw_only=True):
    """What a run came to; `parts` by name, in their order."""

    scale: str
    machine: Machine
    seconds: float
    r: Figure
    parts: dict[str, list[Figure]]


async def _primitives(bench: Bench) -> list[Figure]:
    scale = bench.scale
    return measure_primitives(
        bench.gauge, hashes=scale.hashes, signatures=scale.signatures, rounds=scale.rounds
    )


async def _rules(bench: Bench) -> list[Figure]:
    scale = bench.scale
    return measure_rules(
        bench.gauge, accounts=scale.accounts, messages=scale.messages, rounds=scale.rounds
    )


async def _end_to_end(bench: Bench) -> list[Figure]:
    scale, gauge = bench.scale, bench.gauge
    bench.tell("starting L1 and a sequencer, paying in")
    async with loaded_venue(bench.clock, scale.trading_accounts) as venue:
        loads = Loads(venue, gauge)
        bench.tell("all that the sequencer takes")
        figures, best = await measure_throughput(
            loads, messages=scale.sent, shapes=scale.shapes, rounds=scale.sent_rounds
        )
        bench.tell("half of that, on a schedule")
        figures += await measure_latency(loads, best=best, seconds=scale.latency_seconds)
        bench.tell("a follower over the same batches")
        figures += await measure_following(venue, gauge, loads.runs, rounds=scale.sent_rounds)
    return figures


PARTS = (
    Part("primitives", "recovery, hashing, signing", _primitives),
    Part("rules", "the rules alone", _rules),
    Part("end-to-end", "orders over WebSocket to L1, and back by a follower", _end_to_end),
)
Begin = Callable[[Part], None]
"""Hears that a part begins."""


async def run_benchmark(
    scale: Scale, parts: Sequence[Part], clock: Clock, begin: Begin, tell: Tell
) -> Report:
    """Measure `parts` one after the other."""
    gauge, began, load_before = Gauge(scale.recoveries), clock.monotonic(), os.getloadavg()[0]
    bench = Bench(scale, gauge, clock, tell)
    gauge.read()
    found: dict[str, list[Figure]] = {}
    for part in parts:
        begin(part)
        found[part.name] = await part.measure(bench)
    gauge.read()
    return Report(
        scale=scale.name,
        machine=Machine(
            cores=os.cpu_count() or 1,
            python=platform.python_version(),
            load_before=round(load_before, 2),
            load_after=round(os.getloadavg()[0], 2),
        ),
        seconds=round(clock.monotonic() - began, 1),
        r=Figure(name="R", unit="recoveries/s", samples=tuple(gauge.samples)),
        parts=found,
    )
