"""A market's parameters as text: names of the protocol page, whole numbers in its units."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from node.cli.failures import Failure, WronglyPut
from node.cli.options import read_address
from state.packing import NotCanonical
from state.transactions.list_market import Listing, decode_listing, encode_listing

SYMBOL_BYTES = 16


class PublisherText(Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs prices."""

    address: str
    family: int
    weight: int


_TEXTS = {"symbol": str, "publishers": list[PublisherText]}
NAMES = Listing.__struct_fields__
ListingText = msgspec.defstruct(
    "ListingText",
    [
        (field.name, _TEXTS.get(field.name, field.type))
        if field.required
        else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(Listing)
    ],
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
)
"""A listing with its bytes written out."""


def plain(listing: Listing) -> dict[str, Any]:
    """What `read` takes."""
    publishers = [
        {"address": "0x" + address.hex(), "family": family, "weight": weight}
        for address, family, weight in listing.publishers
    ]
    symbol = listing.symbol.rstrip(b"\0").decode("ascii", errors="replace")
    tiers = [asdict(tier) for tier in listing.tiers]
    return asdict(listing) | {"symbol": symbol, "tiers": tiers, "publishers": publishers}


def read(found: Any) -> Listing:
    """A listing from its plain form. WronglyPut where it says something else."""
    try:
        text = msgspec.convert(found, ListingText)
    except msgspec.ValidationError as error:
        raise WronglyPut(f"these are no market parameters: {error}") from error
    fields = {name: getattr(text, name) for name in NAMES}
    symbol = fields["symbol"].encode()
    if not 0 < len(symbol) <= SYMBOL_BYTES:
        raise WronglyPut(f"symbol has {len(symbol)} bytes; expected 1 to {SYMBOL_BYTES}")
    publishers = tuple((read_address(x.address), x.family, x.weight) for x in fields["publishers"])
    listing = Listing(**fields | {"symbol": symbol, "publishers": publishers})
    try:
        return decode_listing(encode_listing(listing))
    except OverflowError:
        raise WronglyPut(
            "a number is negative or does not fit its field; docs/protocol.md names their widths"
        ) from None
    except NotCanonical as error:
        raise WronglyPut(f"these are no market parameters: {error}") from error


def read_file(path: Path) -> Listing:
    """A listing from a JSON file."""
    try:
        return read(msgspec.json.decode(path.read_bytes()))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WronglyPut(f"{path} holds no JSON: {error}") from error
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from error


def changed(listing: Listing, assignments: tuple[str, ...]) -> Listing:
    """`listing` with each NAME=VALUE; VALUE is JSON. WronglyPut where a name is unknown."""
    found = plain(listing)
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or name not in found or name == "market":
            known = ", ".join(x for x in NAMES if x != "market")
            raise WronglyPut(
                f"{assignment!r} sets no parameter; write NAME=VALUE, NAME of: {known}"
            )
        try:
            found[name] = msgspec.json.decode(value)
        except msgspec.DecodeError as error:
            raise WronglyPut(f"{assignment!r}: the value is no JSON: {error}") from error
    return read(found)


def differences(old: Listing, new: Listing) -> list[tuple[str, str, str]]:
    """Name, old and new value of every parameter that changes."""
    before, after = plain(old), plain(new)
    return [
        (name, _text(before[name]), _text(after[name]))
        for name in NAMES
        if before[name] != after[name]
    ]


def rows(listing: Listing) -> list[tuple[str, str]]:
    """Name and value of every parameter."""
    return [(name, _text(value)) for name, value in plain(listing).items()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
