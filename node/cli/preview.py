"""`order preview`: what an order would do, without sending it."""

from pathlib import Path

import click

from node.cli.asking import ask, signs_for
from node.cli.failures import told
from node.cli.options import (
    account_option,
    json_option,
    rpc_option,
    signer_options,
    subaccount_option,
)
from node.cli.output import console, money, print_json, table
from node.cli.signer import signer
from node.cli.terms import order_terms
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.message_types import LifeName, SelfTradeName, Side
from node.rpc.preview_results import AccountPreview, Preview
from node.rpc.results import MarginTerms


@click.command()
@click.argument("market")
@click.argument("side", type=click.Choice(["buy", "sell"]))
@click.argument("size")
@order_terms
@account_option
@subaccount_option
@signer_options
@rpc_option
@json_option
@click.pass_context
def preview(
    context: click.Context,
    market: str,
    side: Side,
    size: str,
    price: str | None,
    life: LifeName | None,
    reduce_only: bool,
    self_trade: SelfTradeName,
    expiry: int | None,
    number: int | None,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Tell what an order would do, to the book and to the margin; nothing is signed or sent.

    Exit code 1 where it would be refused.
    """
    with told():
        key = signer(name, key_file)
    optional = {"price": price, "life": life, "expiry": expiry}
    fields = {name: value for name, value in optional.items() if value is not None}

    async def work(venue: VenueClient) -> Preview:
        account, epoch = await signs_for(venue, key, subaccount, number)
        fields["account"], fields["keyEpoch"] = account, epoch
        fields.update(market=market, side=side, size=size)
        fields.update(reduceOnly=reduce_only, selfTrade=self_trade)
        return await venue.preview("order", **fields)

    found = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(found))
    else:
        _show(found)
    if found.refused:
        context.exit(1)


def _show(found: Preview) -> None:
    screen = console()
    verb = "would be refused" if found.refused else "would be taken"
    screen.print(f"{verb}: {found.message}")
    for fill in found.fills:
        screen.print(f"fills {fill.size} at {fill.price}, fee {money(fill.taker_fee)} USD")
    if found.average_price is not None:
        screen.print(f"{found.filled_size} in all, at {found.average_price} on average")
    if found.resting_lots:
        screen.print(f"{found.resting_size} would rest")
    for account in found.accounts:
        screen.print(table(f"account {account.account}", ["", ">now", ">then"], _rows(account)))


def _rows(account: AccountPreview) -> list[list[str]]:
    def row(label: str, before: str, after: str) -> list[str]:
        return [label, money(before), money(after)]

    now, then = account.before, account.after
    rows = [
        row("cash", now.cash, then.cash),
        row("equity", now.equity, then.equity),
        row("initial margin", now.initial_margin, then.initial_margin),
        row("free collateral", now.free_collateral, then.free_collateral),
    ]
    sizes = _sizes(now)
    for position in then.positions:
        before = sizes.get(position.market, "0")
        rows.append([f"{position.symbol} position", before, position.size])
    for price in account.maintenance_prices:
        if price.price is not None:
            rows.append([f"{price.symbol} maintenance at", "", price.price.usd])
    return rows


def _sizes(terms: MarginTerms) -> dict[int, str]:
    return {position.market: position.size for position in terms.positions}
