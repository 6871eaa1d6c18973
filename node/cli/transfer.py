"""`transfer`: cash from one of the signer's subaccounts to another."""

from pathlib import Path

import click

from node.cli.asking import ask, signing_for
from node.cli.failures import WronglyPut, told
from node.cli.options import SUBACCOUNTS, json_option, rpc_option, signer_options, subaccount_option
from node.cli.output import console, print_json
from node.cli.signer import signer
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.results import SubmitReceipt


@click.command()
@click.argument("amount")
@click.argument("target", metavar="TO", type=click.IntRange(0, SUBACCOUNTS - 1))
@subaccount_option
@signer_options
@rpc_option
@json_option
def transfer(
    amount: str,
    target: int,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Move AMOUNT dollars to subaccount TO, opened if need be. Each is margined by itself."""
    if target == subaccount:
        raise WronglyPut(f"subaccount {target} is where it is: name another one")
    with told():
        key = signer(name, key_file)

    async def work(venue: VenueClient) -> SubmitReceipt:
        number, _ = await signing_for(venue, key, subaccount)
        return await venue.sign_and_transfer(
            key.private_key,
            account=number,
            to_account=number - subaccount + target,
            amount=amount,
        )

    receipt = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(receipt))
        return
    assert receipt.account is not None, "a transfer leaves an account"
    to = receipt.account - subaccount + target
    console().print(f"{amount} USD went from account {receipt.account} to account {to}")
