"""What a deployment fixes about disputes, whether that holds together, and the bounds it gives.

With n entries, whatever liars do:

    match    <= 2 clock + (height + 2) move_time
    dispute  <= entry_window + ceil(log2 n) x match

Each side takes at most its clock and then `move_time` a move; a sealed match is settled, or a late
one timed out, within a `move_time` each. Of the k entries that are alive at the end of the
entry window k // 2 pairs play, and after the time of a match at most half of them, rounded up,
are left.
"""

from msgspec import Struct

from prover.dispute import payments
from prover.dispute.trace_tree import TRACE_HEIGHT

TRACE_SECONDS = 60
"""To compute the trace of a batch of 65,536 steps: 24 were measured on one core, of a batch whose
every step matches an order of its own."""

CLAIM_SECONDS = 6
"""To execute a batch of 65,536 steps and to claim what it leads to: 2.8 were measured, with the
signatures of as many transactions as a batch can hold."""

ENTRIES_MAX = 2**16
"""More bonds than anybody is thought to lose; the longest dispute has so many entries."""

GWEI = 10**9
ETHER = 10**18
HOUR = 3_600
DAY = 24 * HOUR


class DisputeTerms(Struct, frozen=True, kw_only=True):
    """As the contract of disputes has them: seconds, and wei.

    `published_steps` is the size up to which a batch is entered with all its roots.
    """

    height: int
    clock: int
    move_time: int
    entry_window: int
    entry_bond: int
    base_fee_cap: int
    published_steps: int


class SettlementTerms(Struct, frozen=True, kw_only=True):
    """With what the rollup fixes: `claim_window` in seconds, `claim_bond` in wei; and
    `retention`, the seconds for which L1's history is served.
    """

    claim_window: int
    claim_bond: int
    dispute: DisputeTerms
    retention: int

    @property
    def entry_time(self) -> int:
        """Seconds that are left to enter for whoever claims last."""
        return self.dispute.entry_window - self.claim_window


MAINNET_LIKE = SettlementTerms(
    claim_window=7 * DAY,
    claim_bond=ETHER,
    dispute=DisputeTerms(
        height=TRACE_HEIGHT,
        clock=DAY,
        move_time=2 * HOUR,
        entry_window=8 * DAY,
        entry_bond=ETHER,
        base_fee_cap=100 * GWEI,
        published_steps=0,
    ),
    retention=365 * DAY,
)

FAST = SettlementTerms(
    claim_window=8,
    claim_bond=ETHER // 10,
    dispute=DisputeTerms(
        height=TRACE_HEIGHT,
        clock=120,
        move_time=70,
        entry_window=80,
        entry_bond=ETHER // 10,
        base_fee_cap=10 * GWEI,
        published_steps=0,
    ),
    retention=DAY,
)
"""For a venue on one machine, whose demo waits for its claims."""


def match_seconds(terms: DisputeTerms) -> int:
    """2 clock + (height + 2) move_time: the longest match, with the call that ends it."""
    return 2 * terms.clock + (terms.height + 2) * terms.move_time


def dispute_seconds(terms: DisputeTerms, entries: int) -> int:
    """entry_window + ceil(log2 entries) x match: from when the parent is contested until one
    entry at most is left.
    """
    rounds = max(entries - 1, 0).bit_length()
    return terms.entry_window + rounds * match_seconds(terms)


def honest_moves(terms: DisputeTerms) -> int:
    """ceil(height / 2) moves of one side in a match, and the proof of one step."""
    return payments.moves_max(terms.height) + 1


def honest_gas(terms: DisputeTerms, entries: int) -> int:
    """What a player who enters one trace and plays on alone pays at most, at the prices of the
    table: its claim and entry, and for each of the others either a match, or a call that ends it.
    Every match but the entry itself is paid for by a bond that a liar lost.
    """
    match = (
        payments.moves_max(terms.height) * payments.ADVANCE_GAS
        + max(payments.SETTLE_GAS, payments.REFUTE_GAS)
        + payments.COLLECT_GAS
    )
    return payments.ENTER_GAS + max(entries - 1, 0) * match


def faults(terms: SettlementTerms) -> list[str]:
    """Every rule that `terms` break, in words; none where they hold together."""
    dispute = terms.dispute
    longest = dispute_seconds(dispute, ENTRIES_MAX)
    dearest = payments.dearest_match(dispute.height, dispute.base_fee_cap)
    published = dispute.published_steps * payments.LEAF_GAS
    entered = (payments.REJECT_GAS + payments.ENTER_GAS + published) * dispute.base_fee_cap
    rules = (
        (
            dispute.height == TRACE_HEIGHT,
            f"height {dispute.height} is not {TRACE_HEIGHT}, whose leaves are the steps of a full "
            "batch: set it so",
        ),
        (
            dispute.move_time > TRACE_SECONDS,
            f"move_time {dispute.move_time} s is not above the {TRACE_SECONDS} s that the trace "
            "of a full batch takes: raise it",
        ),
        (
            dispute.clock >= dispute.move_time,
            f"clock {dispute.clock} s is below move_time {dispute.move_time} s: raise it",
        ),
        (
            terms.entry_time >= dispute.move_time,
            f"entry_window {dispute.entry_window} s leaves {terms.entry_time} s after "
            f"claim_window {terms.claim_window} s, less than move_time {dispute.move_time} s: "
            "raise entry_window",
        ),
        (
            terms.claim_window > CLAIM_SECONDS,
            f"claim_window {terms.claim_window} s is not above the {CLAIM_SECONDS} s that it "
            "takes to execute a full batch and claim it: raise it",
        ),
        (
            dispute.base_fee_cap > 0,
            "base_fee_cap is zero, so nobody is paid for a move or a proof: raise it",
        ),
        (
            dispute.entry_bond >= dearest,
            f"entry_bond {dispute.entry_bond} wei does not pay for the dearest match, {dearest} "
            "wei at base_fee_cap: raise the bond or lower the cap",
        ),
        (
            terms.claim_bond >= entered,
            f"claim_bond {terms.claim_bond} wei does not pay for its rejection and the winner's "
            f"entry, {entered} wei at base_fee_cap: raise the bond or lower the cap",
        ),
        (
            longest <= terms.retention,
            f"the longest dispute, {longest} s, outlasts the {terms.retention} s for which L1's "
            "history is served: shorten clock or move_time",
        ),
    )
    return [told for holds, told in rules if not holds]
