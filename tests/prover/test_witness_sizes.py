"""A step's witness fits one L1 call, whatever the state looks like."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product

import pytest
from builders import DOMAIN, FAR, NOW, VERIFIER, key, listing, sign_transaction
from fullest_venue import FullestVenue
from msgspec.structs import replace

from node.parity.stress import (
    ACCOUNTS,
    BEST_ASK,
    BID,
    BOOK_ORDERS,
    CANCELLED,
    MAKER,
    RICH,
    TAKER,
    TIERS,
    TRADED,
)
from prover.facts import Facts
from prover.post_state import root_after
from prover.recording import RecordingState
from prover.step import StepInput, take_step
from prover.witness import MACHINE_BYTES
from prover.witness_reader import decode_witness
from prover.witness_state import WitnessState
from state.accounts import encode_account
from state.chunks import Row, chunk_size, pack_chunk, row_size
from state.inbox import InboxItem, accumulate
from state.legs import Leg, legs_of
from state.limits import (
    ACCOUNT_KEYS_MAX,
    ACCOUNT_ORDERS_MAX,
    ACCOUNT_POSITIONS_MAX,
    ACCOUNTS_DEPTH,
    BOARD_DEPTH,
    BOOK_DEPTH,
    CHUNK_BYTES_MAX,
    MARKETS_DEPTH,
    MARKETS_MAX,
    ORDER_NUMBER_MAX,
    PUBLISHERS_MAX,
)
from state.orders import (
    BUY,
    SELL,
    Flags,
    Life,
    RestingOrder,
    encode_flags,
    encode_order,
    key_ticks,
    order_key,
)
from state.status import Status
from state.transactions import (
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    Header,
    NewOrder,
    SignedPrice,
    Transaction,
    encode_transaction,
)
from state.transactions.kinds import InboxKind, Kind
from state.transactions.list_market import encode_listing
from state.transactions.revoke_key import KeyRevocation, encode_key_revocation
from state.transactions.rotate_owner import RotateOwner, encode_rotate_owner

WITHOUT_CHUNK_MAX = 28 * 1024
WITH_CHUNK_MAX = 40 * 1024
PARTS = ("machine", "roots", "accounts", "markets", "board", "books", "withdrawals")
EPOCH, SEQUENCE = 4, 1_000


@dataclass(frozen=True)
class Measured:
    """The bytes of one step's witness by part, and of the chunk beside it."""

    step: str
    sizes: dict[str, int]
    chunk: int

    @property
    def witness(self) -> int:
        return sum(self.sizes.values())

    def __str__(self) -> str:
        parts = "".join(f"{self.sizes[name]:>10,}" for name in PARTS[:-1])
        total = self.witness + self.chunk
        return f"{self.step:<8}{parts}{self.witness:>10,}{self.chunk:>8,}{total:>10,}"


HEADING = f"{'step':<8}" + "".join(f"{name:>10}" for name in (*PARTS[:-1], "witness"))


def order_of(ticks: int, life: Life) -> NewOrder:
    """The taker buys ten lots, by a session key."""
    flags = encode_flags(Flags(BUY, life=life))
    return NewOrder(TAKER, EPOCH, SEQUENCE, TRADED, flags, ticks, 10, FAR)


