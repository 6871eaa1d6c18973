"""Hex as Ethereum JSON-RPC writes it: quantities without leading zeros, data in whole bytes."""

import re
from contextlib import suppress
from typing import Any

from node.l1.jsonrpc import InvalidParams

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]*)")
QUANTITY_MAX = 2**256 - 1


def quantity(number: int) -> str:
    return hex(number)


def data(raw: bytes) -> str:
    return "0x" + raw.hex()


def read_quantity(value: Any, name: str) -> int:
    """0 .. 2^256 - 1 from "0x" and at least one digit, no leading zeros."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise InvalidParams(f"{name}: expected a hex quantity such as 0x1f, got {_shown(value)}")
    if len(value) > 66:
        raise InvalidParams(f"{name}: does not fit 256 bits")
    return int(value, 16)


def read_number(value: Any, name: str) -> int:
    """Like `read_quantity`, and plain JSON integers too: devnet tools send both."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= QUANTITY_MAX:
            raise InvalidParams(f"{name}: expected 0 .. 2^256 - 1, got {value}")
        return value
    return read_quantity(value, name)


def read_data(value: Any, name: str) -> bytes:
    """Any number of bytes from "0x" and an even number of digits."""
    if isinstance(value, str) and value.startswith("0x"):
        with suppress(ValueError):
            raw = bytes.fromhex(value[2:])
            # What is read as hex may have had spaces in it.
            if len(value) == 2 + 2 * len(raw):
                return raw
    raise InvalidParams(f"{name}: expected 0x-prefixed hex of whole bytes, got {_shown(value)}")


def read_sized(value: Any, name: str, size: int) -> bytes:
    """Exactly `size` bytes of data."""
    raw = read_data(value, name)
    if len(raw) != size:
        raise InvalidParams(f"{name}: expected {size} bytes, got {len(raw)}")
    return raw


def read_address(value: Any, name: str) -> bytes:
    return read_sized(value, name, 20)


def read_hash(value: Any, name: str) -> bytes:
    return read_sized(value, name, 32)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
