"""The tape's rows: written batch by batch, and taken back batch by batch.

A batch remembers what each row was before it; so the rows as they stood after an earlier
batch can still be told, and be kept in a snapshot, while later ones write on.
"""

from collections.abc import Iterable
from copy import copy
from typing import Any

TABLES = ("trades", "candles", "holdings", "orders", "counts")

RowPlace = tuple[str, Any]
"""A table, and a key in it."""


class Tables:
    """Rows by table and key. `begin` a batch before anything is written."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Any, Any]] = {name: {} for name in TABLES}
        self._undo: dict[int, dict[RowPlace, Any]] = {}
        self._now: dict[RowPlace, Any] = {}
        self.batch = 0
        self._unsaved: set[RowPlace] = set()
        self._saved = 0

    # --- writing ---

    def begin(self, batch: int) -> None:
        """What is written from here on belongs to `batch`."""
        self.batch = batch
        self._now = self._undo.setdefault(batch, {})

    def touch(self, table: str, key: Any) -> Any:
        """The row, to be changed where it is; None where there is none."""
        rows, place = self.rows[table], (table, key)
        row = rows.get(key)
        if place not in self._now:
            self._now[place] = row
            if row is not None:
                row = rows[key] = copy(row)
        return row

    def put(self, table: str, key: Any, row: Any) -> None:
        """Set a row, or with None remove it."""
        rows = self.rows[table]
        self._now.setdefault((table, key), rows.get(key))
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row

    def rewind(self, number: int) -> bool:
        """Take back what batches after `number` wrote; whether there was anything."""
        undone = sorted((batch for batch in self._undo if batch > number), reverse=True)
        for batch in undone:
            for (table, key), row in self._undo.pop(batch).items():
                if row is None:
                    self.rows[table].pop(key, None)
                else:
                    self.rows[table][key] = row
        self._now = {}
        return bool(undone)

    def forget(self, number: int) -> None:
        """Batches up to `number` are never taken back."""
        for batch in [batch for batch in self._undo if batch <= number]:
            places = self._undo.pop(batch)
            if batch > self._saved:
                self._unsaved.update(places)

    # --- snapshots ---

    def at(self, number: int, places: Iterable[RowPlace]) -> dict[RowPlace, Any]:
        """The rows as batch `number` left them; None where there was none."""
        left, found = set(places), dict[RowPlace, Any]()
        for batch in sorted(batch for batch in self._undo if batch > number):
            undo = self._undo[batch]
            written = left & undo.keys()
            found.update((place, undo[place]) for place in written)
            left -= written
        found.update(((table, key), self.rows[table].get(key)) for table, key in left)
        return found

    def unsaved(self, number: int) -> set[RowPlace]:
        """What batches up to `number` wrote since the last snapshot."""
        places = set(self._unsaved)
        for batch, written in self._undo.items():
            if self._saved < batch <= number:
                places.update(written)
        return places

    def places(self, number: int) -> set[RowPlace]:
        """Every row that there may be after batch `number`."""
        places = {(table, key) for table in TABLES for key in self.rows[table]}
        for written in self._undo.values():
            places.update(written)
        return {place for place, row in self.at(number, places).items() if row is not None}

    def counts(self, number: int) -> dict[str, int]:
        """How many rows each table had after batch `number`."""
        counts = {table: len(rows) for table, rows in self.rows.items()}
        later: set[RowPlace] = set()
        for batch in self._undo:
            if batch > number:
                later.update(self._undo[batch])
        for (table, key), row in self.at(number, later).items():
            counts[table] += (row is not None) - (key in self.rows[table])
        return counts

    def saved(self, number: int) -> None:
        """A snapshot is to have all that batches up to `number` wrote."""
        self._saved = number
        self._unsaved = set()

    def not_saved(self, places: Iterable[RowPlace]) -> None:
        """It has not after all: the next one is to have these too."""
        self._unsaved.update(places)

    def load(self, number: int, rows: Iterable[tuple[RowPlace, Any]]) -> None:
        """What a snapshot of batch `number` holds; these tables are new."""
        for (table, key), row in rows:
            self.rows[table][key] = row
        self._saved = number