def full_chunk(tx: Transaction, signature: bytes) -> bytes:
    """8,192 bytes that begin with `tx`, and are filled with orders, prices and headers."""
    first = Row(*encode_transaction(tx), signature)
    order = Row(*encode_transaction(order_of(BID, Life.GTC)), bytes(64))
    price = Row(*encode_transaction(SignedPrice(TRADED, 1, NOW)), bytes(64))
    header = Row(*encode_transaction(Header(NOW)))
    left = CHUNK_BYTES_MAX - chunk_size([first.kind])
    small, smaller = row_size(Kind.PRICE), row_size(Kind.HEADER)
    for orders, prices in product(range(left // row_size(Kind.ORDER), 0, -1), range(2)):
        headers = left - orders * row_size(Kind.ORDER) - prices * small
        if headers >= 0 and headers % smaller == 0:
            break
    rows = [*[order] * orders, *[price] * prices, *[header] * (headers // smaller)]
    chunk = pack_chunk([first, *rows])
    assert len(chunk) == CHUNK_BYTES_MAX
    return chunk


def take(world: FullestVenue, name: str, given: StepInput) -> Measured:
    """Measure the next step, run it from its witness alone, and apply it."""
    facts = Facts(DOMAIN.separator)
    if given.item is not None:
        facts = replace(facts, next_accumulator=accumulate(facts.accumulator, given.item))
    commitment = world.committer.commit()
    recording = RecordingState(world.state, commitment)
    changes = take_step(recording, given, facts, VERIFIER)
    witness = recording.witness(changes)
    proven = WitnessState(decode_witness(witness.encode()), commitment.state_root)
    root = root_after(proven, take_step(proven, given, facts, VERIFIER))
    world.state.apply(changes)
    assert root == world.committer.commit().state_root
    return Measured(name, witness.sizes(), len(given.chunk))


def run(world: FullestVenue, tx: Transaction, *names: str) -> list[Measured]:
    """The steps of one transaction, signed by the taker's session key."""
    chunk = full_chunk(tx, sign_transaction(tx, key("session")))
    world.open(chunk)
    inputs = [StepInput(chunk=chunk), *[StepInput()] * (len(names) - 1)]
    return [take(world, name, given) for name, given in zip(names, inputs, strict=True)]


def measure(publishers: int) -> list[Measured]:
    """ADMIT, MATCH, SWEEP, REST and CANCEL where each is at its largest."""
    world = FullestVenue(publishers)
    before = len(world.state.book(TRADED, SELL))
    cancel = run(world, Cancel(TAKER, EPOCH, 900, *order_known(world), FAR), "CANCEL")
    rest = run(world, order_of(BID, Life.GTC), "ADMIT", "REST")
    assert world.state.order(TRADED, BUY, order_key(BUY, BID, ORDER_NUMBER_MAX)) is not None

    world = FullestVenue(publishers)
    match = run(world, order_of(BEST_ASK, Life.IOC), "ADMIT", "MATCH")
    assert world.state.machine.order.filled == 4

    world = FullestVenue(publishers, maker_cash=-RICH)
    sweep = run(world, order_of(BEST_ASK, Life.IOC), "ADMIT", "SWEEP")
    assert world.state.machine.order.filled == 0
    assert len(world.state.book(TRADED, SELL)) == before - 1
    return [*match, sweep[1], rest[1], *cancel]


def measure_block_trade(publishers: int) -> list[Measured]:
    """Every step of one with a leg, between the two fullest accounts."""
    world = FullestVenue(publishers)
    numbers = (MAKER, EPOCH, SEQUENCE, TAKER, EPOCH, SEQUENCE)
    tx = BlockTrade(*numbers, FAR, 1, legs_of(Leg(TRADED, BUY, BEST_ASK, 3)))
    measured = run(world, tx, "ADMIT", "SAVE", "LEG", "SETTLE")
    assert world.state.machine.status == Status.OK
    return measured


def measure_changes_of_orders(publishers: int) -> list[Measured]:
    """What an amend and a cancel all do to the order with the longest branch."""
    market, side, at = CANCELLED
    world = FullestVenue(publishers)
    name, ticks = order_known(world), key_ticks(side, at)
    less = Amend(TAKER, EPOCH, SEQUENCE, *name, ticks, 3, FAR)
    anew = Amend(TAKER, EPOCH, SEQUENCE + 1, *name, BEST_ASK, 3, FAR)
    measured = run(world, less, "AMEND") + run(world, anew, "ADMIT", "REST")
    assert world.state.machine.status == Status.OK
    assert world.state.order(market, side, order_key(side, BEST_ASK, ORDER_NUMBER_MAX))
    assert world.state.order(market, side, at) is None

    world = FullestVenue(publishers)
    tx = CancelAll(TAKER, EPOCH, SEQUENCE, 0, market, FAR)
    measured += run(world, tx, "ADMIT", "CANCEL")
    assert world.state.order(market, side, at) is None
    return measured


def measure_items(publishers: int) -> list[Measured]:
    """What L1 does to the fullest account, and to the market with the longest branch."""
    world = FullestVenue(publishers)
    world.open(b"")
    owner = world.state.account(TAKER).owner
    parameters = encode_listing(listing(TRADED, symbol=b"0-USD-PERP", tiers=TIERS))
    asked = [
        ("REVOKE", InboxKind.REVOKE_KEY, encode_key_revocation(KeyRevocation(TAKER, EPOCH))),
        ("ROTATE", InboxKind.ROTATE_OWNER, encode_rotate_owner(RotateOwner(TAKER, owner))),
        ("SET", InboxKind.SET_PARAMETERS, parameters),
    ]
    measured = []
    for index, (name, kind, payload) in enumerate(asked):
        world.state.machine.inbox_end = index + 1
        item = InboxItem(kind, index, NOW, owner, payload)
        measured.append(take(world, name, StepInput(item=item)))
        assert world.state.machine.status == Status.OK
    return measured


@pytest.mark.parametrize("publishers", [1, PUBLISHERS_MAX])
@pytest.mark.parametrize("measure", [measure_changes_of_orders, measure_items])
def test_what_changes_orders_accounts_or_markets_touches_less_than_a_match(
    publishers: int, measure: Callable[[int], list[Measured]]
) -> None:
    match = largest(publishers, books=1)
    for row in measure(publishers):
        print(row)
        assert row.witness < match, row


@pytest.mark.parametrize("publishers", [1, PUBLISHERS_MAX])
def test_no_step_of_a_block_trade_has_a_larger_witness_than_a_match(publishers: int) -> None:
    admit, save, leg, settle = measured = measure_block_trade(publishers)
    print(f"\n{publishers} publishers a market\n{HEADING}{'chunk':>8}{'together':>10}")
    for row in measured:
        print(row)
    match = largest(publishers, books=1)
    assert save.witness < admit.witness < leg.witness < settle.witness < match
    assert admit.witness + admit.chunk <= WITH_CHUNK_MAX and match <= WITHOUT_CHUNK_MAX
    # SETTLE asks for the health of both: the row of every position either has.
    rows = largest(publishers, books=0) - market_bytes(publishers)
    assert rows * 0.99 < settle.witness <= rows


def order_known(world: FullestVenue) -> tuple[int, int]:
    """(epoch, sequence) of the order to cancel."""
    market, side, at = CANCELLED
    order = world.state.order(market, side, at)
    assert order is not None
    return order.epoch, order.sequence


@pytest.mark.parametrize("publishers", [1, PUBLISHERS_MAX])
def test_the_largest_witnesses_fit_one_call(publishers: int) -> None:
    measured = measure(publishers)
    print(f"\n{publishers} publishers a market\n{HEADING}{'chunk':>8}{'together':>10}")
    for row in measured:
        print(row)
    assert [row.step for row in measured] == ["ADMIT", "MATCH", "SWEEP", "REST", "CANCEL"]
    for row in measured:
        assert row.witness <= WITHOUT_CHUNK_MAX, row
        assert row.witness + row.chunk <= WITH_CHUNK_MAX, row
    # A table of small numbers would hold the bounds too: this state is the largest there is.
    match = measured[1]
    assert match.witness > 0.99 * largest(publishers, books=1)


def branch_bytes(depth: int) -> int:
    """A compressed branch without one empty sibling."""
    return (depth + 7) // 8 + 32 * depth


@cache
def untouched(publishers: int) -> FullestVenue:
    """For reading only."""
    return FullestVenue(publishers)


def market_bytes(publishers: int) -> int:
    leaf = untouched(publishers).committer.commit().markets.leaf(TRADED)
    return 2 + 2 + len(leaf) + branch_bytes(MARKETS_DEPTH)


def largest(publishers: int, *, books: int) -> int:
    """What the limits alone allow a step of an order to touch.

    Two accounts, one market, the rows of their positions, a leaf in each of `books`.
    """
    world = untouched(publishers)
    commitment = world.committer.commit()
    account = 4 + 2 + len(encode_account(world.state.account(TAKER))) + branch_bytes(ACCOUNTS_DEPTH)
    market = market_bytes(publishers)
    rows = 2 * ACCOUNT_POSITIONS_MAX - 1
    row = 1 + 2 + len(commitment.board.leaf(TRADED))
    # Rows that alternate with siblings, and the two empty parts of the board above 64 markets.
    board = rows * row + 32 * (MARKETS_MAX - rows + BOARD_DEPTH - 6)
    order = len(encode_order(RestingOrder(1, 1, 1, 1, 1, 0)))
    book = 2 + 1 + 8 + 2 + order + branch_bytes(BOOK_DEPTH)
    counts = 1 + 1 + (1 + 2) + 1 + 1
    return MACHINE_BYTES + 3 * 32 + counts + 2 * account + market + board + books * book


def test_no_state_makes_a_witness_that_does_not_fit() -> None:
    largest_of_all = largest(PUBLISHERS_MAX, books=2)
    print(f"\nno order's step has a larger witness than {largest_of_all:,} bytes")
    assert largest_of_all <= WITHOUT_CHUNK_MAX
    assert largest_of_all + CHUNK_BYTES_MAX <= WITH_CHUNK_MAX


def test_the_worst_case_is_as_full_as_the_limits_allow() -> None:
    world = untouched(PUBLISHERS_MAX)
    for number in (TAKER, MAKER):
        account = world.state.account(number)
        assert len(account.positions) == ACCOUNT_POSITIONS_MAX
        assert len(account.orders) == ACCOUNT_ORDERS_MAX
        assert len(account.keys) == ACCOUNT_KEYS_MAX
    assert len(world.state.accounts) == ACCOUNTS and len(world.state.markets) == MARKETS_MAX
    assert all(len(world.state.book(TRADED, side)) >= BOOK_ORDERS for side in (BUY, SELL))
