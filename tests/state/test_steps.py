"""The machine: what comes next, the budget, HALT, void batches, roots inside a batch."""

from typing import Any

import pytest
from builders import VERIFIER, Venue, key, listing, sign_transaction
from histories import History

from state.batch import (
    BatchHeader,
    ChunkCommitment,
    batch_hash,
    claim_id,
    output_after,
    output_hash,
)
from state.chunks import Row, encode_chunk
from state.commitment import Committer, genesis_root
from state.crypto import ZERO_HASH, keccak
from state.execution import Batch, run_batch
from state.inbox import InboxItem, accumulate
from state.limits import BATCH_STEPS_MAX
from state.machine import Machine, OrderInProgress, Phase
from state.memory import MemoryState
from state.orders import Life
from state.status import Status
from state.steps import Step, begin, halt, next_step
from state.store import Changes
from state.transactions import Header, NewOrder, SignedPrice, Transaction, encode_transaction
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

NOW = 1_700_000_000
ALICE, BOB = 1 << 8, 2 << 8


def items() -> list[InboxItem]:
    payloads = [
        (InboxKind.LIST_MARKET, encode_listing(listing())),
        (InboxKind.DEPOSIT, encode_deposit(Deposit(ALICE, key("alice").address, 10**9))),
        (InboxKind.DEPOSIT, encode_deposit(Deposit(BOB, key("bob").address, 10**9))),
    ]
    return [InboxItem(k, n, NOW, bytes(20), p) for n, (k, p) in enumerate(payloads)]


def row(tx: Transaction, signer: str = "") -> Row:
    kind, data = encode_transaction(tx)
    return Row(kind, data, sign_transaction(tx, key(signer)) if signer else b"")


def trading_rows() -> list[Row]:
    return [
        row(Header(NOW)),
        row(SignedPrice(0, 50_000_000, NOW), "publisher"),
        row(NewOrder(ALICE, 0, 1, 0, 0, 500_000, 10, NOW + 50), "alice"),
        row(NewOrder(BOB, 0, 1, 0, 1, 500_000, 4, NOW + 50), "bob"),
        row(NewOrder(BOB, 0, 1, 0, 1, 500_000, 4, NOW + 50), "bob"),
    ]


def a_batch(chunks: list[list[Row]], *, void: bool = False) -> Batch:
    accumulator = ZERO_HASH
    for item in items():
        accumulator = accumulate(accumulator, item)
    encoded = [encode_chunk(rows) for rows in chunks]
    header = BatchHeader(
        number=1,
        parent=bytes(32),
        inbox_from=0,
        inbox_to=3,
        inbox_accumulator=accumulator,
        origin_number=5,
        origin_hash=bytes(32),
        time_min=NOW,
        time_max=NOW + 5,
        chunks=tuple(
            ChunkCommitment(len(compressed), keccak(compressed), keccak(raw))
            for compressed, raw in encoded
        ),
    )
    return Batch(header, items(), [] if void else chunks, void)


def busy(**fields: Any) -> Machine:
    """A machine in the middle of a batch."""
    defaults: dict[str, Any] = {"batch_hash": b"\1" * 32, "steps_left": 9}
    return Machine(**(defaults | fields))


def test_what_comes_next_is_read_off_the_machine() -> None:
    order = OrderInProgress(phase=Phase.MATCH)
    assert next_step(Machine()) == Step.BOOT
    assert next_step(busy(order=order, inbox_end=1)) == Step.ORDER
    assert next_step(busy(inbox_end=1, chunks=1)) == Step.INBOX
    assert next_step(busy(chunks=1)) == Step.OPEN
    assert next_step(busy(chunks=1, chunk_hash=b"\1" * 32)) == Step.TRANSACTION
    assert next_step(busy()) == Step.HALT
    assert next_step(busy(steps_left=1, chunks=1)) == Step.HALT


def test_a_batch_runs_from_boot_to_halt() -> None:
    state, steps = MemoryState(), list[Step]()
    receipts = run_batch(
        state, a_batch([trading_rows()]), VERIFIER, on_step=lambda step, _: steps.append(step)
    )
    statuses = [receipt.status for receipt in receipts]
    assert statuses == [Status.OK] * 4 + [Status.SEQUENCE_USED]
    kinds = [*[Step.BOOT], *[Step.INBOX] * 3, Step.OPEN, *[Step.TRANSACTION] * 3, Step.ORDER]
    kinds += [Step.TRANSACTION, Step.ORDER, Step.ORDER, Step.TRANSACTION, Step.HALT]
    assert steps == kinds
    assert state.machine.step == len(steps)
    assert state.account(BOB).position(0).lots == -4  # type: ignore[union-attr]


