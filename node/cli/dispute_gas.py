"""`gas --disputes`: what a dispute costs, call by call and in all, and how long it takes."""

from typing import TYPE_CHECKING

from rich.console import Group

from node.cli.bars import bar
from node.cli.failures import told
from node.cli.measured import tell
from node.cli.output import Cell, table
from node.clock import SystemClock

if TYPE_CHECKING:
    from node.parity.dispute_gas import DisputeCost, DisputeReport


def measure_disputes(as_json: bool) -> None:
    """Measure and print. Failure where a bound is broken."""
    from node.parity.dispute_gas import measure, parts

    with told(), bar("disputes", parts()) as done:
        report = measure(SystemClock(), on_progress=done)
    tell(report, _tables(report), as_json)


def _tables(report: "DisputeReport") -> tuple[Group, ...]:
    calls = [
        (name, f"{one.calldata:,}", f"{one.execution:,}", f"{one.gas:,}", f"{one.charged:,}")
        for name, one in report.calls.items()
    ]
    heads = ("steps", "traces", ">honest gas", ">today", ">execute", ">trace", ">tree", ">witness")
    columns = ("call", ">calldata", ">execution", ">gas", ">today")
    return (
        table("Calls, the dearest of each", columns, calls),
        table("Disputes with one liar", heads, [_dispute(one) for one in report.disputes]),
    )


def _dispute(one: "DisputeCost") -> tuple[Cell, ...]:
    seconds = one.seconds
    times = (seconds.execute, seconds.trace, seconds.tree, seconds.witness)
    return (
        *(f"{one.steps:,}", "published" if one.published else "hidden"),
        *(f"{one.honest_gas:,}", f"{one.honest_charged:,}"),
        *(f"{each:.2f} s" for each in times),
    )
