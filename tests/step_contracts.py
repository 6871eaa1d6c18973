"""The contracts of rules, a call at a time: what they answer is what Python's rules wrote."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from builders import DOMAIN, NOW, VERIFIER, Venue
from eth_abi.abi import decode, encode
from evm_engines import NOBODY, Engine
from msgspec import Struct
from recorded_steps import RecordedStep

from contracts.abi import keccak
from contracts.compiler import compile_contract
from prover.recording import RecordingState
from prover.witness import Witness
from prover.witness_state import EMPTY_BOOK_ROOT
from state.accounts import encode_account
from state.chunks import row_at
from state.execution import Receipt
from state.inbox import InboxItem, encode_item
from state.limits import BOOK_DEPTH
from state.machine import Machine, Phase, SavedRoots, Sums, decode_machine
from state.markets import decode_market, encode_board_row, encode_market
from state.orders import encode_order
from state.packing import u
from state.status import Status
from state.steps import Step, advance_order, take_item, take_transaction
from state.store import Changes, PreState
from state.transactions import Transaction, encode_transaction
from state.tree import is_leftmost
from state.withdrawals import encode_withdrawal

REWINDS = {None: 0, "save": 1, "keep": 2, "restore": 3}

Words = tuple[Any, ...]
"""A machine as the struct of `contracts/state/machine.vy`."""


class Case(Struct, frozen=True):
    """One step as a contract of rules is asked for it, and the answer that Python gives."""

    step: Step
    machine: Words
    leaves: bytes
    fronts: int
    given: bytes
    after: Words
    changes: bytes
    status: int


def case_of(step: Step, witness: Witness, given: bytes, changes: Changes) -> Case:
    """`given` is what `docs/step.md` says of a step: a transaction, an item or nothing."""
    machine, withdrawals_root, roots = decode_machine(witness.machine)
    after = changes.machine
    machine.step, machine.steps_left = after.step, after.steps_left
    machine.inbox, machine.chunk = after.inbox, after.chunk
    machine.row, machine.chunk_hash = after.row, after.chunk_hash
    return Case(
        step=step,
        machine=words(machine, withdrawals_root, roots),
        leaves=witness.leaves,
        fronts=_fronts(witness),
        given=given,
        after=words(after, withdrawals_root, roots),
        changes=encode_changes(witness, changes),
        status=after.status,
    )


def recorded_case(recorded: RecordedStep) -> Case:
    """The case of a step of a recorded history."""
    given, machine = recorded.given.encode(), decode_machine(recorded.witness.machine)[0]
    if recorded.step == Step.TRANSACTION:
        row = row_at(given, machine.row)
        given = u(row.kind, 8) + row.row + row.signature
    return case_of(recorded.step, recorded.witness, given, recorded.changes)


def words(m: Machine, withdrawals_root: bytes, roots: SavedRoots) -> Words:
    """What eth-abi makes of a machine."""
    o, b = m.order, m.block
    return (
        *(6, m.batch, m.batch_hash, m.step, m.steps_left, m.status, m.time, m.time_min),
        *(m.time_max, m.inbox, m.inbox_end, m.chunk, m.chunks, m.row, m.chunk_hash),
        *(m.deposited, m.withdrawn, _sums(m.sums), m.withdrawals, withdrawals_root),
        (
            *(int(o.phase), o.account, o.epoch, o.sequence, o.market, o.flags),
            *(o.ticks, o.lots, o.filled, o.expiry, o.fronts),
        ),
        (
            *(b.maker, b.maker_epoch, b.maker_sequence, b.leg, b.count),
            tuple((leg.market, leg.taker_side, leg.ticks, leg.lots) for leg in b.legs),
        ),
        int(m.saved is not None),
        (roots.accounts, roots.markets, roots.board),
        _sums(m.saved or Sums()),
    )


def _sums(s: Sums) -> Words:
    money = (s.cash, s.pools, s.insurance, s.fees, s.bad_debt, s.dust)
    return (*money, s.long_lots, s.short_lots)


def _fronts(witness: Witness) -> int:
    return sum(
        1 << place
        for place, order in enumerate(witness.orders)
        if order.leaf and is_leftmost(BOOK_DEPTH, order.key, order.branch)
    )


def encode_changes(witness: Witness, changes: Changes) -> bytes:
    """What the step wrote beside the machine, as `docs/step.md` lays it out."""
    accounts = {number: encode_account(account) for number, account in changes.accounts.items()}
    markets = {}
    for number, market in changes.markets.items():
        (before,) = (p.leaf for p in witness.markets if p.key == number)
        roots = decode_market(before)[1:] if before else (EMPTY_BOOK_ROOT, EMPTY_BOOK_ROOT)
        markets[number] = encode_market(market, *roots)
    rows = {key: encode_board_row(row) for key, row in changes.rows.items()}
    orders = {key: encode_order(o) if o else b"" for key, o in changes.orders.items()}
    withdrawals = [_sized(encode_withdrawal(w)) for w in changes.withdrawals]
    return b"".join(
        [
            u(REWINDS[changes.rewind], 8),
            _entries([p.key for p in witness.accounts], accounts),
            _entries([p.key for p in witness.markets], markets),
            _entries(sorted(witness.rows.leaves), rows),
            _entries([(p.market, p.side, p.key) for p in witness.orders], orders),
            u(len(withdrawals), 8) + b"".join(withdrawals),
        ]
    )


def _entries(places: list[Any], written: dict[Any, bytes]) -> bytes:
    assert written.keys() <= set(places)
    entries = [
        u(place, 8) + _sized(written[key]) for place, key in enumerate(places) if key in written
    ]
    return u(len(entries), 8) + b"".join(entries)


def _sized(leaf: bytes) -> bytes:
    return u(len(leaf), 16) + leaf


class Rules:
    """A contract of `contracts/steps/`, deployed on `engine`."""

    def __init__(self, engine: Engine, name: str) -> None:
        artifact = compile_contract(f"steps/{name}")
        (entry,) = (e for e in artifact.abi if e.get("name") == "apply")
        self.inputs = [abi_type(parameter) for parameter in entry["inputs"]]
        self.outputs = [abi_type(parameter) for parameter in entry["outputs"]]
        self.selector = keccak(f"apply({','.join(self.inputs)})".encode())[:4]
        self.engine = engine
        self.address = engine.deploy(artifact.creation_code, sender=NOBODY)

    def apply(self, case: Case) -> tuple[Words, bytes]:
        """The machine and the changes that the contract answers; Reverted where it does not."""
        given = (case.machine, case.leaves, case.fronts, case.given, DOMAIN.separator)
        output = self.engine.call(self.address, self.selector + encode(self.inputs, given))
        machine, changes = decode(self.outputs, output)
        return machine, changes

    def check(self, case: Case) -> None:
        """The contract answers what Python's rules wrote."""
        machine, changes = self.apply(case)
        assert machine == case.after, f"{case.step}, {Status(case.status).name}"
        assert changes.hex() == case.changes.hex(), f"{case.step}, {Status(case.status).name}"


