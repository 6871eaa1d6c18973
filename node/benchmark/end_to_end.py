"""End to end: orders over WebSocket to a sequencer of its own process, and on to L1."""

from collections.abc import Sequence
from itertools import count

from msgspec import Struct

from node.benchmark.devnet import MARK_TICKS, LoadedVenue
from node.benchmark.figures import Figure, Gauge, Sample, of_r, single
from node.benchmark.load import LoadFailed, LoadOutcome, LoadPlan, Shape, run_load

SIZES = {Shape.FRAMES: 1, Shape.RPC_BATCHES: 20, Shape.SUBMIT_BATCHES: 50}
WINDOWS = {Shape.FRAMES: 128, Shape.RPC_BATCHES: 8, Shape.SUBMIT_BATCHES: 4}
SOCKETS = 4
LIFE_SECONDS = 3_600
NUMBERS_OF_A_RUN = 10_000_000
"""Sequence numbers that a run may use; the next one begins behind them."""


class Run(Struct, frozen=True):
    """What was sent, what came of it, and when the last batch of it was on L1.

    `cpu` are the seconds of a core that each process used until then.
    """

    plan: LoadPlan
    outcome: LoadOutcome
    posted_at: float
    r: float
    cpu: dict[str, float]

    @property
    def posted_rate(self) -> float:
        """Acknowledged orders a second until all were on L1."""
        return self.outcome.acknowledged / (self.posted_at - self.outcome.began)


class Loads:
    """Runs of load against one venue, one after the other."""

    def __init__(self, venue: LoadedVenue, gauge: Gauge) -> None:
        self.venue = venue
        self.runs: list[Run] = []
        self._gauge = gauge
        self._numbers = count(1)

    async def run(self, messages: int, shape: Shape, rate: float | None = None) -> Run:
        """Send `messages`, all that the venue takes, or `rate` a second; wait for L1.

        LoadFailed where the venue refused more than one in a hundred: that is another load.
        """
        number = next(self._numbers)
        plan = LoadPlan(
            url=self.venue.url,
            chain_id=self.venue.deployment.chain_id,
            rollup=self.venue.deployment.rollup,
            signers=self.venue.signers,
            messages=messages,
            shape=shape,
            ticks=MARK_TICKS,
            expiry=(await self.venue.client.status()).time + LIFE_SECONDS,
            first=number * NUMBERS_OF_A_RUN,
            size=SIZES[shape],
            sockets=max(1, min(SOCKETS, len(self.venue.signers) // 2)),
            window=WINDOWS[shape],
            rate=rate,
            seed=number,
        )
        before, idle = self._gauge.read(), self.venue.cpu_seconds()
        outcome = await run_load(plan)
        posted_at = await self.venue.posted(outcome.last_batch)
        used = self.venue.cpu_seconds()
        cpu = {name: used[name] - idle[name] for name in used} | {"load": outcome.cpu}
        run = Run(plan, outcome, posted_at, (before + self._gauge.read()) / 2, cpu)
        refused = sum(outcome.refused.values())
        if refused * 100 > messages:
            raise LoadFailed(f"{refused} of {messages} were refused: {outcome.refused}")
        self.runs.append(run)
        return run


async def measure_throughput(
    loads: Loads, *, messages: int, shapes: Sequence[Shape], rounds: int
) -> tuple[list[Figure], Run]:
    """Orders a second with as many in flight as the venue takes; also the fastest run.

    A tenth as many come first and are not counted: whatever starts at first use has started.
    """
    await loads.run(max(messages // 10, 1), shapes[0])
    figures: list[Figure] = []
    measured: list[Run] = []
    for shape in shapes:
        runs = [await loads.run(messages, shape) for _ in range(rounds)]
        figures += _throughput(shape, runs)
        measured += runs
    best = max(measured, key=lambda run: run.outcome.rate)
    signing = [run.outcome.signing for run in measured]
    figures.append(
        of_r("signing in the load", signing, "orders/s", note="drafted, signed, put into JSON")
    )
    return figures, best


def _throughput(shape: Shape, runs: Sequence[Run]) -> list[Figure]:
    plan = runs[0].plan
    refused = sum(sum(run.outcome.refused.values()) for run in runs)
    acknowledged = sum(run.outcome.acknowledged for run in runs)
    told = (
        f"{acknowledged:,} acknowledged after the sync, {refused} refused; {plan.sockets} sockets, "
        f"{plan.window} frames of {plan.size} in flight on each"
    )
    return [
        of_r(
            f"end to end, {shape.value}",
            [Sample(run.outcome.rate, run.r) for run in runs],
            "orders/s",
            aim=">= 0.4",
            note=told,
        ),
        of_r(
            "  until posted on L1",
            [Sample(run.posted_rate, run.r) for run in runs],
            "orders/s",
            note=f"the last batch on L1 {_lag(runs):.1f} s after the last acknowledgement",
        ),
        _cpu(runs),
    ]


def _cpu(runs: Sequence[Run]) -> Figure:
    """What an order took of all cores, and who used it."""
    orders = sum(run.outcome.acknowledged for run in runs)
    each = {name: sum(run.cpu[name] for run in runs) / orders * 1e6 for name in runs[0].cpu}
    shares = ", ".join(f"{name} {spent:.0f}" for name, spent in each.items())
    return single("  CPU of an order", sum(each.values()), "us", note=f"{shares}; until on L1")


def _lag(runs: Sequence[Run]) -> float:
    return max(run.posted_at - run.outcome.ended for run in runs)


async def measure_latency(loads: Loads, *, best: Run, seconds: float) -> list[Figure]:
    """Acknowledgements at half of `best`, each counted from when its frame was due."""
    rate = best.outcome.rate / 2
    shape = best.plan.shape
    run = await loads.run(max(int(rate * seconds), 200), shape, rate)
    at = f"at {run.outcome.rate:,.0f} orders/s of {rate:,.0f} scheduled, {shape.value}"
    late = f"sent {run.outcome.late * 1000:.0f} ms late at the most, which is counted"
    return [
        single(
            f"acknowledgement p{share}", run.outcome.latency(share / 100) * 1000, "ms", note=note
        )
        for share, note in ((50, at), (99, late))
    ]
