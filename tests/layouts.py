"""The layouts of docs/protocol.md as they stand there, and bytes written by them.

A layout is fields between bars: `u8 domain | i128 cash | n x position`. What a field is named
is looked up in `values`; where a name comes twice, its values are taken one after the other.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

PROTOCOL = Path(__file__).resolve().parents[1] / "docs" / "protocol.md"
NOTES = re.compile(r"\((?:by|micro|notional|0 calldata)[^)]*\)")
HASHED = re.compile(r"keccak\((\w+)\)")
LISTED = re.compile(r"(\w+) x (.+)")
WIDTHS = {"address": 20}


class Layout:
    """Fields of the rule `rule`, and the parts that it names."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.parts: dict[str, list[str]] = {}
        lines = [HASHED.sub(r"\1", NOTES.sub("", line)) for line in _block(rule)]
        whole: list[str] = []
        for line in lines:
            part = re.match(r"([a-z][a-z ]*?) {2,}(.+)", line)
            if part:
                self.parts[part[1]] = fields(part[2])
            else:
                whole.append(re.sub(r"^output = ", "", line))
        self.fields = fields(" ".join(whole))

    def pack(self, values: Mapping[str, Any]) -> bytes:
        """The bytes that the page says `values` have; every value is used, and once."""
        waiting = {name: _queue(value) for name, value in values.items()}
        out = b"".join(self._field(field, waiting) for field in self.fields)
        left = {name for name, queue in waiting.items() if queue}
        assert not left, f"{self.rule} has no field for {left}"
        return out

    def _field(self, field: str, waiting: dict[str, list[Any]]) -> bytes:
        listed = LISTED.fullmatch(field)
        if listed:
            inner = self.parts.get(listed[2])
            name = listed[2] if inner else f"{listed[1]} x"
            items: Sequence[Any] = waiting[name].pop(0)
            inner = inner or fields(listed[2].strip("()"))
            return b"".join(self._part(inner, item) for item in items)
        kind, _, name = field.partition(" ")
        assert waiting.get(name), f"{self.rule} has {field}, and nothing is there for it"
        value = waiting[name].pop(0)
        return self._part(self.parts[kind], value) if kind in self.parts else scalar(kind, value)

    def _part(self, inner: list[str], item: Any) -> bytes:
        values = item if isinstance(item, tuple) else astuple(item)
        assert len(values) == len(inner), f"{self.rule}: {values} for {inner}"
        return row(inner, values)


def row(columns: Iterable[str], values: Iterable[Any]) -> bytes:
    """Fields one after the other, by place; `4 x (...)` stands for its fields four times."""
    columns = [
        inner
        for column in columns
        for inner in (fields(column[5:-1]) * 4 if column.startswith("4 x (") else [column])
    ]
    return b"".join(
        scalar(column.split(" ")[0], value) for column, value in zip(columns, values, strict=True)
    )


def scalar(kind: str, value: Any) -> bytes:
    """`u24`, `i128`, `bytes32`, `address`: big-endian, signed ones in two's complement."""
    if kind in WIDTHS or kind.startswith("bytes"):
        size = WIDTHS.get(kind) or int(kind.removeprefix("bytes"))
        assert len(value) == size, f"{value!r} is no {kind}"
        return bytes(value)
    return int(value).to_bytes(int(kind[1:]) // 8, "big", signed=kind[0] == "i")


def fields(text: str) -> list[str]:
    """What stands between bars, or commas; a bar inside parentheses parts nothing."""
    parts = re.split(r"[|,](?![^(]*\))", text)
    return [" ".join(part.split()) for part in parts if part.strip()]


def _block(rule: str) -> list[str]:
    """The lines of code below the rule."""
    text = PROTOCOL.read_text().split(f"**{rule}**")[1]
    block = re.search(r"\n\n((?: {6}.*\n|\n(?= {6}))+)", text)
    assert block is not None, rule
    return [line[6:] for line in block[1].splitlines() if line]


def table(rule: str) -> dict[int, str]:
    """The last column of the table below the rule, by the number in the first."""
    text = PROTOCOL.read_text().split(f"**{rule}**")[1]
    lines = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", text.split("\n- **")[0], re.MULTILINE)
    return {int(number): last for number, last in lines}


def flat(value: Any) -> list[Any]:
    """What a struct holds, in the order of its fields, and of the structs in it."""
    if isinstance(value, Struct):
        value = astuple(value)
    return (
        [inner for item in value for inner in flat(item)] if isinstance(value, tuple) else [value]
    )


def _queue(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