def abi_type(parameter: dict[str, Any]) -> str:
    """The canonical type of an ABI parameter, tuples written out."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(abi_type(component) for component in parameter["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


@dataclass
class RecordedVenue(Venue):
    """A venue that keeps the case of every step of its transactions and items."""

    cases: list[Case] = field(default_factory=list)

    def run(self, tx: Transaction, signature: bytes = b"") -> Receipt:
        kind, row = encode_transaction(tx)
        first = len(self.cases)

        def take(state: PreState) -> Changes:
            return take_transaction(state, tx, signature, VERIFIER, last=False)

        self._take(Step.TRANSACTION, take, u(kind, 8) + row + signature)
        while self.state.machine.order.phase != Phase.IDLE:
            self._take(Step.ORDER, advance_order, b"")
        return Receipt(Status(self.state.machine.status), (), len(self.cases) - first)

    def item(self, kind: int, payload: bytes, sender: bytes = bytes(20)) -> Status:
        index = next(self.items)
        self.state.machine.inbox_end = index + 1
        item = InboxItem(kind, index, NOW, sender, payload)
        self._take(Step.INBOX, lambda state: take_item(state, item), encode_item(item))
        return Status(self.state.machine.status)

    def _take(self, step: Step, take: Callable[[PreState], Changes], given: bytes) -> None:
        commitment = self.committer.commit()
        recording = RecordingState(self.state, commitment)
        changes = take(recording)
        self.cases.append(case_of(step, recording.witness(changes), given, changes))
        self.state.apply(changes)
