"""`key`: session keys and accounts handed over; through L1, where no sequencer can refuse it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from node.cli.asking import account_of, accounts_meant, address_meant, ask_both, l1_sender
from node.cli.failures import Failure, told
from node.cli.keys import signer
from node.cli.options import json_option, l1_option, rpc_option, signer_options
from node.cli.orders import subaccount_option
from node.cli.output import console, print_json, waiting
from node.cli.session_keys import add, list_keys, revoke_on_venue
from node.clock import SystemClock
from node.owners import Appended, accept_number, revoke_key, rotate_owner
from node.rollup import RollupReader
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.results import AccountSummary

EFFECT_SECONDS = 60.0
POLL_SECONDS = 0.2

no_wait_option = click.option(
    "--no-wait", is_flag=True, help="Do not wait until the venue has done it."
)


@click.group()
def key() -> None:
    """Add, list and revoke session keys, and hand accounts over."""


key.add_command(add)
key.add_command(list_keys)


@key.command()
@click.argument("epoch", type=click.IntRange(1, 2**32 - 1))
@click.option("--through-l1", is_flag=True, help="Where the sequencer would not take it.")
@no_wait_option
@subaccount_option
@signer_options
@rpc_option
@l1_option
@json_option
def revoke(
    epoch: int,
    through_l1: bool,
    no_wait: bool,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """End the session key of EPOCH; its resting orders stay. The account's owner signs."""
    if not through_l1:
        receipt = revoke_on_venue(epoch, subaccount, name, key_file, rpc_url)
        if as_json:
            print_json(wire.plain(receipt))
        else:
            console().print(f"session key {epoch} of account {receipt.account} ended")
        return
    with told():
        key = signer(name, key_file)

    async def work(venue: VenueClient, reader: RollupReader) -> tuple[int, Appended]:
        number = await account_of(venue, key, subaccount)
        found = await venue.account(number)
        if all(held.epoch != epoch for held in found.keys):
            known = ", ".join(str(held.epoch) for held in found.keys) or "none"
            raise Failure(f"account {number} has no session key {epoch}; it has: {known}")
        sender = await l1_sender(reader, key)
        done = await revoke_key(reader, sender, account=number, key_epoch=epoch)
        if not no_wait:
            await _until(venue, number, lambda it: all(held.epoch != epoch for held in it.keys))
        return number, done

    with waiting("waiting for L1, then for the venue to end the key"):
        account, done = ask_both(rpc_url, l1_url, work)
    told_of = {"account": account, "keyEpoch": epoch}
    _tell(done, told_of, as_json, not no_wait, f"session key {epoch} of account {account} ended")


@key.command()
@click.argument("account")
@signer_options
@rpc_option
@l1_option
@json_option
def accept(
    account: str,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """Agree to take ACCOUNT over: an account's number, or its owner's name or address.

    The new owner signs, before the old one rotates. With the account comes the owner number,
    and with that the deposits made for it.
    """
    with told():
        key = signer(name, key_file)

    async def work(venue: VenueClient, reader: RollupReader) -> tuple[int, bytes]:
        numbers = {one.owner_number for one in await accounts_meant(venue, account)}
        if len(numbers) > 1:
            raise Failure(f"{account} has owner numbers {sorted(numbers)}; name an account number")
        (number,) = numbers
        return number, await accept_number(reader, await l1_sender(reader, key), number)

    with waiting("waiting for L1"):
        number, transaction = ask_both(rpc_url, l1_url, work)
    if as_json:
        print_json({"ownerNumber": number, "transaction": "0x" + transaction.hex()})
        return
    shown = f"0x{key.address.hex()}"
    console().print(f"{shown} takes owner number {number} over when its owner hands it over:")
    console().print(f"tallystick key rotate {shown}")


@key.command()
@click.argument("new_owner", metavar="NEW-OWNER")
@no_wait_option
@subaccount_option
@signer_options
@rpc_option
@l1_option
@json_option
def rotate(
    new_owner: str,
    no_wait: bool,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """Hand a subaccount to NEW-OWNER, an address or devnet name. The present owner signs.

    Its session keys end; orders, positions and cash stay in it. The owner number moves with
    the first subaccount that is handed over; the others should follow.
    """
    with told():
        key, address = signer(name, key_file), address_meant(new_owner)

    async def work(venue: VenueClient, reader: RollupReader) -> tuple[int, Appended]:
        number = await account_of(venue, key, subaccount)
        sender = await l1_sender(reader, key)
        done = await rotate_owner(reader, sender, account=number, new_owner=address)
        if not no_wait:
            await _until(venue, number, lambda it: it.owner == address)
        return number, done

    with waiting("waiting for L1, then for the venue to hand the account over"):
        account, done = ask_both(rpc_url, l1_url, work)
    told_of = {"account": account, "newOwner": "0x" + address.hex()}
    said = f"account {account} is 0x{address.hex()}'s"
    _tell(done, told_of, as_json, not no_wait, said)


async def _until(venue: VenueClient, account: int, holds: Callable[[AccountSummary], bool]) -> None:
    """Wait until the venue has done what L1 has taken."""
    clock = SystemClock()
    deadline = clock.monotonic() + EFFECT_SECONDS
    while not holds(await venue.account(account)):
        if clock.monotonic() >= deadline:
            raise Failure(
                f"L1 took it and the venue has not done it within {EFFECT_SECONDS:.0f} s; the "
                "sequencer must within the rollup's inbox delay: tallystick account "
                f"{account} shows it then"
            )
        await clock.sleep(POLL_SECONDS)


def _tell(done: Appended, told_of: dict[str, Any], as_json: bool, is_done: bool, said: str) -> None:
    if as_json:
        print_json(
            told_of
            | {
                "inboxItem": done.index,
                "block": done.block,
                "transaction": "0x" + done.transaction.hex(),
                "done": is_done,
            }
        )
        return
    console().print(f"L1 took it in block {done.block}, inbox item {done.index}")
    if is_done:
        console().print(said)
