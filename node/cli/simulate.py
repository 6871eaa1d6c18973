"""`simulate`: the whole node in one process, with everything going wrong, from seeds."""

from typing import TYPE_CHECKING

import click
from rich.console import Group

from node.cli.bars import bar
from node.cli.failures import Failure
from node.cli.options import json_option
from node.cli.output import console, facts, print_json

if TYPE_CHECKING:
    from node.simulation.outcome import Outcome
    from node.simulation.report import Report


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@click.option("--from", "first", type=click.IntRange(0), default=1, show_default=True)
@click.option("--trace", is_flag=True, help="Print every event, not only the last of a failure.")
@json_option
def simulate(seeds: int, first: int, trace: bool, as_json: bool) -> None:
    """Run sequencer, follower, claimant and L1 in virtual time, with faults drawn from a seed.

    Processes crash, disks lose what was not synced, messages are lost and doubled, L1
    reorganises. A seed that breaks an invariant is told with the command that repeats it.
    """
    from node.simulation.outcome import play
    from node.simulation.report import Report

    report = Report()
    with bar("simulating", seeds) as done:
        for played, seed in enumerate(range(first, first + seeds), 1):
            outcome = play(seed, keep_all=trace)
            report.add(outcome)
            _show(outcome, trace)
            done(played)
    if as_json:
        print_json(report.facts())
    else:
        console().print(_summary(report, first))
    if report.failures:
        broken = ", ".join(str(outcome.seed) for outcome in report.failures[:20])
        raise Failure(f"{len(report.failures)} of {seeds} seeds broke an invariant: {broken}")


def _show(outcome: "Outcome", trace: bool) -> None:
    """On standard error, so that standard output stays one document."""
    from node.simulation.report import told

    if trace or not outcome.is_good:
        for event in outcome.last:
            click.echo(event, err=True)
    if not outcome.is_good:
        click.echo(told(outcome), err=True)


def _summary(report: "Report", first: int) -> Group:
    found = report.facts()
    rows = [
        ("seeds", f"{first} to {first + report.seeds - 1}, {len(report.failures)} broken"),
        ("acknowledged", f"{found['acknowledged']:,} transactions in {found['batches']:,} batches"),
        ("restarts", f"{found['restarts']:,}"),
        ("faults", ", ".join(f"{name} {n:,}" for name, n in found["faults"].items())),
        ("promises", ", ".join(f"{name} {n:,}" for name, n in found["outcomes"].items())),
        ("time", f"{found['virtualSeconds']:,} s, {found['secondsPerSeed']} s of ours a seed"),
        ("last trace", found["digest"]),
    ]
    return facts("Simulation", rows)
