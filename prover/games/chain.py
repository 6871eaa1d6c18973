"""L1 as a game has it: the rollup, the contract of disputes, and blocks that can be undone."""

from msgspec import Struct

from prover.dispute import payments
from prover.dispute.ledger import Call, Ledger, Refused, Shown
from prover.dispute.moves import Advance, Collect, Enter, Move, Redeem, Refute, Settle, TimeOut
from prover.dispute.rules import Game
from prover.dispute.settlement import (
    Confirm,
    MakeClaim,
    Reject,
    Reopen,
    SettlementMove,
    VoidBatch,
    Withdraw,
)
from prover.dispute.terms import SettlementTerms
from prover.dispute.views import ResultStatus, dispute_id
from prover.games.lies import Trace
from prover.games.machine import GENESIS, ToyState
from prover.games.rollup import PARENT, ToyRollup, output_of

INSURANCE = b"insurance".rjust(20, b"\0")

GAS: dict[type, int] = {
    Enter: payments.ENTER_GAS,
    Advance: payments.ADVANCE_GAS,
    Settle: payments.SETTLE_GAS,
    Refute: payments.REFUTE_GAS,
    TimeOut: payments.TIME_OUT_GAS,
    Collect: payments.COLLECT_GAS,
}
"""By the table; a claim is paid with its entry, and what settles claims is not counted."""

ENDS = (Settle, Refute, TimeOut)
PAID = (Advance, *ENDS)
"""What a lost bond pays for whoever is right."""


class Transaction(Struct, frozen=True):
    """A move of `sender` for `trace`, to be mined at `due` at the earliest, in seconds."""

    sender: bytes
    move: Move | SettlementMove
    trace: Trace
    due: int


class Snapshot(Struct, frozen=True):
    """All that a block can change."""

    ledger: Ledger
    rollup: ToyRollup
    spent: dict[bytes, int]
    owed: dict[bytes, int]
    received: dict[bytes, int]
    ended_at: int


