"""What a follower knows: the venue that L1's events lead to, and what is claimed of it."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct

from node.conservation import figures_of_output
from node.rollup import Counts, RollupTerms
from node.rollup_events import (
    BatchPosted,
    BatchVoided,
    Claimed,
    Confirmed,
    Contested,
    ItemAdded,
    Logged,
    Rejected,
    RollupEvent,
    WithdrawalPaid,
)
from node.signatures import recover
from node.tape.tape import Tape
from node.view import BatchRecord, ClaimRecord, Executed, PaymentRecord
from prover.derivation import (
    Cursor,
    Derived,
    Inconsistent,
    InconsistentReason,
    derive_batch,
    genesis_cursor,
)
from prover.replay import Replayed, Replayer, genesis_claim
from sequencer.draft import is_included
from state.authentication import Recover, Verifier
from state.batch import Output, claim_id, decode_header, decode_output, encode_output
from state.inbox import InboxItem
from state.memory import MemoryState
from state.packing import NotCanonical
from state.status import Status
from state.transactions import Header, Transaction, encode_transaction

K = TypeVar("K")
E = TypeVar("E", bound=Logged)


class FollowedBatch(Struct, frozen=True, kw_only=True):
    """A batch and what this node knows of it: its output, and the claim that says so."""

    record: BatchRecord
    header: bytes
    output: Output
    parent_claim: bytes
    claim: bytes
    cursor: Cursor


class Followed:
    """Takes events in L1's order and can take the last ones back.

    `check` recomputes every sum from all leaves after each batch.
    """

    def __init__(
        self, terms: RollupTerms, *, check: bool = True, recover: Recover = recover
    ) -> None:
        self.terms = terms
        self.replayer = Replayer(Verifier(terms.domain, recover), check=check)
        self.items: list[ItemAdded] = []
        self.batches: list[FollowedBatch] = []
        self.fills = 0
        """How many fills the venue has had."""
        self.tape = Tape()
        self.claims: dict[bytes, Claimed] = {}
        self.wrong_claims: list[Claimed] = []
        self.confirmations: dict[bytes, Confirmed] = {}
        self.confirmed = 0
        """The last batch whose right claim is settled."""
        self.payments: dict[int, WithdrawalPaid] = {}
        self.contests: list[Contested] = []
        """Every time that claims became rivals, or were reopened."""
        self.rejections: dict[bytes, Rejected] = {}
        self.voided: dict[int, BatchVoided] = {}
        """The batches that L1 knows to be void."""

    def resume(self, state: MemoryState, batches: Sequence[FollowedBatch]) -> None:
        """Go on after `batches`, which led to `state`; their events are not executed again."""
        self.replayer.resume(state)
        self.batches = list(batches)
        self.fills = sum(batch.record.fills for batch in batches)

    # --- what happened ---

    def take(self, event: RollupEvent) -> Replayed | None:
        """The next event; what a batch came to. Inconsistent where it does not follow."""
        match event:
            case ItemAdded():
                if event.item.index != len(self.items):
                    detail = f"item {len(self.items)} expected, item {event.item.index} found"
                    raise Inconsistent(InconsistentReason.INBOX_RANGE, detail)
                self.items.append(event)
            case BatchPosted():
                return self._execute(event)
            case Claimed():
                self.claims[event.claim] = event
                if not self._is_right(event):
                    self.wrong_claims.append(event)
            case Confirmed():
                self.confirmations[event.claim] = event
                if self._is_right(event):
                    self.confirmed = event.batch
            case WithdrawalPaid():
                self.payments[event.index] = event
            case Contested():
                self.contests.append(event)
            case Rejected():
                self.rejections[event.claim] = event
            case BatchVoided():
                self.voided[event.number] = event
        return None

    def _execute(self, event: BatchPosted) -> Replayed:
        cursor = self.batches[-1].cursor if self.batches else genesis_cursor(self.terms.domain)
        derived = self._derive(event, cursor)
        replayed = self.replayer.apply(derived)
        self.fills += len(replayed.fills)
        for ran in told(replayed):
            self.tape.take(ran)
        self.tape.forget(self.replayer.oldest - 1)
        parent_claim = self.claim_on(cursor.number)
        self.batches.append(
            FollowedBatch(
                record=self._record(event, derived, replayed),
                header=event.header,
                output=replayed.output,
                parent_claim=parent_claim,
                claim=claim_id(parent_claim, replayed.output),
                cursor=derived.cursor,
            )
        )
        return replayed

    def _derive(self, event: BatchPosted, cursor: Cursor) -> Derived:
        items = self._items(event.header, cursor.inbox)
        return derive_batch(
            event.header, event.payload, items, after=cursor, batch_hash=event.batch_hash
        )

    def _items(self, header: bytes, first: int) -> list[InboxItem]:
        try:
            last = decode_header(header).inbox_to
        except NotCanonical:
            return []  # derivation says what is wrong with the header
        return [added.item for added in self.items[first:last]]

    def _record(self, event: BatchPosted, derived: Derived, replayed: Replayed) -> BatchRecord:
        header, output = derived.batch.header, replayed.output
        return BatchRecord(
            number=header.number,
            state_root=output.state_root,
            withdrawals_root=output.withdrawals_root,
            withdrawals=self.replayer.state.machine.withdrawals,
            steps=output.steps,
            transactions=replayed.transactions,
            orders=replayed.orders,
            fills=len(replayed.fills),
            items=replayed.items,
            raw_bytes=replayed.raw_bytes,
            time_min=header.time_min,
            time_max=header.time_max,
            compressed_bytes=derived.compressed_bytes,
            batch_hash=derived.batch_hash,
            void=derived.void_reason,
            posted_block=event.block,
            posted_transaction=event.transaction,
            figures=figures_of_output(output),
        )

    def rewind(self, block: int) -> bool:
        """Forget what happened after `block`; False, and nothing done, where that is too much."""
        number = self.number_at(block)
        if not self.replayer.rewind(number):
            return False
        self.fills -= sum(batch.record.fills for batch in self.batches[number:])
        del self.batches[number:]
        self.tape.rewind(number)
        self.items = [added for added in self.items if added.block <= block]
        self.claims = _until(block, self.claims)
        self.wrong_claims = [claim for claim in self.wrong_claims if claim.block <= block]
        self.confirmations = _until(block, self.confirmations)
        self.payments = _until(block, self.payments)
        self.contests = [contest for contest in self.contests if contest.block <= block]
        self.rejections = _until(block, self.rejections)
        self.voided = _until(block, self.voided)
        self.confirmed = self.confirmed_at(block)
        return True

    # --- what is known ---

    @property
    def number(self) -> int:
        """The last batch."""
        return len(self.batches)

    @property
    def counts(self) -> Counts:
        """What the contract must count too: confirmations come in the order of their batches."""
        last = next(reversed(self.confirmations.values()), None)
        return Counts(
            items=len(self.items),
            batches=self.number,
            confirmed=last.batch if last is not None else 0,
        )

    def number_at(self, block: int) -> int:
        """The last batch that was posted in `block` or before."""
        return bisect_right(self.batches, block, key=lambda batch: batch.record.posted_block)

    def confirmed_at(self, block: int) -> int:
        """The last batch whose right claim was settled in `block` or before."""
        settled = (one for one in self.confirmations.values() if one.block <= block)
        return max((one.batch for one in settled if self._is_right(one)), default=0)

    def batch(self, number: int) -> FollowedBatch | None:
        return self.batches[number - 1] if 1 <= number <= self.number else None

    def claim_on(self, number: int) -> bytes:
        """The one right claim on a batch that is known here, or on genesis."""
        return self.batches[number - 1].claim if number else genesis_claim()

    def claim_record(self, number: int) -> ClaimRecord | None:
        """The right claim on a batch, once somebody made it."""
        batch = self.batch(number)
        made = self.claims.get(batch.claim) if batch else None
        if batch is None or made is None:
            return None
        settled = self.confirmations.get(made.claim)
        return ClaimRecord(
            batch=number,
            claim=made.claim,
            parent=batch.parent_claim,
            output=encode_output(batch.output),
            claimed_block=made.block,
            claimed_at=made.time,
            confirmable_at=made.time + self._window,
            confirmed_block=settled.block if settled else 0,
        )

    @property
    def _window(self) -> int:
        """Seconds from a claim to its confirmation: a proof is not waited for."""
        return 0 if self.terms.takes_proofs else self.terms.parameters.claim_window

    def payment_record(self, index: int) -> PaymentRecord | None:
        paid = self.payments.get(index)
        if paid is None:
            return None
        return PaymentRecord(index=index, block=paid.block, transaction=paid.transaction)

    def problems(self) -> list[str]:
        """Every claim on L1 that contradicts what was executed here, unless L1 rejected it or
        will, since it descends from one that lost.
        """
        return [
            self._contradiction(claim, claim.claim in self.confirmations)
            for claim in self.standing_lies()
        ]

    def standing_lies(self) -> list[Claimed]:
        """The wrong claims that L1 has not rejected and that have not fallen."""
        fallen = self.fallen()
        return [
            claim
            for claim in self.wrong_claims
            if claim.claim not in self.rejections and claim.claim not in fallen
        ]

    def fallen(self) -> set[bytes]:
        """Wrong claims that descend from one that was passed over: none of them can confirm, and
        each is rejected once the confirmed head has reached its batch.
        """
        passed_over, fallen = set[bytes](), set[bytes]()
        for claim in self.wrong_claims:  # a parent comes before its children
            if claim.parent in passed_over or claim.parent in fallen:
                fallen.add(claim.claim)
            elif claim.batch <= self.confirmed and claim.claim not in self.confirmations:
                passed_over.add(claim.claim)
        return fallen

    def _is_right(self, claim: Claimed | Confirmed) -> bool:
        batch = self.batch(claim.batch)
        return batch is not None and batch.claim == claim.claim

    def _contradiction(self, claim: Claimed, confirmed: bool) -> str:
        stage = "CONFIRMED" if confirmed else "pending"
        return (
            f"WRONG_CLAIM: claim 0x{claim.claim.hex()} on batch {claim.batch} by "
            f"0x{claim.claimant.hex()} ({stage}) is wrong: {self.difference(claim)}; "
            + (
                "withdrawals against it take other people's money: stop the venue"
                if confirmed
                else f"have a tallystick challenge running, which claims batch {claim.batch} "
                "rightly and disputes it"
            )
        )

    def difference(self, claim: Claimed) -> str:
        """The first field of a wrong claim's output that is not ours, in words."""
        batch = self.batch(claim.batch)
        if batch is None:
            return "there is no such batch"
        try:
            claimed = decode_output(claim.output)
        except NotCanonical:
            return "its output does not read"
        for name in batch.output.__struct_fields__:
            found, expected = getattr(claimed, name), getattr(batch.output, name)
            if found != expected:
                return f"its {name} is {_shown(found)}, executed here {_shown(expected)}"
        return f"its parent is claim 0x{claim.parent.hex()}, not 0x{batch.parent_claim.hex()}"


def _until(block: int, events: dict[K, E]) -> dict[K, E]:
    return {key: event for key, event in events.items() if event.block <= block}


def _shown(value: int | bytes) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def told(replayed: Replayed) -> list[Executed]:
    """What ran and left a trace; a refused header or price, and a stranger's row, left none."""
    batch = replayed.output.batch
    return [
        Executed(
            batch=batch, time=ran.time, receipt=ran.receipt, tx=ran.tx, item=ran.item, book=ran.book
        )
        for ran in replayed.ran
        if ran.tx is None or _leaves_trace(ran.tx, ran.receipt.status)
    ]


def _leaves_trace(tx: Transaction, status: Status) -> bool:
    return not isinstance(tx, Header) and is_included(encode_transaction(tx)[0], status)
