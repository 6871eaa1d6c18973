"""`block`: a trade of up to four legs that two parties agree on, passed around as a file."""

from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from node.cli.asking import ask, check_chain
from node.cli.failures import Failure, WronglyPut, told
from node.cli.options import json_option, rpc_option, signer_options
from node.cli.output import console, money, print_json
from node.cli.signer import Signer, signer
from node.rpc import wire
from node.rpc.amounts import decimal
from node.rpc.client import VenueClient
from node.rpc.errors import RpcError
from node.rpc.message_types import BlockTradeMessage
from node.rpc.messages import digest_of, transaction_of
from node.rpc.params import BlockTradeFields, LegFields
from node.rpc.results import SubmitReceipt
from node.rpc.wire import U32, Hex
from node.signatures import recover
from state.accounts import OWNER_KEY

MAKER, TAKER = "maker", "taker"


class Paper(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What goes from hand to hand: the message, and the signatures it has so far."""

    message: BlockTradeMessage
    maker_signature: Hex | None = None
    taker_signature: Hex | None = None

    def signature(self, party: str) -> Hex | None:
        return self.maker_signature if party == MAKER else self.taker_signature


@click.group()
def block() -> None:
    """Trade several markets with one other account: draft, sign, countersign, submit."""


EPOCH = click.IntRange(0, 2**32 - 1)
file_argument = click.argument("file", type=click.Path(path_type=Path))


@block.command()
@click.argument("maker", type=click.IntRange(0, 2**32 - 1))
@click.argument("taker", type=click.IntRange(0, 2**32 - 1))
@click.argument("legs", nargs=-1, required=True, metavar="MARKET:SIDE:SIZE:PRICE...")
@click.option("--maker-epoch", type=EPOCH, default=OWNER_KEY, help="Of its session key.")
@click.option("--taker-epoch", type=EPOCH, default=OWNER_KEY, help="Of its session key.")
@click.option("--out", type=click.Path(path_type=Path), help="A file to write it to.")
@rpc_option
def draft(
    maker: int,
    taker: int,
    legs: tuple[str, ...],
    maker_epoch: int,
    taker_epoch: int,
    out: Path | None,
    rpc_url: str,
) -> None:
    """Write down a trade between two account numbers, such as BTC-USD-PERP:buy:0.5:60000.

    The side is the taker's. It is good for ten minutes.
    """
    with told():
        fields = BlockTradeFields(
            *(U32(maker), U32(taker), [_leg(text) for text in legs]),
            maker_key_epoch=U32(maker_epoch),
            taker_key_epoch=U32(taker_epoch),
        )

    async def work(venue: VenueClient) -> Paper:
        return Paper(await venue.draft_block_trade(fields))

    _write(ask(rpc_url, work), out)


def _leg(text: str) -> LegFields:
    parts = text.split(":")
    if len(parts) != 4 or parts[1] not in ("buy", "sell"):
        raise WronglyPut(f"{text!r} is no leg; write MARKET:buy:SIZE:PRICE, the side the taker's")
    market, side, size, price = parts
    return LegFields(market, "buy" if side == "buy" else "sell", decimal(price), decimal(size))


@block.command()
@file_argument
@signer_options
@rpc_option
def sign(file: Path, name: str | None, key_file: Path | None, rpc_url: str) -> None:
    """Sign FILE as the party whose key this is, and write the signature into it."""
    _sign(file, name, key_file, rpc_url, check_other=False)


@block.command()
@file_argument
@signer_options
@rpc_option
def countersign(file: Path, name: str | None, key_file: Path | None, rpc_url: str) -> None:
    """As sign, once the other party's signature in FILE is found to be good."""
    _sign(file, name, key_file, rpc_url, check_other=True)


def _sign(
    file: Path, name: str | None, key_file: Path | None, rpc_url: str, *, check_other: bool
) -> None:
    with told():
        key, paper = signer(name, key_file), _read(file)

    async def work(venue: VenueClient) -> tuple[str, Paper]:
        await check_chain(venue, key)
        keys = {party: await _key_of(venue, paper, party) for party in (MAKER, TAKER)}
        party = _party_of(key, paper, keys)
        if check_other:
            other = TAKER if party == MAKER else MAKER
            await _check_signature(venue, paper, other, keys[other])
        signature = Hex(await venue.sign(key.private_key, paper.message))
        return party, replace(paper, **{f"{party}_signature": signature})

    party, signed = ask(rpc_url, work)
    _write(signed, file)
    console().print(f"signed as the {party}")


async def _key_of(venue: VenueClient, paper: Paper, party: str) -> bytes | None:
    """The address that signs for a party; None where its session key is gone."""
    number = int(getattr(paper.message, party))
    epoch = int(getattr(paper.message, f"{party}_key_epoch"))
    account = await venue.account(number)
    if epoch == OWNER_KEY:
        return bytes(account.owner)
    return next((bytes(key.address) for key in account.keys if key.epoch == epoch), None)


def _party_of(key: Signer, paper: Paper, keys: dict[str, bytes | None]) -> str:
    """Whose key this is; of one that is both parties', the first that has not signed."""
    parties = [party for party, address in keys.items() if address == key.address]
    if not parties:
        raise Failure(
            f"{key.name} (0x{key.address.hex()}) is neither party: account {paper.message.maker} "
            f"makes and account {paper.message.taker} takes"
        )
    return next((party for party in parties if paper.signature(party) is None), parties[0])


async def _check_signature(
    venue: VenueClient, paper: Paper, party: str, address: bytes | None
) -> None:
    signature = paper.signature(party)
    if signature is None:
        raise Failure(f"the {party} has not signed yet: block sign first")
    digest = digest_of(await venue.domain(), transaction_of(paper.message))
    if address is None or recover(digest, bytes(signature)) != address:
        raise Failure(f"the {party}'s signature is not of this trade: draft and sign it anew")


@block.command()
@file_argument
@rpc_option
@json_option
def submit(file: Path, rpc_url: str, as_json: bool) -> None:
    """Send FILE, signed by both: every leg is traded, or none."""
    with told():
        paper = _read(file)
        maker, taker = paper.maker_signature, paper.taker_signature
        if maker is None or taker is None:
            missing = MAKER if maker is None else TAKER
            step = "sign" if maker is None and taker is None else "countersign"
            raise Failure(f"the {missing} has not signed yet: block {step} first")

    async def work(venue: VenueClient) -> SubmitReceipt:
        return await venue.submit_block_trade(paper.message, bytes(maker), bytes(taker))

    receipt = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(receipt))
        return
    for fill in receipt.fills:
        did = "bought" if fill.side == "buy" else "sold"
        fee = money(fill.taker_fee)
        console().print(f"taker {did} {fill.size} {fill.symbol} at {fill.price}, fee {fee} USD")
    console().print(receipt.message)


def _read(file: Path) -> Paper:
    try:
        return wire.convert(msgspec.json.decode(file.read_bytes()), Paper)
    except OSError as error:
        raise Failure(f"cannot read {file}: {error.strerror}") from None
    except (msgspec.MsgspecError, RpcError) as error:
        raise Failure(f"{file} is no block trade: {error}; make one with block draft") from None


def _write(paper: Paper, file: Path | None) -> None:
    content: Any = wire.plain(paper)
    if file is None:
        print_json(content)
        return
    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    except OSError as error:
        raise Failure(f"cannot write {file}: {error.strerror}") from None
