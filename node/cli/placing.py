"""`order place`: one order from the command line, or several from a file, signed here."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct

from node.cli.asking import ask, signing_for
from node.cli.failures import Failure, WronglyPut, told
from node.cli.options import (
    account_option,
    client_id_option,
    json_option,
    rpc_option,
    signer_options,
    subaccount_option,
)
from node.cli.output import console, print_json
from node.cli.receipts import show_items, show_receipt, standing_words
from node.cli.signer import Signer, signer
from node.cli.terms import order_terms
from node.l1.jsonrpc import NotJson, parse
from node.rpc import wire
from node.rpc.client import VenueClient, VenueError
from node.rpc.drafts import OrderOptions
from node.rpc.message_types import LifeName, SelfTradeName, Side
from node.rpc.messages import transaction_of
from node.rpc.order_results import BatchItem, OrderStanding
from node.rpc.results import SubmitReceipt
from node.rpc.signing import next_sequence

STANDARD_INPUT = Path("-")
FORM = '[{"market": "BTC-USD-PERP", "side": "buy", "size": "0.01", "price": "60000"}, ...]'


class OrderLine(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """An order as the command line or a file has it: decimals as text, `expiry` in seconds."""

    market: str
    side: Side
    size: str
    price: str | None = None
    life: LifeName | None = None
    reduce_only: bool = False
    self_trade: SelfTradeName = "cancel-resting"
    expiry: int | None = None
    client_id: str | None = None

    @property
    def terms(self) -> OrderOptions:
        return OrderOptions(
            price=self.price,
            life=self.life,
            reduce_only=self.reduce_only,
            self_trade=self.self_trade,
            expiry=self.expiry,
        )


@click.command()
@click.argument("market", required=False)
@click.argument("side", type=click.Choice(["buy", "sell"]), required=False)
@click.argument("size", required=False)
@order_terms
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="Several orders at once, as a JSON list; - is standard input.",
)
@client_id_option
@account_option
@subaccount_option
@signer_options
@rpc_option
@json_option
def place(
    file: Path | None,
    number: int | None,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Buy or sell SIZE coins in MARKET, such as BTC-USD-PERP buy 0.01 --price 60000.

    Sent again under its --client-id an order is not placed again: what became of it is told.
    The orders of a --file have the names of these options as keys (reduceOnly, clientId) and run
    one after the other with nothing between them; exit code 1 where one is refused.
    """
    with told():
        key = signer(name, key_file)
        lines = [_line(given)] if file is None else _lines(file, given)
    if file is None:
        _place_one(lines[0], key, subaccount, number, rpc_url, as_json)
    else:
        _place_all(lines, key, subaccount, number, rpc_url, as_json)


def _line(given: dict[str, Any]) -> OrderLine:
    missing = [name.upper() for name in ("market", "side", "size") if given[name] is None]
    if missing:
        raise WronglyPut(f"say {', '.join(missing)}, such as BTC-USD-PERP buy 0.01, or --file")
    return OrderLine(**given)


def _lines(file: Path, given: dict[str, Any]) -> list[OrderLine]:
    """The orders of a file. WronglyPut where it holds something else, or an order stands beside."""
    if any(given[name] is not None for name in ("market", "side", "size", "price")):
        raise WronglyPut("say either MARKET SIDE SIZE or --file: the file has them of each order")
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
        lines = msgspec.convert(parse(raw), list[OrderLine])
    except OSError as error:
        raise Failure(f"cannot read {file}: {error.strerror}") from None
    except (NotJson, msgspec.ValidationError) as error:
        raise WronglyPut(f"{file} holds no orders: {error}; expected {FORM}") from None
    if not lines:
        raise WronglyPut(f"{file} holds no order; expected {FORM}")
    return lines


def _place_one(
    line: OrderLine, key: Signer, subaccount: int, number: int | None, rpc_url: str, as_json: bool
) -> None:
    async def work(venue: VenueClient) -> SubmitReceipt | OrderStanding:
        account, epoch = await signing_for(venue, key, subaccount, number)
        try:
            return await venue.sign_and_submit_order(
                key.private_key,
                account=account,
                key_epoch=epoch,
                market=line.market,
                side=line.side,
                size=line.size,
                client_order_id=line.client_id,
                **line.terms,
            )
        except VenueError as error:
            if error.data["reason"] != "client_order_id_used":
                raise
            found = await venue.order(account, client_order_id=line.client_id)
            if not _may_be(line, found):
                raise
            return found

    done = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(done))
    elif isinstance(done, SubmitReceipt):
        show_receipt(done, line.side)
    else:
        console().print(f"{line.client_id} was sent before; nothing was sent again")
        console().print(standing_words(done, str(line.client_id)))


def _may_be(line: OrderLine, found: OrderStanding) -> bool:
    """Whether the order that has the name is, as far as the venue still tells, this one."""
    resting, filled = found.resting, Decimal(found.filled_size or 0)
    if resting is None:
        return found.standing != "filled" or filled == Decimal(line.size)
    return (
        line.market in (resting.symbol, str(resting.market))
        and line.side == resting.side
        and Decimal(line.price or 0) == Decimal(resting.price)
        and Decimal(line.size) == Decimal(resting.size) + filled
    )


def _place_all(
    lines: list[OrderLine],
    key: Signer,
    subaccount: int,
    number: int | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    async def work(venue: VenueClient) -> list[BatchItem]:
        account, epoch = await signing_for(venue, key, subaccount, number)
        first = next_sequence(await venue.account(account), epoch)
        items = []
        for sequence, line in enumerate(lines, first):
            message = await venue.draft_order(
                *(account, line.market, line.side, line.size),
                sequence=sequence,
                key_epoch=epoch,
                **line.terms,
            )
            tx = transaction_of(message)
            items.append(await venue.item(key.private_key, tx, line.client_id))
        return await venue.submit_batch(items)

    done = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(done))
        refused = sum(item.error is not None for item in done)
    else:
        refused = show_items(done, [line.side for line in lines])
    if refused:
        raise Failure(f"{refused} of {len(lines)} orders were refused; the others stand")
