"""`gas --disputes`: what a dispute costs, call by call and in all, and how long it takes."""

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from node.cli.bars import bar
from node.cli.failures import Failure, told
from node.cli.output import Cell, console, good, print_json, table
from node.clock import SystemClock

if TYPE_CHECKING:
    from node.parity.dispute_gas import DisputeCost, DisputeReport


def measure_disputes(as_json: bool) -> None:
    """Measure and print. Failure where a bound is broken."""
    from node.parity.dispute_gas import measure, parts

    with told(), bar("disputes", parts()) as done:
        report = measure(SystemClock(), on_progress=done)
    if as_json:
        print_json(report.facts())
    else:
        console().print(_shown(report))
    if report.broken:
        raise Failure(f"{len(report.broken)} bounds are broken: {'; '.join(report.broken)}")


def _shown(report: "DisputeReport") -> Group:
    calls = [
        (name, f"{one.calldata:,}", f"{one.execution:,}", f"{one.gas:,}", f"{one.charged:,}")
        for name, one in report.calls.items()
    ]
    bounds = [
        (bound.what, f"{bound.reached:,}", f"{bound.at_most:,}", good(bound.is_held, "yes", "no"))
        for bound in report.bounds
    ]
    heads = ("steps", "traces", ">honest gas", ">today", ">execute", ">trace", ">tree", ">witness")
    columns = ("call", ">calldata", ">execution", ">gas", ">today")
    parts = (
        table("Calls, the dearest of each", columns, calls),
        table("Disputes with one liar", heads, [_dispute(one) for one in report.disputes]),
        table("Bounds", ("of", ">reached", ">at most", "held"), bounds),
    )
    return Group(*(part for one in parts for part in (one, Text())))


def _dispute(one: "DisputeCost") -> tuple[Cell, ...]:
    seconds = one.seconds
    times = (seconds.execute, seconds.trace, seconds.tree, seconds.witness)
    return (
        *(f"{one.steps:,}", "published" if one.published else "hidden"),
        *(f"{one.honest_gas:,}", f"{one.honest_charged:,}"),
        *(f"{each:.2f} s" for each in times),
    )
