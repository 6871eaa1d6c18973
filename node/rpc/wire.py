"""How values cross the wire, the same for params and results, for server and client.

An integer whose field is wider than 53 bits is a decimal string, because most JSON readers
lose digits beyond; any other is a JSON integer. Params take integers as JSON integers,
decimal strings or 0x-hex. Bytes are 0x-hex. No method takes a floating-point number.
"""

import re
from typing import Any, ClassVar, TypeVar

import msgspec

from node.rpc.amounts import DecimalText, read_decimal
from node.rpc.errors import Malformed

T = TypeVar("T")

JSON_BITS = 53
_WHOLE = re.compile(r"0|[1-9][0-9]{0,77}|0x[0-9a-fA-F]{1,64}")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


class Whole(int):
    """An unsigned integer of `bits`."""

    bits: ClassVar[int] = 256


class U8(Whole):
    bits = 8


class U16(Whole):
    bits = 16


class U24(Whole):
    bits = 24


class U32(Whole):
    bits = 32


class U40(Whole):
    bits = 40


class U48(Whole):
    bits = 48


class U56(Whole):
    bits = 56


class U64(Whole):
    bits = 64


class U80(Whole):
    bits = 80


class U256(Whole):
    bits = 256


class Hex(bytes):
    """Bytes as 0x-hex; `size` says how many, None any number."""

    size: ClassVar[int | None] = None


class Address(Hex):
    size = 20


class Hash(Hex):
    size = 32


class Signature(Hex):
    """A signature as wallets make it (65 bytes) or in short (64, EIP-2098)."""


def read_whole(kind: type[Whole], value: Any) -> Whole:
    """The integer of a JSON integer, a decimal or a hex string. Malformed out of its bits."""
    if isinstance(value, float):
        raise Malformed(
            "float_not_exact",
            expected=f"an integer below 2^{kind.bits}",
            got=value,
            mend="send a JSON integer without fraction or exponent, or a string of digits",
        )
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        number = int(value, 16 if value.startswith("0x") else 10)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise Malformed(
            "not_an_integer",
            expected=f"an integer below 2^{kind.bits}",
            got=value,
            mend="send a JSON integer, a string of digits, or hex such as 0x1f",
        )
    if number < 0 or number.bit_length() > kind.bits:
        raise Malformed(
            "integer_out_of_range",
            expected=f"0 to 2^{kind.bits} - 1",
            got=value,
            mend="the field is no wider; check the units of what you send",
        )
    return kind(number)


def read_hex(kind: type[Hex], value: Any) -> Hex:
    """The bytes of 0x-hex. Malformed for another form or size."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise Malformed(
            "not_hex",
            expected="0x and two hex digits a byte",
            got=value,
            mend="prefix with 0x and write every byte with two digits",
        )
    raw = bytes.fromhex(value[2:])
    if kind.size is not None and len(raw) != kind.size:
        raise Malformed(
            "wrong_length",
            expected=f"{kind.size} bytes",
            got=value,
            mend=f"{kind.size} bytes are {2 * kind.size} hex digits after 0x; got {len(raw)} bytes",
        )
    return kind(raw)


def decode_hook(kind: type[Any], value: Any) -> Any:
    """For msgspec: a value of one of the types above from plain JSON."""
    if issubclass(kind, Whole):
        return read_whole(kind, value)
    if issubclass(kind, Hex):
        return read_hex(kind, value)
    if issubclass(kind, DecimalText):
        return read_decimal(value)
    raise NotImplementedError(f"no form on the wire for {kind}")


def encode_hook(value: Any) -> Any:
    """For msgspec: plain JSON of a value of one of the types above."""
    if isinstance(value, Whole):
        return int(value) if value.bits <= JSON_BITS else str(int(value))
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(f"no form on the wire for {type(value)}")


def schema_hook(kind: type[Any]) -> dict[str, Any]:
    """For msgspec: the JSON schema of one of the types above."""
    if issubclass(kind, Whole):
        text = {"type": "string", "pattern": f"^({_WHOLE.pattern})$"}
        number = {"type": "integer", "minimum": 0, "maximum": 2**kind.bits - 1}
        shown = 1 if kind.bits <= JSON_BITS else "1"
        return {"anyOf": [number, text], "title": f"uint{kind.bits}", "examples": [shown]}
    if issubclass(kind, Hex):
        repeat = "*" if kind.size is None else f"{{{kind.size}}}"
        shown = "0x" + "00" * (kind.size or 0)
        return {
            "type": "string",
            "pattern": f"^0x([0-9a-fA-F]{{2}}){repeat}$",
            "examples": [shown],
        }
    if issubclass(kind, DecimalText):
        return {"type": "string", "title": "decimal", "examples": ["0.25"]}
    raise NotImplementedError(f"no form on the wire for {kind}")


_encoder = msgspec.json.Encoder(enc_hook=encode_hook)


def encode(value: Any) -> bytes:
    """The JSON of a reply."""
    return _encoder.encode(value)


def plain(value: Any) -> Any:
    """`value` as dicts, lists, strings and numbers: what its JSON would decode to."""
    return msgspec.to_builtins(value, enc_hook=encode_hook)


def convert(value: Any, kind: type[T]) -> T:
    """Decoded JSON as a `kind`. msgspec.ValidationError, caused by Malformed or not."""
    return msgspec.convert(value, kind, dec_hook=decode_hook)
