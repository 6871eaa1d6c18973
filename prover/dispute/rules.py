"""The rules of disputes: the twin of contracts/disputes.vy, function by function.

What the rollup answers is passed in, and so is the sender, time and base fee of each call. That
an output belongs to its state root is checked by who makes a `ClaimedOutput`.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from prover.dispute import entries, matches, payments
from prover.dispute.entries import ClaimedOutput
from prover.dispute.ledger import CLAIM_CONFIRMED, Call, Ledger, Refused, Rollup, Shown, require
from prover.dispute.standing import Entered
from prover.dispute.terms import DisputeTerms
from prover.dispute.trace_tree import TraceTree, root_of
from prover.dispute.views import (
    EntryStatus,
    EntryView,
    MatchStatus,
    ResultStatus,
    dispute_id,
)
from state.crypto import keccak

__all__ = ["Call", "ClaimedOutput", "Game", "Refused", "Rollup", "Shown"]


P = ParamSpec("P")
R = TypeVar("R")


def _whole(method: Callable[Concatenate["Game", P], R]) -> Callable[Concatenate["Game", P], R]:
    """A call: all of it, or where it is refused nothing. The money adds up after it."""

    @wraps(method)
    def call(game: "Game", /, *args: P.args, **kwargs: P.kwargs) -> R:
        before = game.ledger.copied()
        try:
            answer = method(game, *args, **kwargs)
        except Refused:
            game.ledger = before
            raise
        game.check_conserved()
        return answer

    return call


class Game:
    """The contract: a call that is refused changes nothing, and after each that is taken

    balance = live bonds + earned and not collected + credits.
    """

    def __init__(self, terms: DisputeTerms, rollup: Rollup, insurance: bytes) -> None:
        dearest = payments.dearest_match(terms.height, terms.base_fee_cap)
        require(terms.entry_bond >= dearest, "disputes: bond is below the dearest match")
        self.terms = terms
        self.rollup = rollup
        self.ledger = Ledger(insurance=insurance)

    @_whole
    def enter(
        self,
        call: Call,
        claimed: ClaimedOutput,
        *,
        trace_root: bytes,
        left: bytes,
        right: bytes,
        first: bytes,
        first_branch: Sequence[bytes],
        last_branch: Sequence[bytes],
    ) -> None:
        """Enter a trace for a claim, under a bond of exactly `entry_bond`."""
        contested_at = entries.check_claimed(self.terms, self.rollup, call, claimed)
        may_hide = claimed.steps > self.terms.published_steps
        require(may_hide, "disputes: roots must be published")
        require(keccak(left + right) == trace_root, "disputes: children of another root")
        root = self._root_of(0, first, first_branch)
        require(root == trace_root, "disputes: first leaf of another trace")
        root = self._root_of((1 << self.terms.height) - 1, claimed.state_root, last_branch)
        require(root == trace_root, "disputes: last leaf of another trace")
        shown = (trace_root, left, right, first, first_branch)
        self._begin(call, claimed, contested_at, payments.ENTER_GAS, *shown)

    @_whole
    def enter_published(
        self, call: Call, claimed: ClaimedOutput, *, leaves: Sequence[bytes]
    ) -> None:
        """Enter a trace by all its roots, without the padding; they are logged."""
        contested_at = entries.check_claimed(self.terms, self.rollup, call, claimed)
        is_whole = len(leaves) == claimed.steps and len(leaves) <= 1 << self.terms.height
        require(is_whole, "disputes: not one root a step")
        require(leaves[-1] == claimed.state_root, "disputes: last leaf of another trace")
        tree = TraceTree(leaves, self.terms.height)
        cost = payments.ENTER_GAS + len(leaves) * payments.LEAF_GAS
        shown = (tree.root, *tree.children(tree.height, 0), leaves[0], tree.branch(0))
        entry = self._begin(call, claimed, contested_at, cost, *shown)
        self.ledger.published[entry] = tuple(leaves)

    @_whole
    def advance(
        self,
        call: Call,
        match: bytes,
        left: bytes,
        right: bytes,
        next_left: bytes,
        next_right: bytes,
    ) -> None:
        """Move for the side whose turn it is; see matches.py."""
        shown = (left, right, next_left, next_right)
        matches.advance(self.ledger, self.terms, call, match, *shown)

    @_whole
    def settle(self, call: Call, match: bytes, step: Shown, left: bytes, right: bytes) -> None:
        """End a match that is down to one step, by taking it. The children are those of the trace
        root of who wins.
        """
        m = matches.open_match(self.ledger, match)
        require(m.height == 0, "disputes: not down to one step")
        root = self._after((m.one, m.two), m.index, step)
        status = MatchStatus.BOTH_LOST
        if root == m.left:
            status = MatchStatus.ONE_WON
        elif root == m.right:
            status = MatchStatus.TWO_WON
        price = self._price(call, payments.SETTLE_GAS)
        matches.end(self.ledger, self.terms, call, match, status, price, left, right)

    @_whole
    def refute(
        self,
        call: Call,
        entry: bytes,
        *,
        index: int,
        leaf: bytes,
        leaf_branch: Sequence[bytes],
        step: Shown,
        left: bytes,
        right: bytes,
    ) -> None:
        """End an entry by a leaf that is not what the step before it leads to. The children are
        those of the trace root of its opponent, if there is one.
        """
        found = self.entry(entry)
        is_alive = found.status in (EntryStatus.WAITING, EntryStatus.IN_MATCH)
        require(is_alive, "disputes: entry is not alive")
        require(not self._is_settled(found), "disputes: batch is settled")
        root = self._root_of(index, leaf, leaf_branch)
        require(root == found.trace_root, "disputes: leaf of another trace")
        require(self._after((entry,), index, step) != leaf, "disputes: leaf is right")
        price = self._price(call, payments.REFUTE_GAS)
        if found.status == EntryStatus.IN_MATCH:
            m = matches.open_match(self.ledger, found.match)
            status = MatchStatus.TWO_WON if m.one == entry else MatchStatus.ONE_WON
            matches.end(self.ledger, self.terms, call, found.match, status, price, left, right)
        else:
            entries.lose(self.ledger, entry)
            self.ledger.credit(call.sender, price)
            self.ledger.credit(self.ledger.insurance, self.terms.entry_bond - price)

    @_whole
    def time_out(self, call: Call, match: bytes, left: bytes, right: bytes) -> None:
        """End a match that is late; the children are those of the winner's trace root, if any."""
        matches.time_out(self.ledger, self.terms, call, match, left, right)

    @_whole
    def collect(self, call: Call, match: bytes) -> None:
        """Credit the caller for their moves for the side that won."""
        matches.collect(self.ledger, call, match)

    @_whole
    def redeem(self, entry: bytes) -> None:
        """Credit the bond of the winner's entry to its owner, once its claim has confirmed. What
        waits in a dispute that can confirm nothing any more goes to the insurance fund.
        """
        found = self.entry(entry)
        require(found.status == EntryStatus.WAITING, "disputes: entry is not waiting")
        require(self._is_settled(found), "disputes: batch is not settled")
        entries.set_status(self.ledger, entry, EntryStatus.REDEEMED)
        if self.rollup.claim_record(found.claim).status == CLAIM_CONFIRMED:
            self.ledger.credit(found.owner, self.terms.entry_bond)
        else:
            entries.leave(self.ledger, entry)
            self.ledger.credit(self.ledger.insurance, self.terms.entry_bond)

    @_whole
    def forfeited(self, call: Call, parent: bytes, contested_at: int, caller: bytes) -> None:
        """Take the bond of a claim that was rejected. It pays who rejected it, once a dispute who
        entered the winner, and the insurance fund.
        """
        self.ledger.balance += call.value
        price = min(self._price(call, payments.REJECT_GAS), call.value)
        self.ledger.credit(caller, price)
        left_over = call.value - price
        status, _, winner = self.result(parent, contested_at, call.now)
        dispute = dispute_id(parent, contested_at)
        if status == ResultStatus.WON and not self.ledger.disputes[dispute].paid:
            entries.set_paid(self.ledger, dispute)
            price = min(self._price(call, self.ledger.costs[winner]), left_over)
            self.ledger.credit(self.entry(winner).owner, price)
            left_over -= price
        self.ledger.credit(self.ledger.insurance, left_over)

    @_whole
    def withdraw(self, call: Call) -> int:
        """Send the caller their credits; how much that was, in wei."""
        amount = self.ledger.credits.get(call.sender, 0)
        require(amount > 0, "payments: nothing to withdraw")
        self.ledger.credits[call.sender] = 0
        self.ledger.balance -= amount
        return amount

    def result(
        self, parent: bytes, contested_at: int, now: int
    ) -> tuple[ResultStatus, bytes, bytes]:
        """What a dispute has come to: its status, and where one has won the claim and its entry."""
        return entries.result(self.ledger, self.terms, parent, contested_at, now)

    def entry(self, entry: bytes) -> EntryView:
        """What is kept of an entry; all zero where there is none."""
        return self.ledger.entries.get(entry, entries.NO_ENTRY)

    def check_conserved(self) -> None:
        """balance = live bonds + earned and not collected + credits"""
        alive = (EntryStatus.WAITING, EntryStatus.IN_MATCH)
        live = sum(entry.status in alive for entry in self.ledger.entries.values())
        earned = sum(
            m.earned_one if m.status == MatchStatus.ONE_WON else m.earned_two
            for m in self.ledger.matches.values()
            if m.status in matches.WON_BY
        )
        held = live * self.terms.entry_bond + earned + sum(self.ledger.credits.values())
        assert held == self.ledger.balance, f"{held} wei are owed of {self.ledger.balance}"

    def _begin(
        self,
        call: Call,
        claimed: ClaimedOutput,
        contested_at: int,
        cost: int,
        trace_root: bytes,
        left: bytes,
        right: bytes,
        first: bytes,
        first_branch: Sequence[bytes],
    ) -> bytes:
        """Log what anybody needs to pair or refute the entry later, and pair it."""
        batch = self.rollup.claim_record(claimed.claim).batch
        entry = entries.add_entry(
            self.ledger,
            self.terms,
            call,
            claimed,
            contested_at,
            batch,
            trace_root,
            cost,
            is_void=self.rollup.void_batch(batch),
        )
        self.ledger.entered[entry] = Entered(
            entry=entry,
            claim=claimed.claim,
            trace_root=trace_root,
            owner=call.sender,
            left=left,
            right=right,
            first=first,
            first_branch=tuple(first_branch),
        )
        matches.pair(self.ledger, self.terms, call, entry, left, right)
        return entry

    def _after(self, either: Sequence[bytes], index: int, step: Shown) -> bytes:
        """The root that leaf `index` should be, by the leaf before it, which is proven in the
        trace of one of `either`. Behind a machine at rest nothing happens any more, but for the
        step of leaf 0, which is BOOT.
        """
        found = [self.entry(entry) for entry in either]
        if index == 0:
            parent_root = self.ledger.disputes[found[0].dispute].parent_root
            require(step.previous == parent_root, "disputes: not the parent's state")
        else:
            root = self._root_of(index - 1, step.previous, step.previous_branch)
            is_theirs = root in [entry.trace_root for entry in found]
            require(is_theirs, "disputes: step of another trace")
            if self.rollup.is_at_rest(step.previous, step.witness):
                return step.previous
        return self.rollup.prove_step(step.previous, step.witness)

    def _root_of(self, index: int, leaf: bytes, branch: Sequence[bytes]) -> bytes:
        require(index >> self.terms.height == 0, "traces: no such leaf")
        require(len(branch) == self.terms.height, "traces: branch of another height")
        return root_of(index, leaf, branch)

    def _is_settled(self, found: EntryView) -> bool:
        """Whether the confirmed head has reached the batch of an entry."""
        return self.rollup.confirmed_batch() >= self.ledger.disputes[found.dispute].batch

    def _price(self, call: Call, cost: int) -> int:
        return payments.price(cost, call.base_fee, self.terms.base_fee_cap)
