"""`batch`: what was sealed, posted and settled."""

import click

from node.cli.asking import ask
from node.cli.conservation import conservation_tables
from node.cli.decoding import decode, diff
from node.cli.options import json_option, rpc_option
from node.cli.output import Cell, console, facts, good, print_json, short, table
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.conservation_results import BatchClaims
from node.rpc.rollup_results import BatchSummary


@click.group()
def batch() -> None:
    """Look at batches."""


batch.add_command(decode)
batch.add_command(diff)


@batch.command(name="list")
@click.option("--count", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--from", "first", type=click.IntRange(1), help="The first one; else the last ones.")
@rpc_option
@json_option
def list_(count: int, first: int | None, rpc_url: str, as_json: bool) -> None:
    """List batches, the latest last."""
    found = ask(rpc_url, lambda venue: venue.batches(first, count))
    if as_json:
        print_json(wire.plain(found))
        return
    columns = (">batch", "certainty", ">transactions", ">orders", ">fills", ">bytes", "state root")
    console().print(table("Batches", columns, [_row(one) for one in found]))


def _row(one: BatchSummary) -> tuple[Cell, ...]:
    return (
        str(one.number),
        good(not one.void, one.certainty, f"{one.certainty}, void"),
        str(one.transactions),
        str(one.orders),
        str(one.fills),
        str(one.compressed_bytes),
        short("0x" + one.state_root.hex()),
    )


@batch.command()
@click.argument("number", type=click.IntRange(1))
@rpc_option
@json_option
def show(number: int, rpc_url: str, as_json: bool) -> None:
    """Show everything about batch NUMBER, and what is claimed of it on L1.

    A follower (`tallystick follow`) knows of claims; a sequencer does not.
    """

    async def both(venue: VenueClient) -> tuple[BatchSummary, BatchClaims]:
        return await venue.batch(number), await venue.claims(number)

    found, claimed = ask(rpc_url, both)
    plain = wire.plain(found)
    if as_json:
        print_json(plain | {"claims": wire.plain(claimed)})
        return
    del plain["conservation"]
    rows = [(name, "-" if value is None else str(value)) for name, value in plain.items()]
    console().print(facts(f"Batch {number}", rows))
    for part in conservation_tables(claimed):
        console().print(part)
