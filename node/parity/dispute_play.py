"""A dispute on a local L1, call by call, each of them measured."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from contracts import calls, dispute_views, disputes, views
from contracts.dispute_events import MatchedLog, decode_log
from contracts.dispute_views import MatchStatus
from node.parity.disputed_venue import PARAMETERS, TERMS, DisputedVenue, PlayedBatch, claim_call
from node.parity.local_l1 import Charge
from prover.dispute.trace_tree import TRACE_HEIGHT, TraceTree
from prover.dispute.views import dispute_id, entry_id
from state.batch import Output, claim_id, encode_output, output_hash
from state.commitment import state_root
from state.crypto import ZERO_HASH, keccak

HONEST, LIAR, OTHER = "ivan", "erin", "dave"


class Side(Struct, frozen=True, kw_only=True):
    """Somebody's claim and trace. `leaves` are without the padding."""

    who: str
    output: Output
    roots: tuple[bytes, bytes, bytes]
    leaves: Sequence[bytes]
    tree: TraceTree


def honest_side(played: PlayedBatch) -> Side:
    """What the batch led to."""
    tree = TraceTree(played.leaves)
    return Side(
        who=HONEST, output=played.output, roots=played.roots, leaves=played.leaves, tree=tree
    )


def lying_side(played: PlayedBatch, at: int, who: str = LIAR) -> Side:
    """Another tree of accounts in the end, and a trace that is right up to leaf `at`."""
    roots = (keccak(b"lie" + played.roots[0]), *played.roots[1:])
    end = state_root(*roots, keccak(played.machine))
    lies = [keccak(who.encode() + leaf) for leaf in played.leaves[at:-1]]
    leaves = [*played.leaves[:at], *lies, end]
    output = replace(played.output, state_root=end)
    return Side(who=who, output=output, roots=roots, leaves=leaves, tree=TraceTree(leaves))


