"""The tape in a snapshot, written with it, as much as changed since the one before.

    tape            of which batch it is, since when it knows, and how many rows there are
    tape/ u8 key    a row: its table, its key, what it says

Nothing that decides over money hangs on it. So a tape that is missing, of another layout or
damaged stops no node: it begins anew behind the snapshot's batch, and says so.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from node.store import Changes, Store, StoreDamaged
from node.tape.records import Candle, Counts, Holding, PlacedOrder, Trade
from node.tape.tables import TABLES, RowPlace
from node.tape.tape import Tape
from state.memory import MemoryState

LAYOUT = 1
HEAD, ROW = b"tape", b"tape/"
_KEYS: dict[str, Any] = {
    "trades": int,
    "candles": tuple[int, int, int],
    "holdings": tuple[int, int],
    "orders": int,
    "counts": int,
}
_ROWS: dict[str, Any] = {
    "trades": Trade,
    "candles": Candle,
    "holdings": Holding,
    "orders": PlacedOrder,
    "counts": Counts,
}

log = structlog.get_logger(__name__)


class Stamp(Struct, frozen=True):
    """As much of a head as every version of it has."""

    layout: int


class TapeHead(Struct, frozen=True):
    """Of which batch the rows are; `rows` counts them, table by table."""

    layout: int
    number: int
    since_batch: int
    rows: tuple[int, ...]


class KeptTape(Struct, frozen=True):
    """What is to be written: nothing in it changes any more. A `whole` one replaces all rows."""

    head: TapeHead
    rows: list[tuple[RowPlace, Any]]
    whole: bool


def kept_tape(tape: Tape, number: int) -> KeptTape:
    """What brings a store from the tape it has to that after batch `number`."""
    tape.settle()
    tables, whole = tape.tables, not tape.is_stored
    places = tables.places(number) if whole else tables.unsaved(number)
    counts = tables.counts(number)
    return KeptTape(
        TapeHead(LAYOUT, number, tape.since_batch, tuple(counts[name] for name in TABLES)),
        list(tables.at(number, places).items()),
        whole,
    )


def tape_changes(kept: KeptTape, store: Store) -> Changes:
    """As the store is to be written."""
    changes: dict[bytes, bytes | None] = {}
    if kept.whole:
        changes |= {key: None for key, _ in store.entries(ROW)}
    for place, row in kept.rows:
        changes[_key(place)] = None if row is None else msgspec.msgpack.encode(row)
    changes[HEAD] = msgspec.msgpack.encode(kept.head)
    return changes


def dropped_tape(store: Store) -> Changes:
    """What takes the tape out of a store."""
    return {HEAD: None} | {key: None for key, _ in store.entries(ROW)}


def load_tape(tape: Tape, store: Store, state: MemoryState, fills: int) -> None:
    """The tape as it was kept with `state`; one that begins behind it where there is none.

    `fills` is how many the venue had had.
    """
    number = state.machine.batch
    try:
        encoded = store.read(HEAD)
        if encoded is None:
            tape.begin_late(state, fills)
            return
        head = _head(encoded, number)
        rows = list(_rows(store))
        _check(head, rows, fills)
    except (msgspec.MsgspecError, StoreDamaged, ValueError) as error:
        tape.begin_late(state, fills)
        tape.problem = (
            f"TAPE_BEGUN_ANEW: trades, candles, orders and profit up to batch {number} are not "
            f"known here any more ({error}); nothing else is touched. Delete {store.directory} "
            "and start the node again, and it works them out anew"
        )
        log.error("tape_damaged", batch=number, reason=str(error))
        return
    tape.load(number, head.since_batch, rows)


def _head(encoded: bytes, number: int) -> TapeHead:
    stamp = msgspec.msgpack.decode(encoded, type=Stamp)
    if stamp.layout != LAYOUT:
        raise ValueError(f"its layout is {stamp.layout}, this program writes {LAYOUT}")
    head = msgspec.msgpack.decode(encoded, type=TapeHead)
    if head.number != number:
        raise ValueError(f"it is of batch {head.number}")
    return head


def _rows(store: Store) -> Iterator[tuple[RowPlace, Any]]:
    for key, value in store.entries(ROW):
        at = key[len(ROW)]
        if at >= len(TABLES):
            raise ValueError(f"there is no table {at}")
        name = TABLES[at]
        decoded = msgspec.msgpack.decode(key[len(ROW) + 1 :], type=_KEYS[name])
        yield (name, decoded), msgspec.msgpack.decode(value, type=_ROWS[name])


def _check(head: TapeHead, rows: list[tuple[RowPlace, Any]], fills: int) -> None:
    found = dict.fromkeys(TABLES, 0)
    for (name, _), row in rows:
        found[name] += 1
        if isinstance(row, Counts) and row.fills != fills:
            raise ValueError(f"it counts {row.fills} fills, there were {fills}")
    expected = dict(zip(TABLES, head.rows, strict=True))
    for name in TABLES:
        if found[name] != expected[name]:
            raise ValueError(f"{expected[name]} rows of {name} expected, {found[name]} found")


def _key(place: RowPlace) -> bytes:
    name, key = place
    return ROW + bytes([TABLES.index(name)]) + msgspec.msgpack.encode(key)
