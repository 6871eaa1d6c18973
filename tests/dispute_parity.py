"""The contract of disputes and its twin in Python, told the same and asked the same each time."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import toy_calls
from dispute_world import INSURANCE, PEOPLE, DisputeWorld, Entry
from eth_abi.abi import encode
from evm_engines import Pyrevm, Reverted
from toy_machine import (
    BATCH_HASH,
    STEP,
    ToyBatch,
    ToyTrace,
    number,
    read,
    root_of_state,
)
from toy_rollup import FORFEIT, SET_BATCH, SET_CLAIM, SET_CONTESTED, SET_HEAD, ZERO

from contracts import dispute_views as views
from contracts import disputes
from contracts.abi import Function, View
from contracts.disputes import DisputedStep
from prover.dispute.entries import NO_ENTRY
from prover.dispute.ledger import ClaimRecord
from prover.dispute.rules import Call, ClaimedOutput, Game, Refused, Shown
from prover.dispute.terms import DisputeTerms
from prover.dispute.views import MatchStatus, dispute_id, entry_id, match_id

MACHINE_BYTES = 664
GAS_PRICES = (0, 1, 30 * 10**9, 50 * 10**9, 51 * 10**9, 10**12)


class ToyAnswers:
    """What the toy rollup answers, in Python."""

    def __init__(self) -> None:
        self.claims: dict[bytes, ClaimRecord] = {}
        self.contested: dict[bytes, int] = {}
        self.batches: dict[int, ToyBatch] = {}
        self.head = 0

    def hear(self, function: Function, *values: Any) -> None:
        """The same that the contract is told."""
        if function is SET_CLAIM:
            self.claims[values[0]] = ClaimRecord(values[1], values[2])
        elif function is SET_CONTESTED:
            self.contested[values[0]] = values[1]
        elif function is SET_HEAD:
            self.head = values[0]
        elif function is SET_BATCH:
            self.batches[values[0]] = ToyBatch(values[0], values[2], values[3])

    def contested_at(self, parent: bytes) -> int:
        return self.contested.get(parent, 0)

    def claim_record(self, claim: bytes) -> ClaimRecord:
        return self.claims.get(claim, ClaimRecord(0, 0))

    def confirmed_batch(self) -> int:
        return self.head

    def void_batch(self, batch: int) -> bool:
        return batch in self.batches and self.batches[batch].is_void

    def is_at_rest(self, root: bytes, witness: object) -> bool:
        assert isinstance(witness, DisputedStep)
        if len(witness.machine) != MACHINE_BYTES:
            raise Refused("traces: wrong machine length")
        if root_of_state(witness.machine, witness.roots) != root:
            raise Refused("traces: machine of another state")
        return read(witness.machine, BATCH_HASH) == ZERO

    def prove_step(self, root: bytes, witness: object) -> bytes:
        assert isinstance(witness, DisputedStep)
        if root_of_state(witness.machine, witness.roots) != root:
            raise Refused("toy_rollup: of another state")
        if witness.given != b"input":
            raise Refused("toy_rollup: nothing to read")
        is_boot = read(witness.machine, BATCH_HASH) == ZERO
        if is_boot and (witness.leaves or witness.proofs):
            raise Refused("toy_rollup: BOOT touches no leaf")
        if not is_boot and (witness.leaves, witness.proofs) != (b"leaves", b"proofs"):
            raise Refused("toy_rollup: not the leaves of the step")
        batch = number(witness.machine, (1, 8)) + is_boot
        return root_of_state(self.batches[batch].after(witness.machine), witness.roots)


class ParityWorld(DisputeWorld):
    """Every call goes to both; `outcomes` counts what became of it, "" where it was taken."""

    def __init__(self, **terms: int) -> None:
        self.answers = ToyAnswers()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._encoded: dict[tuple[str, bytes], tuple[object, bytes]] = {}
        super().__init__(Pyrevm(), None, **terms)
        python = DisputeTerms(**msgspec.structs.asdict(self.terms))
        self.game = Game(python, self.answers, INSURANCE)
        self.disputes = {self.dispute: (self.parent, self.contested_at)}

    def tell(self, function: Function, *values: object) -> None:
        super().tell(function, *values)
        self.answers.hear(function, *values)

    def contest(self) -> None:
        super().contest()
        if hasattr(self, "disputes"):
            self.disputes[self.dispute] = (self.parent, self.contested_at)

    # --- calls ---

    def both(
        self,
        name: str,
        data: bytes,
        twin: Callable[[Call], object],
        sender: bytes,
        value: int = 0,
        to: bytes | None = None,
    ) -> bool:
        """Whether both take it. They must agree, give the same reason, and show the same after."""
        called_by = self.rollup if to else sender
        call = Call(
            sender=called_by, now=self.engine.time, value=value, base_fee=self.engine.gas_price
        )
        said, python = "", ""
        try:
            self.engine.send(to or self.address, data, sender=sender, value=value)
        except Reverted as reverted:
            assert reverted.reason is not None, (name, str(reverted))
            said = reverted.reason
        try:
            twin(call)
        except Refused as refused:
            python = refused.reason
        assert said == python, f"{name}: L1 says {said!r}, Python {python!r}"
        self.outcomes[name, said] += 1
        self.compare()
        return said == ""

    def compare(self) -> None:
        """Every view of the contract is the twin's."""
        ledger = self.game.ledger
        assert self.engine.balance(self.address) == ledger.balance
        for dispute, (parent, contested_at) in self.disputes.items():
            self._same(views.DISPUTE, ledger.disputes.get(dispute), dispute)
            found = self.game.result(parent, contested_at, self.engine.time)
            said = self.read(views.RESULT, parent, contested_at)
            assert (int(said.status), said.claim, said.entry) == (int(found[0]), *found[1:])
        for entry, record in ledger.entries.items():
            self._same(views.ENTRY, record, entry)
        for match, play in ledger.matches.items():
            self._same(views.MATCH_OF, play, match)
        for account in (INSURANCE, *PEOPLE):
            self._same_word(ledger.credits.get(account, 0), views.CREDITS, account)
        for (match, side, mover), amount in ledger.earned.items():
            self._same_word(amount, views.EARNED, match, side, mover)

    def _same_word(self, expected: int, view: View[int], *key: object) -> None:
        said = self.engine.call(self.address, view.call(*key))
        assert int.from_bytes(said, "big") == expected, f"{view.function.name}: not {expected}"

    def _same(self, view: View[Any], expected: msgspec.Struct | None, key: bytes) -> None:
        """What L1 answers, byte for byte."""
        said = self.engine.call(self.address, view.call(key))
        if expected is None:
            assert not any(said)
            return
        kept = self._encoded.get((view.function.name, key))
        if kept is None or kept[0] is not expected:
            data = encode(view.function.outputs, msgspec.structs.astuple(expected))
            kept = self._encoded[view.function.name, key] = (expected, data)
        assert said == kept[1], f"{view.function.name}: {view.answer(said)} is not {expected}"

    # --- the verbs, each on both ---

    def claimed(self, trace: ToyTrace) -> ClaimedOutput:
        return ClaimedOutput(
            parent=self.parent,
            claim=trace.claim(self.parent),
            parent_root=root_of_state(self.before),
            state_root=root_of_state(trace.last),
            steps=number(trace.last, STEP),
        )

    def try_enter(
        self, trace: ToyTrace, sender: bytes, value: int, changes: Mapping[str, Any]
    ) -> None:
        left, right = trace.children(trace.height, 0)
        shown: dict[str, Any] = {
            "trace_root": trace.root,
            "left": left,
            "right": right,
            "first": trace.leaves[0],
            "first_branch": trace.branch(0),
            "last_branch": trace.branch(len(trace.leaves) - 1),
        }
        shown |= changes
        data = toy_calls.enter(trace, self.grandparent, self.parent_output, **changes)
        claimed = self.claimed(trace)
        taken = self.both(
            "enter", data, lambda call: self.game.enter(call, claimed, **shown), sender, value
        )
        self._remember(taken, trace)

    def try_enter_published(
        self, trace: ToyTrace, sender: bytes, value: int, leaves: list[bytes]
    ) -> None:
        data = toy_calls.enter_published(trace, self.grandparent, self.parent_output, leaves=leaves)
        claimed = self.claimed(trace)

        def twin(call: Call) -> None:
            self.game.enter_published(call, claimed, leaves=leaves)

        self._remember(self.both("enter_published", data, twin, sender, value), trace)

    def _remember(self, taken: bool, trace: ToyTrace) -> None:
        if taken:
            entry = entry_id(dispute_id(self.parent, self.contested_at), trace.root)
            assert self.game.entry(entry) != NO_ENTRY
            self.entries[entry] = Entry(entry, trace, trace.claim(self.parent))

    def try_advance(self, match: bytes, shown: Mapping[str, bytes], sender: bytes) -> None:
        self.both(
            "advance",
            disputes.advance(match=match, **shown),
            lambda call: self.game.advance(call, match, **shown),
            sender,
        )

    def try_settle(
        self, match: bytes, step: DisputedStep, children: tuple[bytes, bytes], sender: bytes
    ) -> None:
        left, right = children
        self.both(
            "settle",
            disputes.settle(match=match, step=step, left=left, right=right),
            lambda call: self.game.settle(call, match, shown(step), left, right),
            sender,
        )

    def try_refute(
        self, entry: bytes, step: DisputedStep, known: Mapping[str, Any], sender: bytes
    ) -> None:
        self.both(
            "refute",
            disputes.refute(entry=entry, step=step, **known),
            lambda call: self.game.refute(call, entry, step=shown(step), **known),
            sender,
        )

    def try_time_out(self, match: bytes, children: tuple[bytes, bytes], sender: bytes) -> None:
        left, right = children
        self.both(
            "time_out",
            disputes.time_out(match=match, left=left, right=right),
            lambda call: self.game.time_out(call, match, left, right),
            sender,
        )

    def try_collect(self, match: bytes, sender: bytes) -> None:
        self.both(
            "collect",
            disputes.collect(match),
            lambda call: self.game.collect(call, match),
            sender,
        )

    def try_redeem(self, entry: bytes, sender: bytes) -> None:
        self.both("redeem", disputes.redeem(entry), lambda _: self.game.redeem(entry), sender)

    def try_withdraw(self, sender: bytes) -> None:
        self.both("withdraw", disputes.withdraw(), self.game.withdraw, sender)

    def try_forfeited(self, dispute: bytes, caller: bytes, value: int) -> None:
        parent, contested_at = self.disputes[dispute]
        data = FORFEIT.encode(parent, contested_at, caller)

        def twin(call: Call) -> None:
            self.game.forfeited(call, parent, contested_at, caller)

        self.both("forfeited", data, twin, PEOPLE[0], value, to=self.rollup)

    # --- what there is ---

    def open_matches(self) -> list[bytes]:
        found = self.game.ledger.matches
        return [match for match, play in found.items() if play.status == MatchStatus.OPEN]

    def sides(self, match: bytes) -> tuple[Entry, Entry]:
        play = self.game.ledger.matches[match]
        assert match == match_id(play.one, play.two)
        return self.entries[play.one], self.entries[play.two]


def shown(step: DisputedStep) -> Shown:
    """The step as the twin is shown it; the witness is all of it."""
    return Shown(previous=step.previous, previous_branch=step.previous_branch, witness=step)
