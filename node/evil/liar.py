"""The venue as a liar has it: what L1 says, up to the lie, and what follows from that."""

from msgspec import Struct
from msgspec.structs import replace

from node.disputes.defended import DefendedTrace
from node.evil.kinds import Kind
from node.evil.lying import Executed, executed, lying_trace
from node.evil.patching import in_force
from node.evil.rules import lying_rules
from node.followed import Followed
from node.rollup import RollupTerms
from node.rollup_events import BatchPosted
from prover.derivation import genesis_cursor
from prover.dispute.trace_tree import TRACE_HEIGHT
from prover.replay import Replayed, genesis_output
from state.batch import claim_id, encode_output
from state.crypto import ZERO_HASH


class Lie(Struct, frozen=True, kw_only=True):
    """A batch with its wrong claim, and the trace that defends it.

    `first_wrong` is the number of the first step whose root is false, from 1.
    """

    batch: int
    claim: bytes
    trace: DefendedTrace
    first_wrong: int


class LyingFollowed(Followed):
    """Lies once: in the first batch from number `first` on that such a lie can bite on."""

    def __init__(self, terms: RollupTerms, *, kind: Kind, liar: bytes, first: int) -> None:
        super().__init__(terms)
        self.kind = kind
        self.liar = liar
        self.first = first
        self.lie: Lie | None = None

    def _execute(self, event: BatchPosted) -> Replayed:
        if self.lie is not None or event.number < self.first:
            return super()._execute(event)
        true, false = self._both(event)
        if false.roots == true.roots:
            return super()._execute(event)
        with in_force(self._rules()):
            replayed = super()._execute(event)
        self._claim(false)
        self.lie = self._lie(true, false)
        return replayed

    def rewind(self, block: int) -> bool:
        """As for everybody; a lie about a batch that is gone is gone too."""
        done = super().rewind(block)
        if done and self.lie is not None and self.number < self.lie.batch:
            self.lie = None
        return done

    def _rules(self) -> dict[str, object]:
        return dict(lying_rules(self.kind, self.liar))

    def _both(self, event: BatchPosted) -> tuple[Executed, Executed]:
        """The batch as it is, and as it is claimed to be."""
        cursor = self.batches[-1].cursor if self.batches else genesis_cursor(self.terms.domain)
        state, verifier = self.replayer.state, self.replayer.verifier
        before = self.replayer.commitment()
        true = executed(state, before, self._derive(event, cursor).batch, verifier)
        with in_force(self._rules()):
            batch = self._derive(event, cursor).batch
        return true, lying_trace(self.kind, state, before, batch, verifier, self.liar)

    def _claim(self, false: Executed) -> None:
        """A root that is made up is nowhere but in the claim."""
        last = self.batches[-1]
        claim = claim_id(last.parent_claim, false.output)
        self.batches[-1] = replace(last, output=false.output, claim=claim)

    def _lie(self, true: Executed, false: Executed) -> Lie:
        last, before = self.batches[-1], self.batches[-2] if len(self.batches) > 1 else None
        pairs = zip(true.roots, false.roots, strict=False)
        same = [one == other for one, other in pairs]
        terms = self.terms.dispute_parameters
        return Lie(
            batch=last.record.number,
            claim=last.claim,
            trace=DefendedTrace(
                grandparent=before.parent_claim if before else ZERO_HASH,
                parent_output=encode_output(before.output if before else genesis_output()),
                output=encode_output(false.output),
                machine=false.machine,
                roots=false.parts,
                leaves=false.roots,
                height=terms.height if terms is not None else TRACE_HEIGHT,
            ),
            first_wrong=(same.index(False) if False in same else len(same)) + 1,
        )
