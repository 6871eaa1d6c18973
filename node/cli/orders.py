"""`order`: placing and cancelling, signed here and sent to the sequencer."""

from pathlib import Path

import click

from node.cli.asking import ask, signing_for, signs_for
from node.cli.failures import WronglyPut, told
from node.cli.keys import signer
from node.cli.options import json_option, rpc_option, signer_options, subaccount_option
from node.cli.output import console, money, print_json
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.message_types import LifeName, Side
from node.rpc.order_results import OrderStanding
from node.rpc.results import FillSummary, OrderId, SubmitReceipt
from node.rpc.wire import U64
from state.eip712 import LIVES
from state.limits import TIME_MAX

account_option = click.option(
    "--account",
    "number",
    type=click.IntRange(0, 2**32 - 1),
    help="Sign for this account with a session key of it.",
)
client_id_option = click.option(
    "--client-id", help="Your own name for it, up to 36 characters; it names one order only."
)


@click.group()
def order() -> None:
    """Place, amend and cancel orders, and see where they stand."""


@order.command()
@click.argument("market")
@click.argument("side", type=click.Choice(["buy", "sell"]))
@click.argument("size")
@click.option("--price", help="Dollars a coin; a market order where it is left out.")
@click.option("--life", type=click.Choice(list(LIVES.values())), help="GTC, or IOC at the market.")
@click.option("--reduce-only", is_flag=True, help="Only ever make the position smaller.")
@client_id_option
@account_option
@subaccount_option
@signer_options
@rpc_option
@json_option
def place(
    market: str,
    side: Side,
    size: str,
    price: str | None,
    life: LifeName | None,
    reduce_only: bool,
    client_id: str | None,
    number: int | None,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Buy or sell SIZE coins in MARKET, such as BTC-USD-PERP buy 0.01 --price 60000."""
    with told():
        key = signer(name, key_file)

    async def work(venue: VenueClient) -> SubmitReceipt:
        account, epoch = await signing_for(venue, key, subaccount, number)
        return await venue.sign_and_submit_order(
            key.private_key,
            account=account,
            key_epoch=epoch,
            market=market,
            side=side,
            size=size,
            price=price,
            life=life,
            reduce_only=reduce_only,
            client_order_id=client_id,
        )

    receipt = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(receipt))
        return
    _show(receipt, side)


def _show(receipt: SubmitReceipt, side: str) -> None:
    screen = console()
    for fill in receipt.fills:
        screen.print(_fill(fill, "bought" if side == "buy" else "sold"))
    assert receipt.order is not None, "the receipt of an order names it"
    again = " (sent before; this is what became of it)" if receipt.resubmission else ""
    name = f"{receipt.order.epoch}:{receipt.order.sequence}"
    screen.print(f"order {name}: {receipt.message}{again}")
    if receipt.resting_lots:
        cancel_it = f"tallystick order cancel {_name(receipt)}"
        screen.print(f"{receipt.remaining_size} rests; to cancel it: {cancel_it}")


def _fill(fill: FillSummary, did: str) -> str:
    return f"{did} {fill.size} {fill.symbol} at {fill.price}, fee {money(fill.taker_fee)} USD"


def _name(receipt: SubmitReceipt) -> str:
    assert receipt.order is not None
    sequence = str(receipt.order.sequence)
    return sequence if not receipt.order.epoch else f"{receipt.order.epoch}:{sequence}"


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
    _show(receipt, receipt.fills[0].side if receipt.fills else "buy")


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
    filled = f", filled {found.filled_size}" if found.filled_size else ""
    rests = f", {found.resting.size} open at {found.resting.price}" if found.resting else ""
    console().print(f"order {which}: {found.standing}{filled}{rests}")


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
        raise WronglyPut(f"{text!r} names no order; write its sequence number, or EPOCH:SEQUENCE")
    return OrderId(epoch=int(epoch or "0"), sequence=U64(sequence))