class PlayedDispute:
    """The dispute about one batch. Charges are kept by name, the dearest of each."""

    def __init__(self, venue: DisputedVenue, played: PlayedBatch) -> None:
        self.venue, self.l1, self.played = venue, venue.l1, played
        self.charges: dict[str, Charge] = {}
        self.honest_calls = self.honest_gas = self.honest_charged = 0
        self.match = b""

    def _keep(self, name: str, who: str, charge: Charge) -> None:
        kept = self.charges.get(name)
        if kept is None or charge.gas > kept.gas:
            self.charges[name] = charge
        if who == HONEST:
            self.honest_calls += 1
            self.honest_gas += charge.gas
            self.honest_charged += charge.charged

    def to_rollup(self, name: str, who: str, data: bytes, value: int = 0) -> None:
        """Call the rollup."""
        self._keep(name, who, self.venue.send(who, data, value))

    def to_disputes(self, name: str, who: str, data: bytes, value: int = 0) -> None:
        """Call the contract of disputes; a match that begins is the one played from then on."""
        self._keep(name, who, self.l1.send(who, self.venue.disputes, data, value))
        for log in self.l1.logs:
            found = decode_log(log.topics, log.data)
            if isinstance(found, MatchedLog):
                self.match = found.match

    # --- claims and entries ---

    @property
    def contested_at(self) -> int:
        """Seconds of L1, 0 while nobody contests the batch."""
        return self.l1.read(self.venue.rollup, views.CONTESTED_AT, self.played.parent_claim)

    def entry(self, side: Side) -> bytes:
        """The name of a side's entry."""
        dispute = dispute_id(self.played.parent_claim, self.contested_at)
        return entry_id(dispute, side.tree.root)

    def claim(self, name: str, side: Side) -> None:
        """Say so under bond."""
        data = claim_call(self.played, side.output)
        self.to_rollup(name, side.who, data, PARAMETERS.claim_bond)

    def enter(self, name: str, side: Side, *, published: bool = False) -> None:
        """Enter the side's trace, hidden or with all its roots."""
        common = {
            "grandparent": self.played.grandparent,
            "parent_output": encode_output(self.played.parent),
            "output": encode_output(side.output),
            "machine": self.played.machine,
            "roots": side.roots,
        }
        if published:
            data = disputes.enter_published(**common, leaves=side.leaves)  # type: ignore[arg-type]
        else:
            data = disputes.enter(**common, **side.tree.ends())  # type: ignore[arg-type]
        self.to_disputes(name, side.who, data, TERMS.entry_bond)

    # --- a match ---

    def advance(self, side: Side) -> None:
        """The next move of `side`, whose turn it is."""
        paired = self.l1.read(self.venue.disputes, dispute_views.MATCH_OF, self.match)
        tree, height, index = side.tree, paired.height, paired.index
        left, right = tree.children(height, index)
        below = 2 * index if left != paired.left else 2 * index + 1
        following = tree.children(height - 1, below) if height > 1 else (ZERO_HASH, ZERO_HASH)
        data = disputes.advance(
            match=self.match,
            left=left,
            right=right,
            next_left=following[0],
            next_right=following[1],
        )
        self.to_disputes("advance", side.who, data)

    def descend(self, one: Side, two: Side) -> None:
        """All moves, `one` being who waited."""
        for height in range(TRACE_HEIGHT, 0, -1):
            self.advance(one if (TRACE_HEIGHT - height) % 2 == 0 else two)

    def settle(self, name: str, side: Side, index: int) -> None:
        """Have L1 take the step that the match has come down to."""
        left, right = side.tree.children(TRACE_HEIGHT, 0)
        step = self.venue.disputed(self.played, index, side.tree)
        data = disputes.settle(match=self.match, step=step, left=left, right=right)
        ended = self.match
        self.to_disputes(name, side.who, data)
        self._check_ended(ended)

    def time_out(self, name: str, side: Side) -> None:
        """End the match, in which the other one is late."""
        # No clock runs before the last entry can have been made.
        self.l1.wait(TERMS.entry_window + TERMS.clock + TERMS.move_time)
        left, right = side.tree.children(TRACE_HEIGHT, 0)
        ended = self.match
        self.to_disputes(name, side.who, disputes.time_out(match=ended, left=left, right=right))
        self._check_ended(ended)

    def refute(self, name: str, side: Side, liar: Side, index: int) -> None:
        """Show that leaf `index` of a liar's trace is wrong."""
        left, right = side.tree.children(TRACE_HEIGHT, 0)
        data = disputes.refute(
            entry=self.entry(liar),
            index=index,
            leaf=liar.tree.leaf(index),
            leaf_branch=liar.tree.branch(index),
            step=self.venue.disputed(self.played, index, liar.tree),
            left=left,
            right=right,
        )
        self.to_disputes(name, side.who, data)

    def _check_ended(self, match: bytes) -> None:
        status = self.l1.read(self.venue.disputes, dispute_views.MATCH_OF, match).status
        assert status in (MatchStatus.ONE_WON, MatchStatus.TWO_WON), status.name

    # --- the end ---

    def conclude(self, side: Side, losers: Sequence[Output], matches: Sequence[bytes]) -> None:
        """Confirm the claim of `side`, reject all others, and have everything that is due."""
        parent, entry = self.played.parent_claim, self.entry(side)
        self.l1.wait(TERMS.entry_window)
        confirm = calls.confirm(parent_claim=parent, output_hash=output_hash(side.output))
        self.to_rollup("confirm", side.who, confirm)
        for at, output in enumerate(losers):
            reject = calls.reject(parent_claim=parent, output_hash=output_hash(output))
            self.to_rollup("reject, the first" if at == 0 else "reject", side.who, reject)
        for match in matches:
            self.to_disputes("collect", side.who, disputes.collect(match))
        self.to_disputes("redeem", side.who, disputes.redeem(entry))
        self.to_disputes("withdraw", side.who, disputes.withdraw())
        self.to_rollup("withdraw the claim's bond", side.who, calls.claim_bond_withdraw())
        confirmed = self.l1.read(self.venue.rollup, views.CONFIRMED_HEAD)
        assert confirmed.claim == claim_id(parent, side.output)
