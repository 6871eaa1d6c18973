"""The venue as L1's logs lead to it, batch by batch, and which claims say otherwise."""

from msgspec import Struct

from node.errors import Halt
from node.proving.history import RollupHistory
from node.proving.readable import Difference, differences
from node.rollup_events import Claimed
from node.signatures import recover
from prover.derivation import Derived, Inconsistent, derive_batch, genesis_cursor
from prover.facts import BatchFacts
from prover.replay import Replayed, Replayer, genesis_claim
from state.authentication import Verifier
from state.batch import Output, claim_id, decode_header, decode_output
from state.packing import NotCanonical


class ClaimFinding(Struct, frozen=True, kw_only=True):
    """A claim on L1 beside what was executed: right without differences.

    A claim whose output is right may still descend from a wrong one: its `parent` differs.
    """

    claim: bytes
    claimant: bytes
    is_confirmed: bool
    differences: tuple[Difference, ...] = ()

    @property
    def is_right(self) -> bool:
        return not self.differences


class BatchFinding(Struct, frozen=True, kw_only=True):
    """What a batch came to here, and every claim on it."""

    output: Output
    void_reason: str
    replayed: Replayed
    claims: tuple[ClaimFinding, ...]

    @property
    def has_wrong_claim(self) -> bool:
        return any(not claim.is_right for claim in self.claims)


class RebuiltVenue:
    """Executes one batch after the other; `replayer` has the state after the last of them."""

    def __init__(self, history: RollupHistory) -> None:
        self.history = history
        self.verifier = Verifier(history.terms.domain, recover)
        self.replayer = Replayer(self.verifier)
        self.cursor = genesis_cursor(history.terms.domain)
        self.claim = genesis_claim()
        """The one right claim on the last batch."""
        self._claims: dict[int, list[Claimed]] = {}
        for claim in history.claims:
            self._claims.setdefault(claim.batch, []).append(claim)

    @property
    def number(self) -> int:
        """The last batch that was executed."""
        return self.replayer.number

    def check_number(self, number: int) -> None:
        """Halt where L1 has no such batch."""
        posted = len(self.history.batches)
        if not 1 <= number <= posted:
            there = f"it has batches 1 to {posted}" if posted else "it has none yet"
            raise Halt(f"NO_SUCH_BATCH: L1 has no batch {number}; {there}")

    def derive(self) -> Derived:
        """The next batch. Halt where L1's logs of it do not fit together."""
        posted = self.history.batches[self.number]
        try:
            to = decode_header(posted.header).inbox_to
            items = [added.item for added in self.history.items[self.cursor.inbox : to]]
            return derive_batch(
                posted.header,
                posted.payload,
                items,
                after=self.cursor,
                batch_hash=posted.batch_hash,
            )
        except (Inconsistent, NotCanonical) as error:
            raise Halt(f"L1_INCONSISTENT: {error}; name another L1 endpoint") from error

    def facts(self, derived: Derived) -> BatchFacts:
        """What L1 knows of the steps of `derived`, the next batch."""
        return BatchFacts(
            derived.batch,
            accumulator=self.cursor.accumulator,
            separator=self.verifier.domain.separator,
        )

    def advance(self) -> BatchFinding:
        """Execute the next batch, and look at every claim on it.

        Halt where the batch broke the venue's own rules.
        """
        derived = self.derive()
        try:
            replayed = self.replayer.apply(derived)
        except AssertionError as broken:
            raise Halt(f"INVARIANT_BROKEN: batch {self.number}: {broken}; report it") from broken
        parent, self.claim = self.claim, claim_id(self.claim, replayed.output)
        self.cursor = derived.cursor
        claims = tuple(
            self._finding(claim, replayed.output, parent)
            for claim in self._claims.get(self.number, ())
        )
        return BatchFinding(
            output=replayed.output,
            void_reason=derived.void_reason,
            replayed=replayed,
            claims=claims,
        )

    def _finding(self, claimed: Claimed, output: Output, parent: bytes) -> ClaimFinding:
        return ClaimFinding(
            claim=claimed.claim,
            claimant=claimed.claimant,
            is_confirmed=claimed.claim in self.history.confirmed,
            differences=() if claimed.claim == self.claim else wrong(claimed, output, parent),
        )


def wrong(claimed: Claimed, output: Output, parent: bytes) -> tuple[Difference, ...]:
    """The fields of a claim that are not as executed."""
    try:
        found = differences(decode_output(claimed.output), output)
    except NotCanonical as error:
        found = (Difference("output", f"{len(claimed.output)} bytes: {error}", "an output"),)
    if claimed.parent != parent:
        found += (Difference("parent", "0x" + claimed.parent.hex(), "0x" + parent.hex()),)
    return found
