"""`key add`, `key list`, `key revoke`: session keys, signed by the owner for the venue."""

from collections.abc import Iterator
from pathlib import Path

import click

from node.cli.asking import account_of, address_meant, ask, signing_for
from node.cli.failures import WronglyPut, told
from node.cli.options import (
    json_option,
    repeated,
    rpc_option,
    signer_options,
    subaccount_option,
)
from node.cli.output import Cell, console, print_json, table
from node.cli.signer import signer
from node.clock import SystemClock
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.results import SessionKeySummary, SubmitReceipt

DAY_SECONDS = 86_400


@click.command()
@click.argument("address", metavar="KEY")
@click.option("--days", type=click.IntRange(1, 3_650), default=30, show_default=True)
@click.option("--cancel-only", is_flag=True, help="The key may cancel orders and nothing else.")
@click.option("--block-trades", is_flag=True, help="The key may sign block trades besides.")
@subaccount_option
@signer_options
@rpc_option
@json_option
def add(
    address: str,
    days: int,
    cancel_only: bool,
    block_trades: bool,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Let KEY, an address or devnet name, sign orders for the account. The owner signs."""
    if cancel_only and block_trades:
        raise WronglyPut("--cancel-only and --block-trades exclude each other: give one")
    with told():
        owner, key = signer(name, key_file), address_meant(address)

    async def work(venue: VenueClient) -> SubmitReceipt:
        account, _ = await signing_for(venue, owner, subaccount)
        return await venue.sign_and_add_key(
            owner.private_key,
            account=account,
            key=key,
            key_expiry=int(SystemClock().now()) + days * DAY_SECONDS,
            may_trade=not cancel_only,
            may_block_trade=block_trades,
        )

    receipt = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(receipt))
        return
    may = _may(may_trade=not cancel_only, may_cancel=True, may_block_trade=block_trades)
    console().print(
        f"0x{key.hex()} may {may} for account {receipt.account} as key {receipt.key_epoch}, "
        f"for {days} days"
    )
    same = repeated("name", "key_file", "subaccount", "rpc_url")
    console().print(f"to end it: tallystick key revoke {receipt.key_epoch}{same}")


@click.command("list")
@subaccount_option
@signer_options
@rpc_option
@json_option
def list_keys(
    subaccount: int, name: str | None, key_file: Path | None, rpc_url: str, as_json: bool
) -> None:
    """List the session keys of the signer's account, and what each may do."""
    with told():
        owner = signer(name, key_file)

    async def work(venue: VenueClient) -> list[SessionKeySummary]:
        return (await venue.account(await account_of(venue, owner, subaccount))).keys

    found = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(found))
        return
    columns = ("key", "address", "may", ">next sequence", ">time left")
    shown = table("Session keys", columns, _rows(found))
    console().print(shown if found else "no session key: the owner alone signs")


def _rows(keys: list[SessionKeySummary]) -> Iterator[tuple[Cell, ...]]:
    now = int(SystemClock().now())
    for key in keys:
        may = _may(
            may_trade=key.may_trade,
            may_cancel=key.may_cancel,
            may_block_trade=key.may_block_trade,
        )
        left = _time_left(key.expiry - now)
        yield str(key.epoch), "0x" + key.address.hex(), may, str(key.next_sequence), left


def _time_left(seconds: int) -> str:
    """In the largest unit of which there is one."""
    if seconds < 0:
        return "expired"
    for name, size in (("day", DAY_SECONDS), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count = seconds // size
        if count:
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "0 seconds"


def _may(*, may_trade: bool, may_cancel: bool, may_block_trade: bool) -> str:
    """In words; who trades may cancel too."""
    orders = "trade" if may_trade else "cancel" if may_cancel else ""
    return " and ".join(filter(None, (orders, "block trade" if may_block_trade else "")))


def revoke_on_venue(
    epoch: int, subaccount: int, name: str | None, key_file: Path | None, rpc_url: str
) -> SubmitReceipt:
    """End a session key by the owner's signature, without L1."""
    with told():
        owner = signer(name, key_file)

    async def work(venue: VenueClient) -> SubmitReceipt:
        account, _ = await signing_for(venue, owner, subaccount)
        return await venue.sign_and_revoke_key(owner.private_key, account=account, key_epoch=epoch)

    return ask(rpc_url, work)
