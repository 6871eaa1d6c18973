"""`key accept` and `key rotate`: an owner number changes hands on L1, and its accounts follow."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import click

from node.cli.asking import accounts_meant, address_meant, ask_both, l1_sender
from node.cli.effects import no_wait_option, until
from node.cli.failures import Failure, told
from node.cli.options import (
    SUBACCOUNTS,
    json_option,
    l1_option,
    repeated,
    rpc_option,
    signer_options,
)
from node.cli.output import console, print_json, waiting
from node.cli.signer import signer
from node.l1.sender import TransactionSender
from node.owners import Appended, accept_number, number_to_hand_over, rotate_owner
from node.rollup import RollupReader
from node.rpc.client import VenueClient, VenueError
from node.rpc.results import AccountSummary

ASKED_AT_ONCE = 16
"""Accounts: a node answers one number at a time."""

Handed = list[tuple[int, Appended]]
"""Accounts, each with the item that lets it follow."""


@click.command()
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
    """Agree to take an owner number over: that of ACCOUNT, or of an owner's name or address.

    The new owner signs, before the old one rotates. With the number come all its accounts, with
    what rests and is owed in them. The old key acts on each until that has followed on the venue.
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
    console().print(f"tallystick key rotate {shown}{repeated('rpc_url', 'l1_url')}")


@click.command()
@click.argument("new_owner", metavar="NEW-OWNER")
@no_wait_option
@click.option(
    "--subaccount",
    type=click.IntRange(0, SUBACCOUNTS - 1),
    help="Have this one follow; else every one that the venue has.",
)
@signer_options
@rpc_option
@l1_option
@json_option
def rotate(
    new_owner: str,
    no_wait: bool,
    subaccount: int | None,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """Hand the signer's owner number to NEW-OWNER, an address or devnet name, with its accounts.

    Their session keys end; orders, positions and cash stay in them. Where NEW-OWNER has a number
    already, the accounts of it that are still another's follow; anybody else may sign for that.
    """
    with told():
        key, address = signer(name, key_file), address_meant(new_owner)
    wanted = range(SUBACCOUNTS) if subaccount is None else (subaccount,)

    async def work(venue: VenueClient, reader: RollupReader) -> tuple[int, Handed]:
        number = await number_to_hand_over(reader, key.address, address)
        sender = await l1_sender(reader, key)
        accounts = [number << 8 | subaccount for subaccount in wanted]
        return number, await _hand_over(venue, reader, sender, accounts, address, not no_wait)

    with waiting("waiting for L1, then for the venue to hand the accounts over"):
        number, handed = ask_both(rpc_url, l1_url, work)
    _tell(number, address, handed, as_json, not no_wait)


async def _hand_over(
    venue: VenueClient,
    reader: RollupReader,
    sender: TransactionSender,
    accounts: list[int],
    owner: bytes,
    waits: bool,
) -> Handed:
    """Have all follow that are not `owner`'s yet.

    Then looks again: the old key may have opened further ones in the meantime.
    """
    handed: Handed = []
    found = await _existing(venue, accounts)
    while behind := [one.account for one in found if one.owner != owner]:
        for account in behind:
            done = await rotate_owner(reader, sender, account=account, new_owner=owner)
            handed.append((account, done))
        if not waits:
            break
        for account in behind:
            await until(venue, account, lambda it: it.owner == owner)
        found = await _existing(venue, accounts)
    if not handed:
        raise _nothing(accounts, bool(found), owner)
    return handed


async def _existing(venue: VenueClient, accounts: list[int]) -> list[AccountSummary]:
    """Those that the venue has."""
    found: list[AccountSummary | None] = []
    for start in range(0, len(accounts), ASKED_AT_ONCE):
        asked = accounts[start : start + ASKED_AT_ONCE]
        found += await asyncio.gather(*(_account_if_any(venue, number) for number in asked))
    return [one for one in found if one is not None]


async def _account_if_any(venue: VenueClient, number: int) -> AccountSummary | None:
    try:
        return await venue.account(number)
    except VenueError as error:
        if error.reason == "unknown_account":
            return None
        raise


def _nothing(accounts: list[int], are_there: bool, owner: bytes) -> Failure:
    """Why nothing follows: nothing is there, or all is the new owner's already."""
    number = accounts[0] >> 8
    which = f"account {accounts[0]}" if len(accounts) == 1 else f"account of owner number {number}"
    if not are_there:
        return Failure(f"there is no {which} on the venue; a deposit on L1 opens one")
    return Failure(
        f"0x{owner.hex()} has owner number {number} already, with every {which}, and nobody can "
        "have two; hand yours to an address that has never deposited"
    )


def _tell(
    number: int, owner: bytes, handed: Iterable[tuple[int, Appended]], as_json: bool, is_done: bool
) -> None:
    shown = "0x" + owner.hex()
    if as_json:
        items = [
            {
                "account": account,
                "inboxItem": item.index,
                "block": item.block,
                "transaction": "0x" + item.transaction.hex(),
            }
            for account, item in handed
        ]
        print_json({"ownerNumber": number, "newOwner": shown, "accounts": items, "done": is_done})
        return
    console().print(f"owner number {number} is {shown}'s on L1, and with it:")
    for account, item in handed:
        said = f"account {account}, by inbox item {item.index} in block {item.block}"
        console().print(said if is_done else f"{said}, when the venue takes it")
