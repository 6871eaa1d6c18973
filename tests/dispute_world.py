"""The contract of disputes over a toy rollup: short verbs, and its books checked each time."""

from typing import Any, TypeVar

import msgspec
import toy_calls
from dispute_contract import creation_code
from evm_engines import Engine, Receipt
from rollup_world import DEPLOYER, MOCKS, person
from toy_machine import HEIGHT, ToyBatch, ToyTrace
from toy_rollup import FORFEIT, SET_DISPUTES, ToyRollup

from contracts import dispute_views as views
from contracts import disputes
from contracts.abi import Function, View
from contracts.compiler import compile_contract
from contracts.dispute_events import CreditedLog, DisputeLog, EnteredLog, MatchedLog, decode_log
from contracts.dispute_views import EntryStatus, MatchStatus
from contracts.disputes import DisputeParameters

T = TypeVar("T")

ETHER = 10**18
GWEI = 10**9

INSURANCE = person("insurance")
HONEST, LIAR, OTHER, WATCHER = person("honest"), person("liar"), person("other"), person("watcher")
PEOPLE = (HONEST, LIAR, OTHER, WATCHER)

TERMS = DisputeParameters(
    height=HEIGHT,
    clock=1_000,
    move_time=100,
    entry_window=5_000,
    entry_bond=ETHER,
    base_fee_cap=50 * GWEI,
    published_steps=0,
)
LIVE = (EntryStatus.WAITING, EntryStatus.IN_MATCH)
WON = {MatchStatus.ONE_WON: 1, MatchStatus.TWO_WON: 2}
"""The side that won, by the status of the match."""

PASS_ON = Function("pass_on", ("address", "bytes"))


class Entry(msgspec.Struct, frozen=True):
    """An entry that the test made: its id, and the trace that it stands for."""

    id: bytes
    trace: ToyTrace
    claim: bytes