def test_after_halt_nothing_of_the_batch_is_left_but_what_it_did() -> None:
    state = MemoryState()
    run_batch(state, a_batch([trading_rows()]), VERIFIER)
    left = state.machine
    blank = Machine(
        batch=1,
        step=left.step,
        time=NOW,
        inbox=3,
        deposited=left.deposited,
        sums=left.sums,
    )
    assert left == blank


def test_the_state_after_a_batch_does_not_depend_on_its_hash_or_where_chunks_end() -> None:
    roots = set()
    for chunks in ([trading_rows()], [trading_rows()[:2], trading_rows()[2:]]):
        state = MemoryState()
        run_batch(state, a_batch(chunks), VERIFIER)
        state.machine.step = 0
        roots.add(Committer(state).commit().state_root)
    assert len(roots) == 1


def test_a_void_batch_runs_its_inbox_items_alone() -> None:
    state = MemoryState()
    assert run_batch(state, a_batch([trading_rows()], void=True), VERIFIER) == []
    assert state.account(ALICE).cash == 10**12 and state.machine.time == NOW
    assert state.machine.step == 5


def test_halt_comes_within_the_budget_whatever_is_left_over() -> None:
    state = MemoryState()
    run_batch(state, a_batch([]), VERIFIER)
    rows = [row(Header(NOW)) for _ in range(20)]
    batch = a_batch([rows])
    state = MemoryState()

    def shorten(step: Step, _: Changes) -> None:
        if step == Step.OPEN:
            state.machine.steps_left = 6

    receipts = run_batch(state, batch, VERIFIER, on_step=shorten)
    assert len(receipts) == 5
    assert state.machine.batch_hash == ZERO_HASH


def test_a_step_past_the_budget_is_a_bug() -> None:
    state = MemoryState()
    with pytest.raises(AssertionError):
        begin(state)


@pytest.mark.parametrize("change", [1, -1])
@pytest.mark.parametrize("name", ["cash", "pools", "insurance", "fees", "long_lots", "short_lots"])
def test_halt_refuses_a_state_that_does_not_conserve(name: str, change: int) -> None:
    """Neither made nor lost: a nano too few is refused like one too many."""
    venue = Venue()
    venue.open("alice", 5)
    sums = venue.state.machine.sums
    setattr(sums, name, getattr(sums, name) + change)
    with pytest.raises(AssertionError, match="money"):
        halt(venue.state)


def test_a_budget_is_a_whole_dispute() -> None:
    assert BATCH_STEPS_MAX == 2**16


def test_a_killed_orders_saved_roots_are_in_the_state_root() -> None:
    venue = Venue()
    roots: list[bytes] = []
    saved: list[bool] = []

    def commit(_: Step, __: Changes) -> None:
        commitment = venue.committer.commit()
        roots.append(commitment.state_root)
        saved.append(commitment.accounts.root in commitment.machine)

    venue.open("alice", 1_000)
    venue.open("bob", 1_000)
    venue.sell("alice", 10, 500_000)
    before = venue.committer.commit()
    venue.on_step = commit
    assert venue.buy("bob", 30, 500_000, life=Life.FOK).status == Status.KILLED
    after = venue.committer.commit()
    # ADMIT, SAVE, MATCH, RESTORE: only right after SAVE do saved and standing roots agree.
    assert saved == [False, True, False, False]
    assert len(set(roots)) == 4
    assert after.markets.root == before.markets.root


@pytest.mark.parametrize("seed", [11, 12])
def test_roots_taken_after_every_step_end_in_the_root_taken_once(seed: int) -> None:
    often, once = History(seed), History(seed)
    seen: list[bytes] = []
    often.venue.on_step = lambda _step, _changes: seen.append(
        often.venue.committer.commit().state_root
    )
    for history in (often, once):
        history.run(150)
        history.venue.halt()
    assert seen[-1] == once.venue.committer.commit().state_root
    assert len(set(seen)) == len(seen), "no state repeats within a batch"


def test_an_output_says_what_the_machine_holds() -> None:
    state = MemoryState()
    batch = a_batch([trading_rows()])
    run_batch(state, batch, VERIFIER)
    commitment = Committer(state).commit()
    output = output_after(
        state.machine, batch_hash(batch.header), commitment.state_root, commitment.withdrawals.root
    )
    assert output.is_conserved and output.deposited == 2 * 10**12
    assert (output.long_lots, output.short_lots, output.inbox) == (4, 4, 3)
    assert claim_id(bytes(32), output) == keccak(bytes(32) + output_hash(output))


def test_genesis_is_empty_and_its_root_is_fixed() -> None:
    assert genesis_root() == Committer(MemoryState()).commit().state_root
