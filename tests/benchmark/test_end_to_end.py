"""The part with real processes: what is acknowledged is on L1, and is counted once."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from node.benchmark.devnet import Setting, loaded_venue
from node.benchmark.end_to_end import Loads, measure_latency, measure_throughput
from node.benchmark.figures import Figure, Gauge, Sample
from node.benchmark.following import measure_following
from node.benchmark.load import LoadFailed, LoadOutcome, LoadPlan, Shape, Signer, run_load
from node.benchmark.processes import cpu_seconds
from node.benchmark.profile import read_profile
from node.benchmark.scale import TINY
from node.clock import SystemClock

QUICKER = Setting(block=0.2, batch=0.2)


def named(figures: Sequence[Figure]) -> dict[str, Figure]:
    return {figure.name.strip(): figure for figure in figures}


async def test_every_acknowledged_order_is_on_l1_and_a_follower_agrees(tmp_path: Path) -> None:
    gauge, profile = Gauge(TINY.recoveries), tmp_path / "sequencer.profile"
    accounts = TINY.trading_accounts
    async with loaded_venue(SystemClock(), accounts, QUICKER, profile=profile) as venue:
        venue.begin_profile()
        loads = Loads(venue, gauge)
        figures, best = await measure_throughput(
            loads, messages=TINY.sent, shapes=TINY.shapes, rounds=1
        )
        latency = await measure_latency(loads, best=best, seconds=0.5)
        following = await measure_following(venue, gauge, loads.runs, rounds=1)
        with pytest.raises(LoadFailed, match="acknowledged, L1 has"):
            await measure_following(venue, gauge, [*loads.runs, *loads.runs], rounds=1)
        await venue.end_sequencer()
    check_loads(loads)
    check_figures(named(figures + latency + following), loads)
    stages = {stage.name for stage in read_profile("sequencer", profile).stages}
    assert {"rules", "network", "JSON", "sequencing", "journal"} <= stages


def check_loads(loads: Loads) -> None:
    for run in loads.runs:
        assert run.outcome.acknowledged == run.plan.messages, run.outcome.refused
        assert len(run.outcome.latencies) == run.plan.messages
        assert all(run.cpu[name] > 0 for name in ("l1", "sequencer", "load"))
        assert run.outcome.began < run.outcome.ended <= run.posted_at


def check_figures(found: dict[str, Figure], loads: Loads) -> None:
    assert all(found[f"end to end, {shape.value}"].value > 0 for shape in Shape)
    assert found["acknowledgement p50"].value <= found["acknowledgement p99"].value
    sent = sum(run.outcome.acknowledged + run.outcome.prepared for run in loads.runs)
    told = found["follower, replay from L1"].note
    assert int(told.split()[0].replace(",", "")) >= sent
    assert 64 < found["bytes of an order on L1"].value < 110
    assert found["gas of an order on L1"].value > 64 * 16


async def test_a_load_that_nobody_answers_fails_in_a_line() -> None:
    plan = LoadPlan(
        url="http://127.0.0.1:1",
        chain_id=31_337,
        rollup=bytes(20),
        signers=(Signer(256, bytes(20), b"\x01" * 32), Signer(512, bytes(20), b"\x02" * 32)),
        messages=4,
        shape=Shape.FRAMES,
        ticks=600_000,
        expiry=1,
        first=1,
        sockets=1,
    )
    with pytest.raises(LoadFailed, match=r"the load generator failed: .*127\.0\.0\.1"):
        await run_load(plan)


@pytest.mark.parametrize(("share", "seconds"), [(0.5, 6.0), (0.99, 10.0), (0.0, 1.0)])
def test_a_percentile_is_one_of_the_latencies(share: float, seconds: float) -> None:
    outcome = LoadOutcome(
        acknowledged=10,
        refused={},
        signing=Sample(1.0),
        began=0.0,
        ended=5.0,
        last_batch=1,
        prepared=0,
        latencies=tuple(float(10 - at) for at in range(10)),
    )
    assert outcome.latency(share) == seconds
    assert outcome.rate == 2.0


def test_the_time_of_a_process_counts_what_it_started() -> None:
    work = "import time\nwhile time.process_time() < 0.2: pass"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}]); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    try:
        while cpu_seconds(process.pid) < 0.05:
            assert process.poll() is None
        assert cpu_seconds(os.getpid()) >= cpu_seconds(process.pid), "we started it"
    finally:
        process.kill()
        process.communicate()
    assert cpu_seconds(process.pid) == 0.0
