"""Asking a node or L1, and finding out what the user's words stand for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from node.cli.failures import Failure, told
from node.cli.options import read_address
from node.cli.signer import Signer, devnet_signer
from node.clock import SystemClock
from node.l1.client import L1Client, Patience
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.rpc.client import VenueClient
from node.rpc.results import AccountSummary
from state.accounts import OWNER_KEY

Answer = TypeVar("Answer")
PATIENCE = Patience(question=5.0)
"""Somebody sits and waits: an endpoint that is away is told soon."""


def ask(rpc_url: str, work: Callable[[VenueClient], Awaitable[Answer]]) -> Answer:
    """What `work` comes to with a client of the node."""

    async def run() -> Answer:
        async with VenueClient(rpc_url) as venue:
            return await work(venue)

    with told():
        return asyncio.run(run())


def ask_both(
    rpc_url: str,
    l1_url: str,
    work: Callable[[VenueClient, RollupReader], Awaitable[Answer]],
) -> Answer:
    """As `ask`, with L1 beside the node: both must be of the same chain."""

    async def run() -> Answer:
        async with VenueClient(rpc_url) as venue:
            terms = await venue.config()
            chain_id = terms.chain_id
            async with L1Client(l1_url, expected_chain_id=chain_id, patience=PATIENCE) as l1:
                return await work(venue, RollupReader(l1, bytes(terms.rollup)))

    with told():
        return asyncio.run(run())


async def account_of(venue: VenueClient, key: Signer, subaccount: int) -> int:
    """The number of the signer's account. Failure where there is none."""
    for account in await venue.accounts(key.address):
        if account.subaccount == subaccount:
            return account.account
    raise Failure(
        f"{key.name} (0x{key.address.hex()}) has no subaccount {subaccount} on the venue; deposit "
        f"into it first: tallystick deposit --from {key.name} 1000"
    )


async def signs_for(
    venue: VenueClient, key: Signer, subaccount: int, account: int | None
) -> tuple[int, int]:
    """Account and key epoch: of a session key if `account` is somebody else's. Failure if neither.

    Without `account` the signer's own subaccount.
    """
    if account is None:
        return await account_of(venue, key, subaccount), OWNER_KEY
    found = await venue.account(account)
    if found.owner == key.address:
        return account, OWNER_KEY
    epochs = [held.epoch for held in found.keys if held.address == key.address]
    if not epochs:
        raise Failure(
            f"{key.name} (0x{key.address.hex()}) neither owns account {account} nor is a session "
            f"key of it; its owner adds one: tallystick key add 0x{key.address.hex()}"
        )
    return account, epochs[-1]


async def signing_for(
    venue: VenueClient, key: Signer, subaccount: int, account: int | None = None
) -> tuple[int, int]:
    """As `signs_for`, once the key may sign for the node's chain."""
    await check_chain(venue, key)
    return await signs_for(venue, key, subaccount, account)


async def check_chain(venue: VenueClient, key: Signer) -> None:
    """Failure where a public key would sign for a chain that is no devnet."""
    key.check_chain((await venue.config()).chain_id)


def address_meant(who: str) -> bytes:
    """The address that `who` names: itself, or a devnet name."""
    return read_address(who) if who.startswith("0x") else devnet_signer(who).address


async def l1_sender(reader: RollupReader, key: Signer) -> TransactionSender:
    """Sends L1 transactions in the signer's name."""
    chain_id = await reader.client.chain_id()
    key.check_chain(chain_id)
    return TransactionSender(reader.client, key.private_key, SystemClock(), chain_id=chain_id)


async def accounts_meant(venue: VenueClient, who: str) -> list[AccountSummary]:
    """The accounts that `who` names: by number, by address, or by a devnet name."""
    if who.isascii() and who.isdigit():
        return [await venue.account(int(who))]
    found = await venue.accounts(address_meant(who))
    if not found:
        raise Failure(f"{who} has no account on the venue; a deposit on L1 opens one")
    return found
