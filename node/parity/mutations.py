"""Steps that are not quite right: one bit or one leaf away from a step that was taken.

Three ways. The bytes as they are handed in: no proof any more, mostly. The state before the
step, with roots and branches computed anew, so that the proof holds and the rules meet a
state that no steps led to. And the transaction inside its chunk, which is a step like any
other.
"""

from collections.abc import Callable
from copy import copy
from random import Random
from typing import Any

from msgspec.structs import replace

from node.parity.case import Case, case_of
from node.parity.world import VERIFIER, Prepared
from prover.recording import RecordingState
from prover.step import StepInput, take_step
from state.accounts import Account, decode_account
from state.chunks import Row, pack_chunk, unpack_chunk
from state.commitment import Commitment
from state.crypto import keccak
from state.machine import Machine, decode_machine, encode_machine
from state.markets import (
    BoardRow,
    Market,
    board_key,
    decode_board_row,
    decode_market,
    encode_market,
)
from state.orders import RestingOrder, decode_order
from state.store import PreState
from state.undo import Place

PARTS = ("machine", "roots", "leaves", "proofs", "given")
FACTS = ("separator", "batch_hash", "accumulator", "next_accumulator")
LEAF_TREES = ("accounts", "markets", "rows", "orders")

Mutation = Callable[[Random, Prepared], Case | None]


def flip(random: Random, data: bytes) -> bytes:
    """`data` with one bit the other way."""
    bit = random.randrange(8 * len(data))
    flipped = bytearray(data)
    flipped[bit >> 3] ^= 1 << (bit & 7)
    return bytes(flipped)


def mutate_bytes(random: Random, step: Prepared) -> Case | None:
    """One bit of one of the parts; the root and what stands around it stay."""
    part = random.choice([name for name in PARTS if getattr(step.case, name)])
    return replace(step.case, **{part: flip(random, getattr(step.case, part))})


def mutate_length(random: Random, step: Prepared) -> Case | None:
    """A byte more or less at the end of the proofs or of the input."""
    part = random.choice(("proofs", "given"))
    held = getattr(step.case, part)
    longer = held + random.choice((b"\0", b"\1", b"\xff"))
    return replace(step.case, **{part: held[:-1] if held and random.random() < 0.5 else longer})


def mutate_facts(random: Random, step: Prepared) -> Case | None:
    """L1 knows something else; what a step does not ask for changes nothing, or is refused."""
    facts = step.case.facts
    if random.random() < 0.2:
        return replace(step.case, facts=replace(facts, void=not facts.void))
    name = random.choice(FACTS)
    return replace(step.case, facts=replace(facts, **{name: flip(random, getattr(facts, name))}))


def mutate_keys(random: Random, step: Prepared) -> Case | None:
    """A leaf fewer than the step needs, or one more that is rightly proven."""
    recording = copy(step.recording)
    name = random.choice(LEAF_TREES)
    keys = set(getattr(recording, name))
    if keys and random.random() < 0.5:
        keys.discard(random.choice(sorted(keys)))
    else:
        keys.add(_another(random, name, recording.commitment))
    setattr(recording, name, keys)
    changes = copy(step.changes)
    if random.random() < 0.5:
        # Else what the step writes is in its witness in any case.
        changes.accounts, changes.markets, changes.rows, changes.orders = {}, {}, {}, {}
    return case_of(recording.witness(changes), step.given, step.facts)


def _another(random: Random, name: str, trees: Commitment) -> object:
    if name == "orders":
        books = sorted(trees.books)
        market, side = random.choice(books) if books else (0, 0)
        first = trees.book(market, side).first()
        keys = [random.getrandbits(64), *([first[0]] if first else [])]
        return market, random.choice((side, 1 - side)), random.choice(keys)
    bits = {"accounts": 32, "markets": 16, "rows": 8}[name]
    return random.getrandbits(bits)


def mutate_leaf(random: Random, step: Prepared) -> Case | None:
    """One bit of a leaf that the step reads, in a state whose root is right again."""
    trees, read, written = step.recording.commitment, step.recording, step.changes
    held: list[Place] = [
        *(("accounts", key) for key in read.accounts | written.accounts.keys()),
        *(("markets", key) for key in read.markets | written.markets.keys()),
        *(("rows", key) for key in read.rows | written.rows.keys()),
        *(("orders", key) for key in read.orders | written.orders.keys()),
    ]
    present = [place for place in sorted(held, key=repr) if trees.leaf(*place)]
    if not present:
        return None
    place = random.choice(present)
    leaf = flip(random, trees.leaf(*place))
    return _retaken(step, with_leaf(trees, place, leaf), step.given, place, leaf)


