"""`order`: placing and cancelling, signed here and sent to the sequencer."""

from pathlib import Path

import click

from node.cli.asking import ask, signing_for, signs_for
from node.cli.failures import WronglyPut, told
from node.cli.options import (
    account_option,
    client_id_option,
    json_option,
    rpc_option,
    signer_options,
    subaccount_option,
)
from node.cli.output import console, print_json
from node.cli.placing import place
from node.cli.preview import preview
from node.cli.receipts import show_receipt, standing_words
from node.cli.signer import signer
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.order_results import OrderStanding
from node.rpc.results import OrderId, SubmitReceipt
from node.rpc.wire import U64
from state.limits import TIME_MAX

DIGITS_MAX = 20
EPOCH_MAX, SEQUENCE_MAX = 2**32 - 1, 2**64 - 1


@click.group()
def order() -> None:
    """Place, amend and cancel orders, and see where they stand."""


order.add_command(place)
order.add_command(preview)


@order.command()
@click.argument("order_name", metavar="ORDER")
@click.option("--size", help="Coins that shall be open from now on.")
@click.option("--price", help="Dollars a coin.")
@click.option("--expiry", type=click.IntRange(0, TIME_MAX), help="Seconds since 1970.")
@client_id_option
@account_option
@subaccount_option
@signer_options
@rpc_option
@json_option
def amend(
    order_name: str,
    size: str | None,
    price: str | None,
    expiry: int | None,
    client_id: str | None,
    number: int | None,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Change what is left of an open order. Less at the same price keeps its place in the queue."""
    with told():
        key = signer(name, key_file)
        wanted = _order_id(order_name)
        if size is None and price is None and expiry is None:
            raise WronglyPut("say what to change: --size, --price or --expiry")

    async def work(venue: VenueClient) -> SubmitReceipt:
        account, epoch = await signing_for(venue, key, subaccount, number)
        return await venue.sign_and_amend(
            key.private_key,
            account=account,
            key_epoch=epoch,
            order=wanted,
            size=size,
            price=price,
            expiry=expiry,
            client_order_id=client_id,
        )

    receipt = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(receipt))
        return
    show_receipt(receipt, receipt.fills[0].side if receipt.fills else "buy")


@order.command("cancel-all")
@click.option("--market", help="Only those of one market.")
@account_option
@subaccount_option
@signer_options
@rpc_option
@json_option
def cancel_all(
    market: str | None,
    number: int | None,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Cancel every open order of the account by one signature."""
    with told():
        key = signer(name, key_file)

    async def work(venue: VenueClient) -> SubmitReceipt:
        account, epoch = await signing_for(venue, key, subaccount, number)
        return await venue.sign_and_cancel_all(
            key.private_key, account=account, market=market, key_epoch=epoch
        )

    receipt = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(receipt))
        return
    console().print(f"{receipt.cancelled or 'no open order'} cancelled")


@order.command()
@click.argument("order_name", metavar="[ORDER]", required=False)
@click.option("--client-id", help="The name you gave it.")
@account_option
@subaccount_option
@signer_options
@rpc_option
@json_option
def show(
    order_name: str | None,
    client_id: str | None,
    number: int | None,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Show where an order stands, also one that is no longer open."""
    with told():
        key = signer(name, key_file)
        if (order_name is None) == (client_id is None):
            raise WronglyPut("name one order, by its sequence number or by --client-id")
        wanted = None if order_name is None else _order_id(order_name)

    async def work(venue: VenueClient) -> OrderStanding:
        account, _ = await signs_for(venue, key, subaccount, number)
        return await venue.order(account, wanted, client_order_id=client_id)

    found = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(found))
        return
    which = client_id if found.order is None else f"{found.order.epoch}:{found.order.sequence}"
    console().print(standing_words(found, str(which)))


@order.command()
@click.argument("orders", nargs=-1, metavar="[ORDER]...")
@click.option("--all", "is_all", is_flag=True, help="Every open order of the account.")
@account_option
@subaccount_option
@signer_options
@rpc_option
@json_option
def cancel(
    orders: tuple[str, ...],
    is_all: bool,
    number: int | None,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Cancel open orders, each by its sequence number, or EPOCH:SEQUENCE of a session key."""
    with told():
        key = signer(name, key_file)
        if bool(orders) == is_all:
            raise WronglyPut("name the orders to cancel, or --all of them")
        wanted = [_order_id(text) for text in orders]

    async def work(venue: VenueClient) -> list[OrderId]:
        account, epoch = await signing_for(venue, key, subaccount, number)
        if is_all:
            wanted.extend(open_.id for open_ in (await venue.account(account)).orders)
        for one in wanted:
            await venue.sign_and_cancel(
                key.private_key, account=account, order=one, key_epoch=epoch
            )
        return wanted

    cancelled = ask(rpc_url, work)
    if as_json:
        print_json({"cancelled": wire.plain(cancelled)})
        return
    for one in cancelled:
        console().print(f"order {one.epoch}:{one.sequence}: cancelled")
    if not cancelled:
        console().print("there was no open order")


def _order_id(text: str) -> OrderId:
    epoch, _, sequence = text.rpartition(":")
    if not all(part.isascii() and part.isdigit() for part in (epoch or "0", sequence)):
        raise WronglyPut(
            f"{_cut(text)!r} names no order; write its sequence number, or EPOCH:SEQUENCE"
        )
    # Digits are counted first: a long enough number takes Python long, or is refused by it.
    if len(epoch) <= DIGITS_MAX and len(sequence) <= DIGITS_MAX:
        found = OrderId(epoch=int(epoch or "0"), sequence=U64(sequence))
        if found.epoch <= EPOCH_MAX and found.sequence <= SEQUENCE_MAX:
            return found
    raise WronglyPut(
        f"{_cut(text)!r} names no order: an epoch ends at 2^32 - 1, a number at 2^64 - 1"
    )


def _cut(text: str) -> str:
    return text if len(text) <= 2 * DIGITS_MAX else text[: 2 * DIGITS_MAX] + "..."
