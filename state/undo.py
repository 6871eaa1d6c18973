"""Applying steps to a state so that every write can be taken back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from state.machine import Machine
from state.store import Changes

Place = tuple[str, Any]
"""What a write goes to: a table, and the key in it."""

Undo = tuple[str, Any, Any]
"""What was written, its key, and the value before."""


def places_of(log: Iterable[Undo]) -> set[Place]:
    """The leaves that a log says were written; the machine is none of them."""
    return {(name, key) for name, key, _ in log if name != "machine"}


class UndoableState(ABC):
    """A state that steps are applied to; where its leaves are is its own affair.

    `dirty` are the places written since `followed_by`, a committer, last looked.
    """

    machine: Machine

    def __init__(self) -> None:
        self.dirty: set[Place] = set()
        self.followed_by: object = None
        self.has_just_saved = False
        self._log: list[Undo] = []
        self._mark: int | None = None

    @abstractmethod
    def _put(self, name: str, key: Any, value: Any) -> Any:
        """Set (or with None remove) one thing; returns what was there before."""

    def apply(self, changes: Changes) -> None:
        """Write what a step wrote. SAVE marks the log, RESTORE rewinds to the mark."""
        if changes.rewind == "restore":
            assert self._mark is not None
            self._undo_to(self._mark)
        log, put = self._log, self._put
        if not log:
            # RESTORE does not take the machine back, so the one before the first step will do.
            log.append(("machine", None, self.machine))
        self.machine = changes.machine
        for number, account in changes.accounts.items():
            log.append(("accounts", number, put("accounts", number, account)))
        for number, market in changes.markets.items():
            log.append(("markets", number, put("markets", number, market)))
        for key, row in changes.rows.items():
            log.append(("rows", key, put("rows", key, row)))
        for place, order in changes.orders.items():
            log.append(("orders", place, put("orders", place, order)))
        for withdrawal in changes.withdrawals:
            index = withdrawal.index
            log.append(("withdrawals", index, put("withdrawals", index, withdrawal)))
        self.has_just_saved = changes.rewind == "save"
        if changes.rewind is not None:
            self._mark = len(self._log) if self.has_just_saved else None

    @property
    def log_length(self) -> int:
        """How many writes since the last cut can be undone; RESTORE makes it shorter again."""
        return len(self._log)

    def written(self, start: int) -> Sequence[Undo]:
        """The writes since the log was `start` long, between transactions of one batch."""
        return self._log[start:]

    def cut(self) -> list[Undo]:
        """What undoes everything since the last cut. Between batches only.

        The value before the first write is all it takes; what lies between needs much room.
        """
        assert self._mark is None
        # From the end, so that what is older takes the place of what came after it.
        oldest = {(entry[0], entry[1]): entry for entry in reversed(self._log)}
        self._log = []
        return list(reversed(oldest.values()))

    def undo(self, log: list[Undo]) -> None:
        """Take back what `log` says was written, the latest first."""
        assert not self._log, "cut and undo the newer log first"
        self._log = log
        self._undo_to(0)

    def _undo_to(self, mark: int) -> None:
        while len(self._log) > mark:
            self._put(*self._log.pop())