class DisputeWorld(ToyRollup):
    """One engine, one toy rollup and one contract of disputes; every verb checks the books."""

    def __init__(self, engine: Engine, batch: ToyBatch | None = None, **terms: int) -> None:
        super().__init__(engine, batch or ToyBatch())
        self.terms = msgspec.structs.replace(TERMS, **terms)
        self.entries: dict[bytes, Entry] = {}
        self.matches: dict[bytes, MatchedLog] = {}
        self._live: set[bytes] = set()
        self._unpaid: set[bytes] = set()
        self.accounts: set[bytes] = {INSURANCE, *PEOPLE}
        self.log: list[DisputeLog] = []
        for somebody in PEOPLE:
            engine.fund(somebody, 1_000 * ETHER)
        code = disputes.deployment(
            creation_code(type(engine)),
            rollup=self.rollup,
            insurance=INSURANCE,
            parameters=self.terms,
        )
        self.address = engine.deploy(code, sender=DEPLOYER)
        self.tell(SET_DISPUTES, self.address)

    # --- chain ---

    def wait(self, seconds: int) -> None:
        """The next transaction runs in the next block, `seconds` later."""
        self.engine.time += seconds
        self.engine.number += 1

    def begin_clocks(self) -> None:
        """Wait until the last second of entries, from which on time is taken from clocks."""
        self.wait(max(0, self.contested_at + self.terms.entry_window - self.engine.time))

    def end_entries(self) -> None:
        """Wait until nobody may enter any more."""
        self.wait(max(0, self.contested_at + self.terms.entry_window + 1 - self.engine.time))

    def send(self, data: bytes, sender: bytes, value: int = 0) -> Receipt:
        """Call the contract; afterwards it must hold exactly what it owes."""
        return self._kept(self.engine.send(self.address, data, sender=sender, value=value))

    def forfeit(self, value: int, caller: bytes = WATCHER, **changes: Any) -> Receipt:
        """The bond of a rejected claim comes in, as the rollup's `reject` sends it."""
        known = {"parent": self.parent, "contested_at": self.contested_at} | changes
        data = FORFEIT.encode(known["parent"], known["contested_at"], caller)
        return self._kept(self.engine.send(self.rollup, data, sender=OTHER, value=value))

    def send_through(self, contract: bytes, data: bytes, value: int = 0) -> Receipt:
        """The same as the mock `bond_receiver`, which passes calls on."""
        passed = PASS_ON.encode(self.address, data)
        return self._kept(self.engine.send(contract, passed, sender=OTHER, value=value))

    def receiver(self) -> bytes:
        """The mock `bond_receiver`, a contract that moves, enters and is paid."""
        code = compile_contract("bond_receiver", MOCKS).creation_code
        contract = self.engine.deploy(code, sender=DEPLOYER)
        self.accounts.add(contract)
        return contract

    def read(self, view: View[T], *values: Any) -> T:
        return view.answer(self.engine.call(self.address, view.call(*values)))

    def _kept(self, receipt: Receipt) -> Receipt:
        for log in self.logs(receipt):
            self.log.append(log)
            if isinstance(log, MatchedLog):
                self.matches[log.match] = log
                self._unpaid.add(log.match)
            if isinstance(log, CreditedLog):
                self.accounts.add(log.account)
        self.check()
        return receipt

    def logs(self, receipt: Receipt) -> list[DisputeLog]:
        """The contract's own logs of a transaction."""
        own = (log for log in receipt.logs if log.address == self.address)
        decoded = [decode_log(log.topics, log.data) for log in own]
        assert None not in decoded
        return [log for log in decoded if log is not None]

    def check(self) -> None:
        """balance = live bonds + earned and not collected + credits"""
        # Whoever has lost or was redeemed never comes back.
        self._live = {entry for entry in self._live if self.entry(entry).status in LIVE}
        owed = len(self._live) * self.terms.entry_bond + self.uncollected()
        owed += sum(map(self.credits, self.accounts))
        assert self.engine.balance(self.address) == owed

    def uncollected(self) -> int:
        """Wei that movers of winning sides have not asked for yet."""
        total = 0
        for match in list(self._unpaid):
            status = self.match(match).status
            if status == MatchStatus.OPEN:
                continue
            side = WON.get(status, 0)
            left = sum(self.read(views.EARNED, match, side, who) for who in self.accounts)
            total += left
            if left == 0:
                # Nothing is earned in a match that is over.
                self._unpaid.remove(match)
        return total

    def entry(self, entry: bytes) -> views.EntryRecord:
        return self.read(views.ENTRY, entry)

    def match(self, match: bytes) -> views.MatchRecord:
        return self.read(views.MATCH_OF, match)

    def credits(self, account: bytes) -> int:
        return self.read(views.CREDITS, account)

    def result(self) -> views.DisputeResult:
        return self.read(views.RESULT, self.parent, self.contested_at)

    # --- entries ---

    def enter(
        self, trace: ToyTrace, sender: bytes = LIAR, value: int | None = None, **changes: Any
    ) -> Entry:
        """Enter a trace for the claim of its output, which is made if it is not there."""
        self.claim(trace)
        return self.send_entry(trace, sender, value, **changes)

    def send_entry(
        self, trace: ToyTrace, sender: bytes, value: int | None = None, **changes: Any
    ) -> Entry:
        """The same with the claim as it stands."""
        data = toy_calls.enter(trace, self.grandparent, self.parent_output, **changes)
        return self.entered(trace, data, sender, value)

    def enter_through(self, contract: bytes, trace: ToyTrace) -> Entry:
        """Enter a trace as the mock `bond_receiver`."""
        self.claim(trace)
        data = toy_calls.enter(trace, self.grandparent, self.parent_output)
        passed = PASS_ON.encode(self.address, data)
        return self.entered(trace, passed, OTHER, to=contract)

    def enter_published(self, trace: ToyTrace, sender: bytes = LIAR, **changes: Any) -> Entry:
        """Enter a trace with all its roots."""
        self.claim(trace)
        data = toy_calls.enter_published(trace, self.grandparent, self.parent_output, **changes)
        return self.entered(trace, data, sender)

    def entered(
        self,
        trace: ToyTrace,
        data: bytes,
        sender: bytes,
        value: int | None = None,
        to: bytes | None = None,
    ) -> Entry:
        """What `data` enters, by a bond of `value`."""
        bond = self.terms.entry_bond if value is None else value
        receipt = self.engine.send(to or self.address, data, sender=sender, value=bond)
        (made,) = (log for log in self.logs(receipt) if isinstance(log, EnteredLog))
        entry = Entry(made.entry, trace, made.claim)
        self.entries[entry.id] = entry
        self._live.add(entry.id)
        self._kept(receipt)
        return entry

    def alive(self) -> list[Entry]:
        """Entries that have not lost, in the order in which they came."""
        return [entry for entry in self.entries.values() if self.entry(entry.id).status in LIVE]

    # --- matches ---

    def match_of(self, entry: Entry) -> bytes:
        """The match that an entry is in."""
        found = self.entry(entry.id)
        assert found.status == EntryStatus.IN_MATCH
        return found.match

    def mover(self, match: bytes) -> Entry:
        found = self.match(match)
        return self.entries[found.one if found.mover == 1 else found.two]

    def advance(self, match: bytes, sender: bytes = HONEST, **changes: bytes) -> Receipt:
        """The next move of whose turn it is, as its trace has it but for `changes`."""
        return self.send(self.next_move(match, **changes), sender)

    def next_move(self, match: bytes, **changes: bytes) -> bytes:
        """Its calldata."""
        return toy_calls.advance(match, self.match(match), self.mover(match).trace, **changes)

    def descend(self, match: bytes, *, seconds: int = 1, sender: bytes = HONEST) -> int:
        """Both sides move until the match is sealed, `seconds` a move; the leaf that differs."""
        while self.match(match).height > 0:
            self.wait(seconds)
            self.advance(match, sender)
        return self.match(match).index

    def settle(self, match: bytes, winner: Entry, sender: bytes = HONEST, **step: Any) -> Receipt:
        """Show the step that a sealed match came down to, by the trace of the winner."""
        index = self.match(match).index
        return self.send(toy_calls.settle(match, index, winner.trace, **step), sender)

    def fight(self, match: bytes, winner: Entry, sender: bytes = HONEST) -> Receipt:
        """Descend and settle."""
        self.descend(match, sender=sender)
        return self.settle(match, winner, sender)

    def refute(self, entry: Entry, index: int, sender: bytes = HONEST, **step: Any) -> Receipt:
        """Show that a leaf of the entry's trace is not what the step before it leads to."""
        opponent = self.opponent(entry)
        other = opponent.trace if opponent else None
        return self.send(toy_calls.refute(entry.id, entry.trace, index, other, **step), sender)

    def opponent(self, entry: Entry) -> Entry | None:
        """Of an entry in a match."""
        found = self.entry(entry.id)
        if found.status != EntryStatus.IN_MATCH:
            return None
        match = self.match(found.match)
        return self.entries[match.two if match.one == entry.id else match.one]

    def time_out(self, match: bytes, sender: bytes = HONEST) -> Receipt:
        """End a match whose mover is late, or that nobody settled."""
        found = self.match(match)
        winner = self.entries[found.two if found.mover == 1 else found.one]
        left, right = winner.trace.children(winner.trace.height, 0)
        return self.send(disputes.time_out(match=match, left=left, right=right), sender)

    # --- money ---

    def collect(self, match: bytes, sender: bytes = HONEST) -> Receipt:
        return self.send(disputes.collect(match), sender)

    def redeem(self, entry: Entry, sender: bytes = WATCHER) -> Receipt:
        return self.send(disputes.redeem(entry.id), sender)

    def withdraw(self, sender: bytes) -> Receipt:
        return self.send(disputes.withdraw(), sender)

    def wealth(self, *accounts: bytes) -> int:
        """Wei that they hold and may withdraw."""
        return sum(self.engine.balance(who) + self.credits(who) for who in accounts)
