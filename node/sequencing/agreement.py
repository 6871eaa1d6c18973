"""Where L1 and the sequencer part, and what the sequencer does about it.

L1 decides. A batch that is there in another form than ours (void, because a byte was
flipped; forced by someone; posted by another process with our key) takes the place of
ours, and the transactions of ours are retried behind it. A batch that L1 no longer has, or
whose inbox items it no longer has, is undone.
"""

from collections.abc import Sequence

import structlog

from node.errors import Rewind
from node.rollup_events import BatchPosted
from node.scanner import Mark
from node.sequencing.history import History
from node.sequencing.l1_view import L1Base, L1View
from prover.derivation import Cursor, Derived, Inconsistent, derive_batch, genesis_cursor
from state.batch import decode_header
from state.eip712 import Domain
from state.packing import NotCanonical

log = structlog.get_logger(__name__)


class Agreement:
    """`safe` is the last batch that L1 and the sequencer both have."""

    def __init__(self, domain: Domain, history: History, view: L1View) -> None:
        # What L1 showed before it was read is final, and was agreed on before a snapshot was taken.
        self._agreed = [posted.batch_hash for posted in view.batches]
        self._genesis = genesis_cursor(domain)
        self._history = history
        self._sequencer = history.sequencer
        self._view = view

    @property
    def safe(self) -> int:
        return len(self._agreed)

    @property
    def parent(self) -> bytes:
        """The hash of batch `safe`, which the next one follows on L1."""
        return self._agreed[-1] if self._agreed else self._genesis.batch_hash

    def posted(self, number: int) -> BatchPosted | None:
        """Batch `number` as L1 shows it, if that is the one that was agreed on."""
        if not 0 < number <= min(self.safe, len(self._view.batches)):
            return None  # L1 may have gone back since the last update
        posted = self._view.batches[number - 1]
        return posted if posted.batch_hash == self._agreed[number - 1] else None

    def base_for(self, number: int, marks: Sequence[Mark]) -> L1Base | None:
        """From where a restart behind batch `number`, which is final, must read L1 again.

        The last of `marks` that is final and shows no later batch; None where there is none.
        """
        view = self._view
        if view.is_void or not view.is_caught_up or self.safe < number:
            return None
        for mark in reversed(marks):
            if mark.block <= view.finalized_block and view.batches_until(mark.block) <= number:
                return view.base_at(mark, self._inbox_after)
        return None

    def _inbox_after(self, number: int) -> tuple[int, bytes]:
        cursor = self._cursor(number)
        return cursor.inbox, cursor.accumulator

    def update(self) -> bool:
        """Follow L1, by one batch of its at most; whether to ask again, since something changed.

        Rewind where L1's logs do not fit.
        """
        # Between two updates L1 may have gone back and on again: the count alone says nothing.
        while self._agreed and not self._still_stands(self.safe):
            self._agreed.pop()
        try:
            while self.safe < len(self._view.batches) and self._is_ours(self.safe + 1):
                self._agree()
            if self.safe < len(self._view.batches):
                self._follow_l1()
                return True
        except (Inconsistent, NotCanonical) as error:
            raise Rewind(str(error)) from error
        stale = self._stale()
        if stale is None:
            return False
        log.warning("batches_undone", after=stale, reason="L1 took back what they stood on")
        self._history.rewind_to(stale)
        return True

    def _still_stands(self, number: int) -> bool:
        """Whether L1 has the batch it had; the hash speaks for all batches before it."""
        batches = self._view.batches
        return number <= len(batches) and batches[number - 1].batch_hash == self._agreed[-1]

    def _agree(self) -> None:
        number = self.safe + 1
        self._agreed.append(self._view.batches[number - 1].batch_hash)
        self._view.strip(number)

    def _is_ours(self, number: int) -> bool:
        """Whether L1's batch `number` is the one that was executed here."""
        if number > self._sequencer.number:
            return False
        posted = self._view.batches[number - 1]
        header = decode_header(posted.header)
        if header.parent != self._cursor(number - 1).batch_hash:
            raise Rewind(f"L1's batch {number} does not follow its batch {number - 1}")
        return self._sequencer.contents[number - 1].is_behind(header)

    def _follow_l1(self) -> None:
        """Put L1's next batch in the place of ours."""
        if self._sequencer.number > self.safe or self._sequencer.open is not None:
            self._history.rewind_to(self.safe)
        number = self.safe + 1
        payload = self._view.batches[number - 1].payload
        derived = self._derived(number)
        batch = self._history.adopt(derived, payload)
        log.warning(
            "batch_adopted",
            number=number,
            void=batch.void,
            transactions=len(batch.rows),
            owed=len(self._history.owed),
        )
        self._agree()

    def _derived(self, number: int) -> Derived:
        posted, after = self._view.batches[number - 1], self._cursor(number - 1)
        header = decode_header(posted.header)
        return derive_batch(
            posted.header,
            posted.payload,
            self._view.items(after.inbox, max(after.inbox, header.inbox_to)),
            after=after,
            batch_hash=posted.batch_hash,
        )

    def _cursor(self, number: int) -> Cursor:
        if number == 0:
            return self._genesis
        content = self._sequencer.contents[number - 1]
        posted = self._view.batches[number - 1]
        return Cursor(number, posted.batch_hash, content.inbox_to, content.accumulator)

    def _stale(self) -> int | None:
        """The batch to go back to where a later one stands on what L1 does not have (now)."""
        if not self._view.is_caught_up:
            return None
        for number in range(self.safe + 1, self._sequencer.number + 1):
            content = self._sequencer.contents[number - 1]
            is_adopted = number in self._sequencer.batches and (
                self._sequencer.batches[number].adopted
            )
            if is_adopted or not self._view.has_items(content.inbox_to, content.accumulator):
                return number - 1
        opened = self._sequencer.open
        if opened is not None and not self._view.has_items(
            opened.inbox_from + len(opened.items), opened.accumulator
        ):
            return self._sequencer.number
        return None
