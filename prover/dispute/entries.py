"""Entries: a claim and a trace under bond, by dispute; the twin of contracts/entries.vy."""

from msgspec import Struct, structs

from prover.dispute.ledger import (
    CLAIM_CONFIRMED,
    CLAIM_PENDING,
    Call,
    Ledger,
    Rollup,
    require,
)
from prover.dispute.terms import DisputeTerms
from prover.dispute.views import (
    DisputeView,
    EntryStatus,
    EntryView,
    ResultStatus,
    dispute_id,
    entry_id,
    second_entry_id,
)
from state.crypto import ZERO_ADDRESS
from state.crypto import ZERO_HASH as ZERO

NO_DISPUTE = DisputeView(
    parent_root=ZERO, waiting=ZERO, batch=0, ends_at=0, entries=0, alive=0, paid=False
)

NO_ENTRY = EntryView(
    dispute=ZERO,
    claim=ZERO,
    trace_root=ZERO,
    match=ZERO,
    owner=ZERO_ADDRESS,
    status=EntryStatus.UNKNOWN,
)


class ClaimedOutput(Struct, frozen=True, kw_only=True):
    """What `enter` is shown of a claim: its parent, the state roots of both outputs, and how many
    steps its batch took.
    """

    parent: bytes
    claim: bytes
    parent_root: bytes
    state_root: bytes
    steps: int


def check_claimed(terms: DisputeTerms, rollup: Rollup, call: Call, claimed: ClaimedOutput) -> int:
    """The claim stands among rivals that may be entered; since when they are rivals."""
    contested_at = rollup.contested_at(claimed.parent)
    require(contested_at != 0, "entries: parent is not contested")
    require(call.now <= contested_at + terms.entry_window, "entries: window is over")
    parent = rollup.claim_record(claimed.parent)
    is_alive = parent.status == CLAIM_CONFIRMED or parent.batch > rollup.confirmed_batch()
    require(is_alive, "entries: parent is rejected")
    is_pending = rollup.claim_record(claimed.claim).status == CLAIM_PENDING
    require(is_pending, "entries: not a pending claim")
    return contested_at


def add_entry(
    ledger: Ledger,
    terms: DisputeTerms,
    call: Call,
    claimed: ClaimedOutput,
    contested_at: int,
    batch: int,
    trace_root: bytes,
    cost: int,
    *,
    is_void: bool,
) -> bytes:
    """A further entry, which has no match yet; `cost` is the gas it is paid for if it wins.

    Before L1 knew that a batch is void, its right trace could be shown to be wrong; so there a
    trace that has lost may be entered a second time.
    """
    require(call.value == terms.entry_bond, "entries: not the exact bond")
    dispute = dispute_id(claimed.parent, contested_at)
    entry = entry_id(dispute, trace_root)
    first = ledger.entries.get(entry)
    if is_void and first is not None and first.status == EntryStatus.LOST:
        entry = second_entry_id(entry, dispute)
    require(entry not in ledger.entries, "entries: entered already")
    counts = ledger.disputes.get(dispute) or structs.replace(
        NO_DISPUTE,
        parent_root=claimed.parent_root,
        batch=batch,
        ends_at=contested_at + terms.entry_window,
    )
    ledger.disputes[dispute] = structs.replace(
        counts, entries=counts.entries + 1, alive=counts.alive + 1
    )
    ledger.entries[entry] = EntryView(
        dispute=dispute,
        claim=claimed.claim,
        trace_root=trace_root,
        match=ZERO,
        owner=call.sender,
        status=EntryStatus.UNKNOWN,
    )
    ledger.costs[entry] = cost
    ledger.balance += call.value
    return entry


def set_status(ledger: Ledger, entry: bytes, status: EntryStatus) -> None:
    ledger.entries[entry] = structs.replace(ledger.entries[entry], status=status)


def lose(ledger: Ledger, entry: bytes) -> None:
    """An entry is out; its bond is no longer live."""
    set_status(ledger, entry, EntryStatus.LOST)
    leave(ledger, entry)


def leave(ledger: Ledger, entry: bytes) -> None:
    """One entry fewer is alive, and if it waited nobody does."""
    dispute = ledger.entries[entry].dispute
    counts = ledger.disputes[dispute]
    waiting = ZERO if counts.waiting == entry else counts.waiting
    ledger.disputes[dispute] = structs.replace(counts, alive=counts.alive - 1, waiting=waiting)


def set_paid(ledger: Ledger, dispute: bytes) -> None:
    """Who entered the winner was paid for it."""
    ledger.disputes[dispute] = structs.replace(ledger.disputes[dispute], paid=True)


def result(
    ledger: Ledger, terms: DisputeTerms, parent: bytes, contested_at: int, now: int
) -> tuple[ResultStatus, bytes, bytes]:
    """The status, and where one has won the claim and its entry. Open while entries are taken or
    more than one is alive.
    """
    if contested_at == 0 or now <= contested_at + terms.entry_window:
        return ResultStatus.OPEN, ZERO, ZERO
    found = ledger.disputes.get(dispute_id(parent, contested_at), NO_DISPUTE)
    if found.alive == 0:
        return ResultStatus.NOBODY_WON, ZERO, ZERO
    if found.alive > 1:
        return ResultStatus.OPEN, ZERO, ZERO
    return ResultStatus.WON, ledger.entries[found.waiting].claim, found.waiting
