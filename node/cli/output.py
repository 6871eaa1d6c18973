"""What commands print: tables for people, JSON for programs, colour for terminals only."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import click
import msgspec
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 160
"""Columns where there is no terminal to ask: a table cut at 80 would lose its point."""


def console(*, stderr: bool = False) -> Console:
    """Where words go; rich leaves colour out where nobody would see it."""
    found = Console(stderr=stderr, highlight=False)
    return (
        found if found.is_terminal else Console(stderr=stderr, highlight=False, width=PIPED_WIDTH)
    )


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Shows on a terminal that, and for what, the user is waiting."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield
        return
    with screen.status(what):
        yield


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


Cell = str | Text
"""Plain text is shown as it is: what a node says is no markup."""


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Group:
    """A table; a column whose name begins with ">" is set flush right.

    Where the terminal is narrow cells fold, the widest column's first: a number that is cut
    would be another number.
    """
    made = Table(box=None)
    for column in columns:
        right = column.startswith(">")
        made.add_column(column.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(_text(cell) for cell in row))
    return _titled(title, made)


def facts(title: str, rows: Iterable[tuple[str, Cell]]) -> Group:
    """Names and what they stand for, one under the other."""
    made = Table(box=None, show_header=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(Text(name), _text(value))
    return _titled(title, made)


def _titled(title: str, body: Table) -> Group:
    """Not rich's own title, which is broken where the table is narrow."""
    return Group(Text(title, style="bold"), body)


def short(digest: str) -> str:
    """0x1234abcd…: enough of a hash to tell it from another."""
    return digest[:12] + "…" if len(digest) > 14 else digest


def money(amount: str) -> str:
    """An exact amount for a table: thousands apart, cents kept, the rest left to --json."""
    return f"{Decimal(amount):,.2f}"


def good(is_good: bool, yes: str, no: str) -> Text:
    """Green or red, where there is colour."""
    return Text(yes, style="green") if is_good else Text(no, style="red")


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)
