"""`journal`: what a sequencer wrote down, looked at from outside."""

from pathlib import Path

import click
import msgspec

from node.cli.bars import bar
from node.cli.failures import Failure, told
from node.cli.options import json_option
from node.cli.output import Cell, console, facts, good, print_json
from node.journal_check import CheckedJournal, check_journal


@click.group()
def journal() -> None:
    """Look at a sequencer's journal."""


@journal.command()
@click.argument("path", type=click.Path(path_type=Path))
@json_option
def check(path: Path, as_json: bool) -> None:
    """Check length, checksum and chain of everything in the journal at PATH.

    Nothing is changed, and the node may be running. A tail that a crash tore off was never
    acknowledged and is no damage, nor is an empty file. Exit code 1 where something that was
    acknowledged is damaged.
    """
    size = path.stat().st_size if path.is_file() else 0
    with told(), bar("checking", size) as done:
        found = check_journal(path, done)
    if as_json:
        print_json(_plain(found))
    else:
        console().print(facts(f"Journal {path}", _rows(found)))
    if not found.is_sound:
        raise Failure(found.damage)


def _plain(found: CheckedJournal) -> dict[str, object]:
    plain = msgspec.structs.asdict(found)
    hashes = {name: "0x" + getattr(found, name).hex() for name in ("identity", "chain")}
    return {"is_sound": found.is_sound} | plain | hashes


def _rows(found: CheckedJournal) -> list[tuple[str, Cell]]:
    if found.is_empty:
        told = "empty: nothing was written in it yet, and the next start begins it"
        return [("sound", good(True, "yes", "")), ("journal", told), ("bytes", f"{found.size:,}")]
    ending = f"torn: {found.torn_bytes} bytes at byte {found.torn_at}, never acknowledged"
    return [
        ("sound", good(found.is_sound, "yes", f"no: damaged at byte {found.damaged_at}")),
        ("ends", ending if found.torn_bytes else "whole" if found.is_sound else "damaged"),
        ("bytes", f"{found.size:,}"),
        ("groups", f"{found.groups:,}"),
        *((f"{name} records", f"{count:,}") for name, count in found.records.items()),
        ("chain", "0x" + found.chain.hex()),
        ("deployment", "0x" + found.identity.hex()),
    ]
