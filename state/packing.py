"""Fixed-width big-endian fields, written and read in order."""

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any


class NotCanonical(ValueError):
    """Bytes that are not the one encoding of anything."""


def u(value: int, bits: int) -> bytes:
    """An unsigned field; OverflowError where it does not fit, which is a bug."""
    return value.to_bytes(bits >> 3, "big")


def i128(value: int) -> bytes:
    """A signed 128-bit field, two's complement."""
    return value.to_bytes(16, "big", signed=True)


def packed(layout: struct.Struct, *fields: int | bytes) -> bytes:
    """All of `fields` at once; OverflowError where one does not fit, as of `u`."""
    try:
        return layout.pack(*fields)
    except struct.error as error:
        raise OverflowError(str(error)) from error


class Reader:
    """Takes fields off the front of `data`; refuses to read past its end."""

    __slots__ = ("data", "offset")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0

    def raw(self, size: int) -> bytes:
        """The next `size` bytes. NotCanonical where fewer are left."""
        end = self.offset + size
        if end > len(self.data):
            raise NotCanonical(f"{end} bytes expected, {len(self.data)} found")
        taken = self.data[self.offset : end]
        self.offset = end
        return taken

    def u(self, bits: int) -> int:
        """The next unsigned field."""
        return int.from_bytes(self.raw(bits >> 3), "big")

    def i(self, bits: int) -> int:
        """The next signed field."""
        return int.from_bytes(self.raw(bits >> 3), "big", signed=True)

    def end(self) -> None:
        """NotCanonical where bytes are left over."""
        if self.offset != len(self.data):
            raise NotCanonical(f"{self.offset} bytes expected, {len(self.data)} found")


def check_ascending(keys: Sequence[Any], name: str) -> None:
    """Lists in a leaf are strictly ascending, so that one content has one encoding."""
    if any(a >= b for a, b in pairwise(keys)):
        raise NotCanonical(f"{name} are not strictly ascending")
