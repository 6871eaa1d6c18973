"""`gas`: what a step costs on L1 where it is at its worst, and whether that is within bounds."""

from typing import TYPE_CHECKING

import click
from rich.console import Group

from node.cli.bars import bar
from node.cli.dispute_gas import measure_disputes
from node.cli.failures import Failure, told
from node.cli.measured import tell
from node.cli.options import json_option
from node.cli.output import table

if TYPE_CHECKING:
    from node.parity.gas import Report

ENGINES = ("pyrevm", "py-evm")


@click.command()
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="pyrevm",
    show_default=True,
    help="The EVM that counts.",
)
@click.option(
    "--disputes", is_flag=True, help="Measure whole disputes instead, on the embedded L1."
)
@json_option
def gas(engine: str, disputes: bool, as_json: bool) -> None:
    """Measure every kind of step over full accounts, 64 markets and deep books.

    A step is charged its execution and 64 gas for each byte of its call. The exit code is 1
    where a witness, a step or a contract is larger than its bound.

    With --disputes: whole disputes about batches of 2^8, 2^12 and 2^16 steps, call by call, and
    what each batch takes to execute and to trace. The exit code is 1 where a call costs more
    than the contract pays for it. It takes about two minutes.
    """
    if disputes:
        measure_disputes(as_json)
        return
    from node.parity.engines import NoEngine
    from node.parity.gas import measure, scenes

    try:
        with told(), bar(f"steps on {engine}", len(scenes())) as done:
            report = measure(engine, on_progress=done)
    except NoEngine as error:
        raise Failure(str(error)) from error
    tell(report, _tables(report), as_json)


def _tables(report: "Report") -> tuple[Group, ...]:
    steps = [
        (
            *(step.name, step.status, f"{step.witness:,}", f"{step.chunk:,}"),
            *(f"{step.calldata:,}", f"{step.execution:,}", f"{step.gas:,}"),
        )
        for step in report.steps
    ]
    columns = ("step", "status", ">witness", ">chunk", ">calldata", ">execution", ">gas")
    chunks = [(one.name, f"{one.calldata:,}", f"{one.gas:,}") for one in report.chunks]
    codes = [(name, f"{size:,}") for name, size in report.contracts.items()]
    measured = (
        table(f"Steps at their worst, on {report.engine}", columns, steps),
        table("Chunks that are none, at their worst", ("chunk", ">calldata", ">gas"), chunks),
    )
    contracts = table("Contracts", ("contract", ">bytes"), codes)
    return (*(measured if report.steps else ()), contracts)
