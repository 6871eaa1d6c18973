"""One game from its first claim to the last withdrawal, and whether it kept its promises.

In every other game the honest player comes late, but so that it may still enter. No call of it
takes longer than `move_time` to reach L1 for good. In one game in four a censor holds each back
for all of that time. In the others what delays it, a restart, fees that are too high and a
reorganisation that undoes it, come to at most RESTART + SPIKE_DELAY + REORG_DEPTH + SPIKE_DELAY
seconds, of which there is one of each at a time.
"""

from msgspec import Struct

from prover.dispute.ledger import Refused
from prover.dispute.moves import Move
from prover.dispute.seen import standing_of
from prover.dispute.settlement import SettlementMove
from prover.dispute.terms import dispute_seconds, honest_gas
from prover.dispute.views import EntryStatus, MatchStatus
from prover.games.chain import Chain, Snapshot, Transaction
from prover.games.draws import BASE_FEE_CAP, URGENT_LATE_MAX, Beginning, begin
from prover.games.lies import Draw
from prover.games.players import HONEST, URGENT, honest_moves, liar_moves
from prover.games.rollup import BATCH, PARENT, output_of

RESTART = 5
DELAY = 4
SPIKE_DELAY = 12
REORG_DEPTH = 6
QUIET = 50
"""Seconds between two restarts, and between two reorganisations."""

BLOCKS_MAX = 4_000
"""More than any game takes that ends."""


class Outcome(Struct, frozen=True, kw_only=True):
    """`delay` and `gas` of the honest one beside their bounds; `broken` says what was not kept."""

    entries: int
    matches: int
    height: int
    refused: int
    reorgs: int
    restarts: int
    delay: int
    delay_bound: int
    entry_window: int
    gas: int
    gas_bound: int
    broken: list[str]


class Table:
    """A game that is being played."""

    def __init__(self, beginning: Beginning, draw: Draw) -> None:
        self.beginning = beginning
        self.draw = draw
        self.chain = Chain(beginning.terms, beginning.rollup)
        self.now = 0
        self.pool: list[Transaction] = []
        self.sent: set[tuple[int, bytes, Move | SettlementMove, bytes]] = set()
        self.blocks: list[tuple[int, Snapshot, list[Transaction]]] = []
        self.spike_ends = 0
        self.awake_at = 0
        self.is_censored = draw(4) == 0
        self.restarts = self.reorgs = self.refused = 0
        self.last_restart = self.last_reorg = -QUIET

    def run(self) -> None:
        """Until the batch is confirmed and the honest one has nothing left to do."""
        for _ in range(BLOCKS_MAX):
            self._ask_liars()
            moves = self._ask_honest()
            is_over = self.chain.rollup.confirmed_batch() >= BATCH
            if is_over and not moves and not self._pooled(HONEST):
                return
            self._next_block()
        raise AssertionError("the game does not end")

    def _pooled(self, sender: bytes) -> list[Transaction]:
        return [sent for sent in self.pool if sent.sender == sender]

    def _ask_honest(self) -> list[Move | SettlementMove]:
        """It sends what it is not already waiting for; its memory is what stands on L1."""
        draw = self.draw
        if self._may_go_wrong(self.last_restart) and draw(12) == 0:
            self.last_restart, self.awake_at = self.now, self.now + 1 + draw(RESTART)
            self.restarts += 1
        moves = honest_moves(self.chain, self.beginning.right, self.now)
        if self.now < max(self.awake_at, self._comes_at(moves)):
            return moves
        waiting = self._pooled(HONEST)
        due = max([self.now, *(sent.due for sent in waiting)])
        for move in moves:
            if move not in [sent.move for sent in waiting]:
                due = max(due, self.now + 1 + self._delay())
                self.pool.append(Transaction(HONEST, move, self.beginning.right, due))
        return moves

    def _comes_at(self, moves: list[Move | SettlementMove]) -> int:
        """When the honest one first looks at the batch, or at its parent that is contested."""
        since, late = self.chain.rollup.rivals_since, self.beginning.late
        if since == 0 or any(isinstance(move, URGENT) for move in moves):
            late = min(late, URGENT_LATE_MAX)
        return since + late

    def _may_go_wrong(self, last: int) -> bool:
        return not self.is_censored and self.now - last >= QUIET

    def _delay(self) -> int:
        if self.is_censored:
            return self.beginning.terms.dispute.move_time - 2
        return SPIKE_DELAY if self.now < self.spike_ends else self.draw(DELAY)

    def _ask_liars(self) -> None:
        """Each sends a thing once."""
        since = self.chain.rollup.rivals_since
        standing = standing_of(self.chain.game, PARENT, since, PARENT) if since else None
        for liar in self.beginning.liars:
            for made in liar_moves(self.chain, liar, standing, self.now, self.draw):
                key = (since, made.sender, made.move, made.trace.tree.root)
                if key not in self.sent:
                    self.sent.add(key)
                    self.pool.append(made)

    def _next_block(self) -> None:
        self.now = self._next_time()
        if self.draw(40) == 0:
            self.spike_ends = self.now + 30
        if self._may_go_wrong(self.last_reorg) and self.draw(20) == 0:
            self._reorganise()
        ready = [sent for sent in self.pool if sent.due <= self.now]
        if ready:
            before = self.chain.snapshot()
            self.pool = [sent for sent in self.pool if sent.due > self.now]
            ready = self._ordered(ready)
            for sent in ready:
                reason = self.chain.mine(sent, self.now, self._base_fee())
                self.refused += reason is not None
            self.blocks = [block for block in self.blocks if block[0] >= self.now - REORG_DEPTH]
            self.blocks.append((self.now, before, ready))

    def _base_fee(self) -> int:
        return 3 * BASE_FEE_CAP if self.now < self.spike_ends else 1 + self.draw(BASE_FEE_CAP)

    def _next_time(self) -> int:
        """The next second in which something is due, or in which somebody may do more."""
        chain, terms = self.chain, self.beginning.terms.dispute
        since = chain.rollup.rivals_since
        times = [max(sent.due, self.now + 1) for sent in self.pool]
        late = self.beginning.late
        times += [self.awake_at, since + late, since + min(late, URGENT_LATE_MAX)]
        if since:
            times.append(since + terms.entry_window + 1)
            standing = standing_of(chain.game, PARENT, since, PARENT)
            open_ones = (m for m in standing.matches.values() if m.status == MatchStatus.OPEN)
            times += [standing.turn_ends_at(m) + 1 for m in open_ones]
        times += [made + chain.rollup.claim_window for made, _ in chain.rollup.made.values()]
        return min((time for time in times if time > self.now), default=self.now + 1)

    def _ordered(self, ready: list[Transaction]) -> list[Transaction]:
        """In any order, but each sender's in their own."""
        queues: dict[bytes, list[Transaction]] = {}
        for sent in ready:
            queues.setdefault(sent.sender, []).append(sent)
        ordered = []
        while queues:
            names = list(queues)
            name = names[self.draw(len(names))]
            ordered.append(queues[name].pop(0))
            if not queues[name]:
                del queues[name]
        return ordered

    def _reorganise(self) -> None:
        """The last blocks never were. What was in them comes again later, or is lost, and then so
        is all that its sender sent after it.
        """
        undone = [block for block in self.blocks if block[0] > self.now - REORG_DEPTH]
        if not undone:
            return
        self.last_reorg = self.now
        self.reorgs += 1
        self.blocks = [block for block in self.blocks if block not in undone]
        self.chain.restore(undone[0][1])
        lost: set[bytes] = set()
        again: list[Transaction] = []
        for sent in [sent for _, _, mined in undone for sent in mined] + self.pool:
            if sent.due <= self.now and self.draw(4) == 0:
                lost.add(sent.sender)
            if sent.sender not in lost:
                again.append(self._later(sent))
        self.pool = again
        self.sent = {key for key in self.sent if key[1] not in lost}

    def _later(self, sent: Transaction) -> Transaction:
        if sent.due > self.now:
            return sent
        return Transaction(sent.sender, sent.move, sent.trace, self.now + self.draw(DELAY))


