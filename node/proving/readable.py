"""Structures of the protocol as words and numbers: fields by name, and how two of them differ."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from state.accounts import OrderReference, Position, SessionKey
from state.batch import ChunkCommitment
from state.legs import Leg
from state.markets import Publisher, Tier

JSON_INTEGER_MAX = 2**53 - 1
ABSENT = "absent"
"""In the place of a leaf, or an entry of one, that is not there."""

Scalar = int | str | bool


class Difference(Struct, frozen=True):
    """A field by its path, and what it is on either side."""

    field: str
    one: Scalar
    other: Scalar


def plain(value: Any) -> Any:
    """`value` for JSON: structures as objects, bytes as 0x-hex, wide integers as strings."""
    if isinstance(value, Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, int):
        return value if abs(value) <= JSON_INTEGER_MAX else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, tuple | list):
        return [plain(held) for held in value]
    return str(value)


def flat(value: Any, path: str = "") -> dict[str, Scalar]:
    """Every field by its path; entries of a list by what names them, not by their place."""
    return dict(_flat(value, path))


def _flat(value: Any, path: str) -> Iterator[tuple[str, Scalar]]:
    if isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from _flat(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, tuple | list):
        for place, entry in enumerate(value):
            yield from _flat(entry, f"{path}[{_name(entry, place)}]")
    elif value is not None:
        shown = plain(value)
        yield path, shown if isinstance(shown, bool | int | str) else str(shown)


def _name(entry: Any, place: int) -> str:
    match entry:
        case Position(market=market):
            return f"market {market}"
        case OrderReference(epoch=epoch, sequence=sequence):
            return f"{epoch}:{sequence}"
        case SessionKey(epoch=epoch):
            return f"epoch {epoch}"
        case Publisher(address=address):
            return "0x" + address.hex()
        case Tier(start=start):
            return f"from {start}"
        case Leg() | ChunkCommitment():
            return str(place)
        case _:
            return str(place)


def differences(one: Any, other: Any) -> tuple[Difference, ...]:
    """The fields in which two structures differ; None stands for one that is absent."""
    first, second = flat(one), flat(other)
    names = dict.fromkeys((*first, *second))
    return tuple(
        Difference(name, first.get(name, ABSENT), second.get(name, ABSENT))
        for name in names
        if first.get(name) != second.get(name)
    )
