"""`key`: session keys, ended through L1 too, where no sequencer can refuse it."""

from pathlib import Path
from typing import Any

import click

from node.cli.asking import account_of, ask_both, l1_sender
from node.cli.effects import no_wait_option, until
from node.cli.failures import Failure, told
from node.cli.numbers import accept, rotate
from node.cli.options import json_option, l1_option, rpc_option, signer_options, subaccount_option
from node.cli.output import console, print_json, waiting
from node.cli.session_keys import add, list_keys, revoke_on_venue
from node.cli.signer import signer
from node.owners import Appended, revoke_key
from node.rollup import RollupReader
from node.rpc import wire
from node.rpc.client import VenueClient


@click.group()
def key() -> None:
    """Add, list and revoke session keys, and hand an owner number over."""


for command in (add, list_keys, accept, rotate):
    key.add_command(command)


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
            await until(venue, number, lambda it: all(held.epoch != epoch for held in it.keys))
        return number, done

    with waiting("waiting for L1, then for the venue to end the key"):
        account, done = ask_both(rpc_url, l1_url, work)
    told_of = {"account": account, "keyEpoch": epoch}
    _tell(done, told_of, as_json, not no_wait, f"session key {epoch} of account {account} ended")


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
