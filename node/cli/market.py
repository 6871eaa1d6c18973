"""`market`: listing markets and changing their parameters, in public and with notice."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from node import governance
from node.cli import listings
from node.cli.asking import ask_both, l1_sender
from node.cli.failures import told
from node.cli.options import json_option, l1_option, repeated, rpc_option, signer_options
from node.cli.output import console, facts, print_json, table, waiting
from node.cli.signer import signer
from node.governance import Announcement, Market, find_market
from node.l1.sender import TransactionSender
from node.owners import Appended
from node.rollup import RollupReader
from node.rpc.client import VenueClient
from state.transactions.kinds import InboxKind
from state.transactions.list_market import Listing

Done = TypeVar("Done")


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
    """Show MARKET's parameters as L1 holds them, and what is announced for it.

    A market that is announced but not listed yet is shown too.
    """

    async def work(_: VenueClient, reader: RollupReader) -> Market:
        return await find_market(reader, symbol)

    found = ask_both(rpc_url, l1_url, work)
    if as_json:
        print_json(
            {
                "parameters": listings.plain(found.listing) if found.is_listed else None,
                "scheduled": _announcement_json(found.coming) if found.coming else None,
            }
        )
        return
    if found.is_listed:
        title = f"Market {governance.name(found.listing)}"
        console().print(facts(title, listings.rows(found.listing)))
    if found.coming:
        _show_announcement(found, found.coming)


@market.command(name="list")
@click.argument("file", type=click.Path(path_type=Path))
@signer_options
@rpc_option
@l1_option
@json_option
def list_(
    file: Path, name: str | None, key_file: Path | None, rpc_url: str, l1_url: str, as_json: bool
) -> None:
    """List the market that FILE describes, as `market show --json` has its parameters.

    While nobody has deposited it is listed at once. After that it is announced, and may be
    applied once the rollup's parameter delay is over.
    """
    with told():
        key, listing = signer(name, key_file), listings.read_file(file)

    async def work(_: VenueClient, reader: RollupReader) -> Appended | Announcement:
        return await governance.list_market(reader, await l1_sender(reader, key), listing)

    with waiting("waiting for L1"):
        done = ask_both(rpc_url, l1_url, work)
    if isinstance(done, Announcement):
        _show_scheduled(Market(listing, False, done), done, as_json)
    else:
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

    They replace what was announced for it before, its listing if it is not listed yet, and may
    be applied once the rollup's parameter delay is over.
    """
    with told():
        key = signer(name, key_file)

    async def work(_: VenueClient, reader: RollupReader) -> tuple[Market, Announcement]:
        found = await find_market(reader, symbol)
        wanted = listings.changed(found.listing, assignments)
        kind = InboxKind.SET_PARAMETERS if found.is_listed else InboxKind.LIST_MARKET
        sender = await l1_sender(reader, key)
        return found, await governance.schedule(reader, sender, wanted, kind)

    with waiting("waiting for L1"):
        found, coming = ask_both(rpc_url, l1_url, work)
    _show_scheduled(found, coming, as_json)


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
    """Take back what is announced for MARKET, its listing or its parameters."""
    listing, done = _about(symbol, governance.cancel, name, key_file, rpc_url, l1_url)
    if as_json:
        transaction = "0x" + done.transaction_hash.hex()
        print_json({"market": listing.market, "transaction": transaction})
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
    """Have L1 hand what is announced for MARKET to the venue. Anybody may, in its time."""
    listing, done = _about(symbol, governance.apply, name, key_file, rpc_url, l1_url)
    _show_appended(listing, done, as_json)


def _about(
    symbol: str,
    act: Callable[[RollupReader, TransactionSender, int], Awaitable[Done]],
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
) -> tuple[Listing, Done]:
    """Do on L1 what concerns a market by its number, in the signer's name."""
    with told():
        key = signer(name, key_file)

    async def work(_: VenueClient, reader: RollupReader) -> tuple[Listing, Done]:
        listing = (await find_market(reader, symbol)).listing
        return listing, await act(reader, await l1_sender(reader, key), listing.market)

    with waiting("waiting for L1"):
        return ask_both(rpc_url, l1_url, work)


def _announcement_json(coming: Announcement) -> dict[str, Any]:
    return {
        "kind": "listing" if coming.kind == InboxKind.LIST_MARKET else "parameters",
        "readyAt": coming.ready_at,
        "voidAfter": coming.void_after,
        "parameters": listings.plain(coming.listing) if coming.listing else None,
        "payload": "0x" + coming.payload.hex(),
    }


def _show_scheduled(found: Market, coming: Announcement, as_json: bool) -> None:
    """What the governor just announced."""
    if as_json:
        print_json(_announcement_json(coming))
        return
    _show_announcement(found, coming)
    called = governance.name(found.listing)
    same = repeated("rpc_url", "l1_url")
    console().print(f"then anybody may: tallystick market apply {called}{same}")


def _show_announcement(found: Market, coming: Announcement) -> None:
    ready, void = _moment(coming.ready_at), _moment(coming.void_after)
    title = f"to be applied from {ready} to {void}"
    if coming.listing is None:
        console().print(f"Announced, {title}: {len(coming.payload)} bytes that are no listing")
    elif coming.kind == InboxKind.LIST_MARKET:
        called = governance.name(coming.listing)
        console().print(
            facts(f"Market {called}, announced, {title}", listings.rows(coming.listing))
        )
    else:
        rows = listings.differences(found.listing, coming.listing)
        console().print(table(f"Announced, {title}", ("parameter", ">now", ">then"), rows))


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
