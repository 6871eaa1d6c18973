"""What commands print: tables for people, JSON for programs, colour for terminals only."""

from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
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


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table; a column whose name begins with ">" is set flush right."""
    made = Table(title=title or None, title_justify="left", title_style="bold", box=None)
    for column in columns:
        right = column.startswith(">")
        made.add_column(
            column.lstrip(">"), justify="right" if right else "left", style="", no_wrap=True
        )
    for row in rows:
        made.add_row(*(Text.from_markup(cell) for cell in row))
    return made


def facts(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    """Names and what they stand for, one under the other."""
    made = Table(title=title or None, title_justify="left", title_style="bold", box=None)
    made.show_header = False
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, Text.from_markup(value))
    return made


def short(digest: str) -> str:
    """0x1234abcd…: enough of a hash to tell it from another."""
    return digest[:12] + "…" if len(digest) > 14 else digest
