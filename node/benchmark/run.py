"""One run: every part in turn, R in between, and what the machine was doing."""

import os
import platform
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from node.benchmark.alternative import measure_contract
from node.benchmark.codec import measure_codec
from node.benchmark.devnet import Setting, loaded_venue
from node.benchmark.end_to_end import Loads, measure_latency, measure_throughput
from node.benchmark.figures import Figure, Gauge
from node.benchmark.following import measure_following
from node.benchmark.growth import measure_growth
from node.benchmark.primitives import measure_primitives
from node.benchmark.profile import Profile
from node.benchmark.profiling import profile_rules, profile_sequencer
from node.benchmark.rules import measure_rules
from node.benchmark.scale import Scale
from node.benchmark.tree import measure_tree
from node.clock import Clock

Tell = Callable[[str], None]
"""Hears what is being measured."""


class Bench(Struct, frozen=True):
    """What every part is given; `figures` and `profiles` are those of the parts before."""

    scale: Scale
    setting: Setting
    gauge: Gauge
    clock: Clock
    tell: Tell
    figures: dict[str, list[Figure]] = {}
    profiles: list[Profile] = []


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
    l1: str
    machine: Machine
    seconds: float
    r: Figure
    parts: dict[str, list[Figure]]
    profiles: list[Profile]


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
    async with loaded_venue(bench.clock, scale.trading_accounts, bench.setting) as venue:
        loads = Loads(venue, gauge)
        bench.tell("all that the sequencer takes")
        figures, best = await measure_throughput(
            loads, messages=scale.sent, shapes=scale.shapes, rounds=scale.sent_rounds
        )
        bench.tell("half of that, on a schedule")
        figures += await measure_latency(loads, best=best, seconds=scale.latency_seconds)
        bench.tell("a follower over the same batches")
        figures += await measure_following(venue, gauge, loads.runs, rounds=min(scale.rounds, 2))
    return figures


async def _tree(bench: Bench) -> list[Figure]:
    scale = bench.scale
    return measure_tree(
        bench.gauge,
        leaves=scale.tree_leaves,
        changes=scale.tree_changes,
        accounts=scale.accounts,
        messages=scale.messages,
        traced=scale.traced,
        hashes=scale.hashes,
        rounds=scale.rounds,
    )


async def _codec(bench: Bench) -> list[Figure]:
    scale = bench.scale
    return measure_codec(
        bench.gauge, accounts=scale.accounts, messages=scale.messages, rounds=scale.rounds
    )


async def _growth(bench: Bench) -> list[Figure]:
    scale = bench.scale
    return measure_growth(
        accounts=scale.growth_accounts,
        orders=scale.growth_orders,
        messages=scale.growth_messages,
        rounds=scale.rounds,
    )


async def _contract(bench: Bench) -> list[Figure]:
    return await measure_contract(
        bench.gauge,
        bench.clock,
        orders=bench.scale.contract_orders,
        venue=bench.figures.get("end-to-end", []),
    )


async def _profile(bench: Bench) -> list[Figure]:
    scale = bench.scale
    bench.tell("the rules")
    bench.profiles.append(profile_rules(accounts=scale.accounts, messages=scale.messages))
    bench.tell("a sequencer under load")
    bench.profiles.append(
        await profile_sequencer(
            *(bench.gauge, bench.clock, bench.setting),
            accounts=scale.trading_accounts,
            messages=scale.profiled,
            shape=scale.shapes[-1],
        )
    )
    return []


PARTS = (
    Part("primitives", "recovery, hashing, signing", _primitives),
    Part("rules", "the rules alone", _rules),
    Part("tree", "roots, and the root after every step", _tree),
    Part("codec", "chunks for L1", _codec),
    Part("growth", "a small venue and a large one", _growth),
    Part("end-to-end", "orders over WebSocket to L1, and back by a follower", _end_to_end),
    Part("contract", "the same on a plain contract", _contract),
    Part("profile", "where the time goes", _profile),
)
Begin = Callable[[Part], None]
"""Hears that a part begins."""


async def run_benchmark(
    scale: Scale,
    setting: Setting,
    parts: Sequence[Part],
    clock: Clock,
    *,
    begin: Begin,
    tell: Tell,
) -> Report:
    """Measure `parts` one after the other."""
    gauge, began, load_before = Gauge(scale.recoveries), clock.monotonic(), os.getloadavg()[0]
    bench = Bench(scale, setting, gauge, clock, tell)
    gauge.read()
    for part in parts:
        begin(part)
        bench.figures[part.name] = await part.measure(bench)
    gauge.read()
    return Report(
        scale=scale.name,
        l1=setting.l1,
        machine=Machine(
            cores=os.cpu_count() or 1,
            python=platform.python_version(),
            load_before=round(load_before, 2),
            load_after=round(os.getloadavg()[0], 2),
        ),
        seconds=round(clock.monotonic() - began, 1),
        r=Figure(name="R", unit="recoveries/s", samples=tuple(gauge.samples)),
        parts={name: figures for name, figures in bench.figures.items() if figures},
        profiles=bench.profiles,
    )
