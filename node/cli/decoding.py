"""`batch decode` and `batch diff`: what was posted, transaction by transaction."""

from pathlib import Path
from typing import Any

import click

from node.cli.failures import Failure, WronglyPut, told
from node.cli.output import Cell, console, facts, print_json, table
from node.cli.proving import history_of, venue_options
from node.cli.replaying import difference_table, plain_differences
from node.files import write_whole
from node.proving.history import RollupHistory
from node.proving.posted import (
    FirstTransaction,
    PostedBatch,
    PostedTransaction,
    first_byte,
    first_transaction,
    header_differences,
    parted,
    read_posted,
    sizes,
    transactions,
)
from node.proving.readable import Difference, flat, plain
from state.batch import batch_hash

FILE = click.Path(path_type=Path, dir_okay=False)
WHICH = "its number on L1, or a file that `batch decode --out` wrote"


@click.command()
@click.argument("which", metavar="BATCH|FILE")
@click.option("--out", type=FILE, help="Write header and payload into this file, in their bytes.")
@venue_options
def decode(
    which: str,
    out: Path | None,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    as_json: bool,
) -> None:
    """Show a batch as it was posted: header, sizes, every transaction, why it is void.

    BATCH|FILE is its number on L1, or a file that --out wrote; of a file L1 is not asked.
    """
    (batch,) = _batches((which,), l1_url, rollup, deployment)
    if out is not None:
        with told():
            write_whole(out, batch.encoded)
    if as_json:
        print_json(_plain(batch))
        return
    console().print(facts(f"Batch {batch.header.number}", _rows(batch)))
    listed = [_row(one) for one in transactions(batch)]
    console().print(table("Transactions", (">chunk", ">row", "kind", "fields"), listed))


@click.command()
@click.argument("one", metavar="BATCH|FILE")
@click.argument("other", metavar="BATCH|FILE")
@venue_options
def diff(
    one: str,
    other: str,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    as_json: bool,
) -> None:
    """Compare two batches: their headers, and the first transaction that differs.

    Each is a number on L1, or a file that `batch decode --out` wrote. Exit code 1 where they
    differ.
    """
    left, right = _batches((one, other), l1_url, rollup, deployment)
    header, first = header_differences(left, right), first_transaction(left, right)
    byte = first_byte(left.payload, right.payload)
    is_same = left.encoded == right.encoded
    if as_json:
        found = {
            "same": is_same,
            "header": plain_differences(header, "one", "other"),
            "firstTransaction": None if first is None else _plain_first(first),
            "firstByte": byte,
        }
        print_json(found)
    elif is_same:
        click.echo("they are the same")
    else:
        _show("Headers", one, other, header)
        if first is not None:
            title = f"Transaction {first.transaction} is the first that differs"
            _show(title, one, other, first.differences)
    if not is_same:
        raise Failure(_parting(first, byte))


def _parting(first: FirstTransaction | None, byte: int | None) -> str:
    if first is not None:
        return f"they differ, first in transaction {first.transaction}"
    if byte is not None:
        return f"they differ, first in byte {byte} of their payloads"
    return "they differ in their headers alone"


def _plain_first(first: FirstTransaction) -> dict[str, Any]:
    return {
        "transaction": first.transaction,
        "one": None if first.one is None else _plain_transaction(first.one),
        "other": None if first.other is None else _plain_transaction(first.other),
        "differences": plain_differences(first.differences, "one", "other"),
    }


def _show(title: str, one: str, other: str, found: tuple[Difference, ...]) -> None:
    if found:
        console().print(difference_table(title, one, other, found))


def _batches(
    names: tuple[str, ...], l1_url: str, rollup: bytes | None, deployment: Path | None
) -> list[PostedBatch]:
    """What each name stands for; L1 is read once, and only where a number is among them."""
    history = None
    if any(_is_number(name) for name in names):
        history = history_of(l1_url, rollup, deployment)
    return [_batch(name, history) for name in names]


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _batch(name: str, history: RollupHistory | None) -> PostedBatch:
    try:
        if not _is_number(name):
            return read_posted(*parted(Path(name).read_bytes()))
        assert history is not None
        posted, number = history.batches, int(name[:20])
        if not 1 <= number <= len(posted):
            raise Failure(f"NO_SUCH_BATCH: L1 has no batch {name}; it has {len(posted)}, from 1")
        return read_posted(posted[number - 1].header, posted[number - 1].payload)
    except OSError as error:
        raise Failure(f"cannot read {name}: {error.strerror}; a batch is {WHICH}") from None
    except ValueError as error:
        raise WronglyPut(f"{name} is no batch: {error}; a batch is {WHICH}") from None


def _rows(batch: PostedBatch) -> list[tuple[str, Cell]]:
    rows: list[tuple[str, Cell]] = [
        ("void", batch.void_reason or "no"),
        ("batch hash", plain(batch_hash(batch.header))),
    ]
    rows += [(name, str(value)) for name, value in flat(batch.header).items()]
    return rows + [(f"{name} in all", f"{count:,}") for name, count in sizes(batch).items()]


def _row(one: PostedTransaction) -> tuple[Cell, ...]:
    words = ", ".join(f"{name} {value}" for name, value in one.fields.items())
    return (str(one.chunk), str(one.row), one.kind, words)


def _plain_transaction(one: PostedTransaction) -> dict[str, Any]:
    place = {"chunk": one.chunk, "row": one.row, "kind": one.kind}
    return place | {"fields": one.fields, "signature": plain(one.signature)}


def _plain(batch: PostedBatch) -> dict[str, Any]:
    return {
        "header": plain(batch.header),
        "batchHash": plain(batch_hash(batch.header)),
        "void": batch.void_reason,
        "sizes": sizes(batch),
        "transactions": [_plain_transaction(one) for one in transactions(batch)],
    }
