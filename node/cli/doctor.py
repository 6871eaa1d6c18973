"""`doctor`: everything that a venue needs, looked at, each with its mend."""

import asyncio
import os
import sys
from pathlib import Path

import click
import msgspec
from rich.text import Text

from node.cli.failures import Failure, told
from node.cli.options import json_option, l1_option, rpc_option
from node.cli.output import console, print_json, table, waiting
from node.clock import SystemClock
from node.config import FOLLOWER_PORT, HOST, L1_PORT, SEQUENCER_PORT
from node.diagnosis import machine, network
from node.diagnosis.finding import Finding

AREAS = ("machine", "disk", "ports", "l1", "node", "tools")
PORTS = {L1_PORT: "an L1", SEQUENCER_PORT: "a sequencer", FOLLOWER_PORT: "a follower"}
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option(
    "--only", type=click.Choice(AREAS), multiple=True, help="Look at this only; may be repeated."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The folder whose disk is looked at; else the working directory.",
)
@rpc_option
@l1_option
@json_option
def doctor(
    only: tuple[str, ...], data: Path | None, rpc_url: str, l1_url: str, as_json: bool
) -> None:
    """Look at the machine, the disk, the ports, L1 and a node, and say how to mend each.

    Nothing is changed. Exit code 1 where something fails; a warning is no failure.
    """
    with told(), waiting("looking at the machine, L1 and the node"):
        found = asyncio.run(_look(only or AREAS, data or Path(), rpc_url, l1_url))
    if as_json:
        print_json([msgspec.to_builtins(one) for one in found])
    else:
        rows = [(Text(one.level, style=COLOURS[one.level]), one.name, _words(one)) for one in found]
        console().print(table("Doctor", ("", "what", "found"), rows))
    failed = [one.name for one in found if one.level == "fail"]
    if failed:
        raise Failure(f"{len(failed)} of {len(found)} fail: {', '.join(failed)}")


def _words(one: Finding) -> str:
    if one.level == "ok":
        return one.found
    return f"{one.found}\nexpected: {one.expected}\n{one.mend}"


async def _look(areas: tuple[str, ...], data: Path, rpc_url: str, l1_url: str) -> list[Finding]:
    """Every finding of the areas, in their order."""
    clock, found = SystemClock(), list[Finding]()
    if "machine" in areas:
        found += [machine.python(sys.version_info[:2]), machine.libraries()]
        found += machine.cryptography()
    if "disk" in areas:
        found += machine.disk(data, clock)
    if "ports" in areas:
        found += [await network.port(name, HOST, number) for number, name in PORTS.items()]
    if "l1" in areas:
        found += await network.l1(l1_url, clock)
    if "node" in areas:
        found += await network.node(rpc_url)
    if "l1" in areas and "node" in areas:
        found += await network.pair(l1_url, rpc_url)
    if "tools" in areas:
        found.append(machine.tools(os.environ))
    return found