def mutate_machine(random: Random, step: Prepared) -> Case | None:
    """One bit of the machine, in a state whose root is right again."""
    trees = step.recording.commitment
    return _retaken(step, replace(trees, machine=flip(random, trees.machine)), step.given)


def mutate_chunk(random: Random, step: Prepared) -> Case | None:
    """One bit of the chunk that the machine names, half of them in the transaction's own row."""
    if not step.given.chunk:
        return None
    chunk = step.given.chunk
    if random.random() < 0.5:
        rows = unpack_chunk(chunk)
        at = step.recording.machine.row
        kind, row, signature = rows[at]
        rows[at] = Row(kind, flip(random, row), signature)
        mutated = pack_chunk(rows)
    else:
        mutated = flip(random, chunk)
    trees = step.recording.commitment
    machine, withdrawals_root, saved = decode_machine(trees.machine)
    machine.chunk_hash = keccak(mutated)
    named = replace(trees, machine=encode_machine(machine, withdrawals_root, saved))
    return _retaken(step, named, StepInput(chunk=mutated))


MUTATIONS: tuple[Mutation, ...] = (
    *(mutate_bytes, mutate_bytes, mutate_length, mutate_facts, mutate_keys),
    *(mutate_leaf, mutate_leaf, mutate_leaf, mutate_machine, mutate_machine),
    *(mutate_chunk, mutate_chunk),
)


def mutated(random: Random, step: Prepared) -> tuple[str, Case]:
    """One of them, by name."""
    while True:
        mutation = random.choice(MUTATIONS)
        case = mutation(random, step)
        if case is not None:
            return mutation.__name__.removeprefix("mutate_"), case


def with_leaf(trees: Commitment, place: Place, leaf: bytes) -> Commitment:
    """`trees` with another leaf at `place`, and every root above it."""
    name, key = place
    if name == "accounts":
        return replace(trees, accounts=trees.accounts.update({key: leaf}))
    if name == "rows":
        return replace(trees, board=trees.board.update({key: leaf}))
    if name == "markets":
        return replace(trees, markets=trees.markets.update({key: leaf}))
    number, side, at = key
    book = trees.book(number, side).update({at: leaf})
    market, *roots = decode_market(trees.markets.leaf(number))
    roots[side] = book.root
    markets = trees.markets.update({number: encode_market(market, *roots)})
    return replace(trees, books=trees.books | {(number, side): book}, markets=markets)


class Otherwise:
    """`base` with another machine, and perhaps another leaf at one place."""

    def __init__(self, base: PreState, machine: Machine, place: Place | None, value: Any) -> None:
        self.base, self.machine, self.place, self.value = base, machine, place, value

    def account(self, number: int) -> Account:
        found: Account = self._at(("accounts", number), self.base.account(number))
        return found

    def market(self, number: int) -> Market | None:
        found: Market | None = self._at(("markets", number), self.base.market(number))
        return found

    def row(self, market: int) -> BoardRow | None:
        found: BoardRow | None = self._at(("rows", board_key(market)), self.base.row(market))
        return found

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        held = self.base.order(market, side, key)
        found: RestingOrder | None = self._at(("orders", (market, side, key)), held)
        return found

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        front = self.base.front(market, side)
        if front is None:
            return None
        return front[0], self._at(("orders", (market, side, front[0])), front[1])

    def _at(self, place: Place, held: Any) -> Any:
        return self.value if place == self.place else held


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "accounts": decode_account,
    "markets": lambda leaf: decode_market(leaf)[0],
    "rows": decode_board_row,
    "orders": decode_order,
}


def _retaken(
    step: Prepared,
    trees: Commitment,
    given: StepInput,
    place: Place | None = None,
    leaf: bytes = b"",
) -> Case:
    """The step over `trees`, with whatever it reads there; what it read, where it is none."""
    recording, changes = copy(step.recording), step.changes
    recording.commitment = trees
    try:
        machine = decode_machine(trees.machine)[0]
        value = _DECODERS[place[0]](leaf) if place is not None else None
        anew = RecordingState(Otherwise(step.recording.base, machine, place, value), trees)
        changes = take_step(anew, given, step.facts, VERIFIER)
        recording = anew
    except (ValueError, AssertionError, ArithmeticError):
        # A leaf or a machine that is none, or a state in which the rules break: the bytes
        # of the step as it was still ask both sides for their answer.
        pass
    return case_of(recording.witness(changes), given, step.facts)
