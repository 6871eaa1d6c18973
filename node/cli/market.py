"""`market`: listing markets and changing their parameters, in public and with notice."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from node import governance
from node.cli import listings
from node.cli.asking import ask_both, l1_sender
from node.cli.failures import told
from node.cli.keys import Signer, signer
from node.cli.options import json_option, l1_option, rpc_option, signer_options
from node.cli.output import console, facts, print_json, table, waiting
from node.governance import Announcement, terms_on_l1
from node.owners import Appended
from node.rollup import RollupReader
from node.rpc.client import VenueClient
from state.transactions.list_market import Listing


@click.group()
def market() -> None:
    """List markets and change their parameters, through L1.

    Amounts are whole numbers in the units of docs/protocol.md: nano-USD, lots, ticks, parts per
    million, seconds.
    """


@market.command()
@click.argument("symbol", metavar="MARKET")
@rpc_option
@l1_option
@json_option
def show(symbol: str, rpc_url: str, l1_url: str, as_json: bool) -> None:
    """Show MARKET's parameters as L1 holds them, and what is announced for it."""

    async def work(_: VenueClient, reader: RollupReader) -> tuple[Listing, Announcement | None]:
        listing = (await terms_on_l1(reader)).find(symbol)
        return listing, await governance.announcement(reader, listing.market)

    listing, coming = ask_both(rpc_url, l1_url, work)
    if as_json:
        shown = _announcement_json(coming) if coming else None
        print_json({"parameters": listings.plain(listing), "scheduled": shown})
        return
    console().print(facts(f"Market {governance.name(listing)}", listings.rows(listing)))
    if coming:
        _show_announcement(listing, coming)


@market.command(name="list")
@click.argument("file", type=click.Path(path_type=Path))
@signer_options
@rpc_option
@l1_option
@json_option
def list_(
    file: Path, name: str | None, key_file: Path | None, rpc_url: str, l1_url: str, as_json: bool
) -> None:
    """List the market that FILE describes, as `market show --json` has its parameters."""
    with told():
        key, listing = signer(name, key_file), listings.read_file(file)

    async def work(_: VenueClient, reader: RollupReader) -> Appended:
        return await governance.list_market(reader, await l1_sender(reader, key), listing)

    with waiting("waiting for L1"):
        done = ask_both(rpc_url, l1_url, work)
    _show_appended(listing, done, as_json)


@market.command()
@click.argument("symbol", metavar="MARKET")
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE...")
@signer_options
@rpc_option
@l1_option
@json_option
def schedule(
    symbol: str,
    assignments: tuple[str, ...],
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """Announce other parameters of MARKET, such as band=50000; what is not named stays.

    They replace what was announced for it before, and may be applied once the rollup's
    parameter delay is over.
    """
    with told():
        key = signer(name, key_file)

    async def work(_: VenueClient, reader: RollupReader) -> tuple[Listing, Announcement]:
        held = (await terms_on_l1(reader)).find(symbol)
        wanted = listings.changed(held, assignments)
        sender = await l1_sender(reader, key)
        return held, await governance.schedule(reader, sender, wanted)

    with waiting("waiting for L1"):
        held, coming = ask_both(rpc_url, l1_url, work)
    if as_json:
        print_json(_announcement_json(coming))
        return
    _show_announcement(held, coming)
    console().print(f"then anybody may: tallystick market apply {governance.name(held)}")


@market.command()
@click.argument("symbol", metavar="MARKET")
@signer_options
@rpc_option
@l1_option
@json_option
def cancel(
    symbol: str,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """Take back what is announced for MARKET."""
    with told():
        key = signer(name, key_file)

    async def work(_: VenueClient, reader: RollupReader) -> tuple[Listing, bytes]:
        listing = (await terms_on_l1(reader)).find(symbol)
        done = await governance.cancel(reader, await l1_sender(reader, key), listing.market)
        return listing, done.transaction_hash

    with waiting("waiting for L1"):
        listing, transaction = ask_both(rpc_url, l1_url, work)
    if as_json:
        print_json({"market": listing.market, "transaction": "0x" + transaction.hex()})
        return
    console().print(f"nothing is announced for {governance.name(listing)} any more")


@market.command()
@click.argument("symbol", metavar="MARKET")
@signer_options
@rpc_option
@l1_option
@json_option
def apply(
    symbol: str,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """Have L1 hand the announced parameters of MARKET to the venue. Anybody may, in their time."""
    with told():
        key = signer(name, key_file)

    async def work(_: VenueClient, reader: RollupReader) -> tuple[Listing, Appended]:
        listing = (await terms_on_l1(reader)).find(symbol)
        return listing, await _applied(reader, key, listing.market)

    with waiting("waiting for L1"):
        listing, done = ask_both(rpc_url, l1_url, work)
    _show_appended(listing, done, as_json)


async def _applied(reader: RollupReader, key: Signer, market: int) -> Appended:
    return await governance.apply(reader, await l1_sender(reader, key), market)


def _announcement_json(coming: Announcement) -> dict[str, Any]:
    return {
        "readyAt": coming.ready_at,
        "voidAfter": coming.void_after,
        "parameters": listings.plain(coming.listing) if coming.listing else None,
        "payload": "0x" + coming.payload.hex(),
    }


def _show_announcement(held: Listing, coming: Announcement) -> None:
    ready, void = _moment(coming.ready_at), _moment(coming.void_after)
    title = f"Announced, to be applied from {ready} to {void}"
    if coming.listing is None:
        console().print(f"{title}: {len(coming.payload)} bytes that are no listing")
        return
    rows = listings.differences(held, coming.listing)
    console().print(table(title, ("parameter", ">now", ">then"), rows))


def _show_appended(listing: Listing, done: Appended, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "market": listing.market,
                "inboxItem": done.index,
                "block": done.block,
                "transaction": "0x" + done.transaction.hex(),
            }
        )
        return
    console().print(
        f"{governance.name(listing)}: L1 took it in block {done.block}, inbox item {done.index}"
    )
    console().print("the venue follows with the next batch")


def _moment(seconds: int) -> str:
    """A time of L1, for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