class Chain:
    """`spent` is the gas of the table of what each sender did, without what was refused since
    another did it first; `owed` the wei by the table for what it did for whoever won, with the
    bonds that come back, `received` what it withdrew.
    `ended_at` is when an entry was ended last.
    """

    def __init__(self, terms: SettlementTerms, rollup: ToyRollup) -> None:
        self.terms = terms
        self.game = Game(terms.dispute, rollup, INSURANCE)
        self.rollup = rollup
        self.spent: dict[bytes, int] = {}
        self.owed: dict[bytes, int] = {}
        self.received: dict[bytes, int] = {}
        self.ended_at = 0

    def snapshot(self) -> Snapshot:
        return Snapshot(
            self.game.ledger.copied(),
            self.rollup.copied(),
            dict(self.spent),
            dict(self.owed),
            dict(self.received),
            self.ended_at,
        )

    def restore(self, taken: Snapshot) -> None:
        """Everything as it was; the snapshot is used up."""
        self.game.ledger = taken.ledger
        self.game.rollup = self.rollup = taken.rollup
        self.spent, self.owed, self.received = taken.spent, taken.owed, taken.received
        self.ended_at = taken.ended_at

    def mine(self, sent: Transaction, now: int, base_fee: int) -> str | None:
        """Take a transaction into a block; why it was refused, None where it was not."""
        move, sender, was_paid = sent.move, sent.sender, self._is_paid()
        try:
            self._perform(sent, now, base_fee)
        except Refused as refused:
            return refused.reason
        gas = GAS.get(type(move), 0)
        self.spent[sender] = self.spent.get(sender, 0) + gas
        if isinstance(move, ENDS):
            self.ended_at = now
        if isinstance(move, PAID):
            self._owe(sender, gas, base_fee)
        elif isinstance(move, Reject):
            self._owe(sender, payments.REJECT_GAS, base_fee)
            if was_paid != self._is_paid():
                winner = self.result(now)[2]
                owner = self.game.entry(winner).owner
                self._owe(owner, self.game.ledger.costs[winner], base_fee)
        elif isinstance(move, Redeem):
            entry = self.game.entry(move.entry)
            if entry.claim == self.rollup.confirmed:
                bond = self.terms.dispute.entry_bond
                self.owed[entry.owner] = self.owed.get(entry.owner, 0) + bond
        return None

    def _owe(self, account: bytes, gas: int, base_fee: int) -> None:
        price = payments.price(gas, base_fee, self.terms.dispute.base_fee_cap)
        self.owed[account] = self.owed.get(account, 0) + price

    def _is_paid(self) -> bool:
        """Whether the winner of the dispute that ran last was paid for its entry."""
        dispute = dispute_id(PARENT, self.rollup.rivals_since)
        found = self.game.ledger.disputes.get(dispute)
        return found is not None and found.paid

    def result(self, now: int) -> tuple[ResultStatus, bytes, bytes]:
        """What the dispute that runs, or ran last, has come to."""
        return self.game.result(PARENT, self.rollup.rivals_since, now)

    def _perform(self, sent: Transaction, now: int, base_fee: int) -> None:
        call = Call(sender=sent.sender, now=now, base_fee=base_fee)
        match sent.move:
            case MakeClaim():
                self.rollup.claim(sent.sender, sent.trace.end, now)
            case VoidBatch():
                self.rollup.void()
            case Confirm():
                status, claim, _ = self.result(now)
                won = claim if status == ResultStatus.WON else None
                self.rollup.confirm(output_of(sent.trace.end).claim, now, won)
            case Reject(claim):
                self.rollup.reject(claim)
                paid = Call(sender=PARENT, now=now, value=self.terms.claim_bond, base_fee=base_fee)
                self.game.forfeited(paid, PARENT, self.rollup.rivals_since, sent.sender)
            case Reopen():
                nobody_won = self.result(now)[0] == ResultStatus.NOBODY_WON
                self.rollup.reopen(now, nobody_won)
            case Withdraw():
                amount = self.game.withdraw(call)
                self.received[sent.sender] = self.received.get(sent.sender, 0) + amount
            case _:
                self._play(sent, call)

    def _play(self, sent: Transaction, call: Call) -> None:
        game, trace = self.game, sent.trace
        match sent.move:
            case Enter():
                enter(game, call, trace)
            case Advance(match=m, left=left, right=right, next_left=low, next_right=high):
                game.advance(call, m, left, right, low, high)
            case Settle(match=m, index=index, previous_branch=branch, left=left, right=right):
                step = _shown(trace.witness(index), branch)
                game.settle(call, m, step, left, right)
            case Refute(entry=entry, index=index, previous_branch=branch) as move:
                game.refute(
                    call,
                    entry,
                    index=index,
                    leaf=move.leaf,
                    leaf_branch=move.leaf_branch,
                    step=_shown(trace.witness(index), branch),
                    left=move.left,
                    right=move.right,
                )
            case TimeOut(match=m, left=left, right=right):
                game.time_out(call, m, left, right)
            case Collect(m):
                game.collect(call, m)
            case Redeem(entry):
                game.redeem(entry)


def enter(game: Game, call: Call, trace: Trace) -> None:
    """Enter a trace as the deployment takes one of its size."""
    claimed, tree = output_of(trace.end), trace.tree
    bonded = Call(
        sender=call.sender, now=call.now, base_fee=call.base_fee, value=game.terms.entry_bond
    )
    if claimed.steps <= game.terms.published_steps:
        game.enter_published(bonded, claimed, leaves=tree.leaves)
        return
    game.enter(bonded, claimed, **tree.ends())


def _shown(witness: ToyState | None, branch: object) -> Shown:
    """Who does not know the state before a step shows another, which proves nothing."""
    known = GENESIS if witness is None else witness
    assert isinstance(branch, list | tuple)
    return Shown(previous=known.root, previous_branch=branch, witness=known)