def play(draw: Draw) -> Outcome:
    """A game of which all chance comes from `draw`."""
    return judge(Table(begin(draw), draw))


def judge(table: Table) -> Outcome:
    """Play it to its end, and hold it to its promises."""
    broken: list[str] = []
    try:
        table.run()
    except (AssertionError, Refused) as fault:
        broken.append(f"{fault}")
    chain, terms = table.chain, table.beginning.terms.dispute
    ledger = chain.game.ledger
    since = chain.rollup.rivals_since
    standing = standing_of(chain.game, PARENT, since, HONEST)
    # In its last second the window is still open.
    delay = max(terms.entry_window, chain.ended_at - since - 1) if since else 0
    outcome = Outcome(
        entries=len(ledger.entries),
        matches=len(ledger.matches),
        height=terms.height,
        refused=table.refused,
        reorgs=table.reorgs,
        restarts=table.restarts,
        delay=delay,
        delay_bound=dispute_seconds(terms, standing.dispute.entries),
        entry_window=terms.entry_window,
        gas=chain.spent.get(HONEST, 0),
        gas_bound=honest_gas(terms, standing.dispute.entries),
        broken=broken,
    )
    broken += _faults(table, outcome)
    return outcome


def _faults(table: Table, outcome: Outcome) -> list[str]:
    """Every promise that was not kept."""
    chain, right = table.chain, table.beginning.right
    ledger, claim = chain.game.ledger, output_of(right.end).claim
    alive = [
        e
        for e in ledger.entries.values()
        if e.status in (EntryStatus.WAITING, EntryStatus.IN_MATCH)
    ]
    won = [e.trace_root for e in ledger.entries.values() if e.status != EntryStatus.LOST]
    received, owed = chain.received.get(HONEST, 0), chain.owed.get(HONEST, 0)
    promises = (
        (chain.rollup.confirmed == claim, "another claim than the right one has confirmed"),
        (all(root == right.tree.root for root in won), "another trace than the right one has won"),
        (outcome.delay <= outcome.delay_bound, f"{outcome.delay} s, above {outcome.delay_bound}"),
        (outcome.gas <= outcome.gas_bound, f"{outcome.gas} gas, above {outcome.gas_bound}"),
        (received == owed, f"the honest one got {received} wei, and {owed} are owed to it"),
        (not [e for e in alive if e.owner == HONEST], "a bond of the honest one was left behind"),
    )
    return [told for kept, told in promises if not kept]
