"""The clock, the cursors and the marks: BOOT, headers, chunks' ends, HALT, and prices."""

import pytest
from builders import NOW, PUBLISHER, VERIFIER, Venue, key, sign_transaction
from msgspec.structs import replace

from state.batch import BatchHeader, ChunkCommitment
from state.crypto import ZERO_ADDRESS, ZERO_HASH
from state.inbox import InboxItem
from state.machine import OrderInProgress, Phase, Sums
from state.memory import MemoryState
from state.status import Status
from state.steps import boot, halt, open_chunk, take_item, take_transaction
from state.transactions import Header, SignedPrice
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.price import next_slow_mark

HASH = b"\7" * 32


def a_header(**changed: object) -> BatchHeader:
    fields: dict[str, object] = {
        "number": 1,
        "parent": bytes(32),
        "inbox_from": 0,
        "inbox_to": 0,
        "inbox_accumulator": bytes(32),
        "origin_number": 0,
        "origin_hash": bytes(32),
        "time_min": NOW,
        "time_max": NOW + 10,
    }
    return BatchHeader(**(fields | changed))  # type: ignore[arg-type]


def booted(**changed: object) -> MemoryState:
    state = MemoryState()
    state.apply(boot(state, a_header(**changed), HASH, void=False))
    return state


def test_boot_sets_the_whole_budget_and_every_bound() -> None:
    chunk = ChunkCommitment(1, bytes(32), bytes(32))
    state = MemoryState()
    state.machine.status = Status.EXPIRED
    header = a_header(inbox_to=3, chunks=(chunk, chunk))
    machine = boot(state, header, HASH, void=False).machine
    assert (machine.batch, machine.batch_hash) == (1, HASH)
    assert (machine.step, machine.steps_left) == (1, 65_535)
    assert (machine.time_min, machine.time_max) == (NOW, NOW + 10)
    assert (machine.inbox, machine.inbox_end, machine.chunks) == (0, 3, 2)
    assert machine.status == Status.OK
    void = boot(state, header, HASH, void=True).machine
    assert (void.chunks, void.inbox_end, void.steps_left) == (0, 3, 65_535)


@pytest.mark.parametrize(
    ("before", "time_min", "after"),
    [(NOW - 1, NOW, NOW), (NOW, NOW, NOW), (NOW + 1, NOW, NOW + 1), (0, NOW, NOW)],
)
def test_boot_moves_the_clock_up_to_the_earliest_time_and_never_back(
    before: int, time_min: int, after: int
) -> None:
    state = MemoryState()
    state.machine.time = before
    assert boot(state, a_header(time_min=time_min), HASH, void=False).machine.time == after


@pytest.mark.parametrize(
    "changed",
    [{"number": 0}, {"number": 2}, {"inbox_from": 1, "inbox_to": 1}, {"inbox_from": 0}],
    ids=str,
)
def test_boot_takes_the_next_batch_and_the_next_items_alone(changed: dict[str, int]) -> None:
    state = MemoryState()
    if changed == {"inbox_from": 0}:
        state.machine.inbox = 1
    with pytest.raises(AssertionError):
        boot(state, a_header(**changed), HASH, void=False)


def test_boot_takes_no_range_that_ends_before_it_begins() -> None:
    state = MemoryState()
    state.machine.inbox = 2
    with pytest.raises(AssertionError):
        boot(state, a_header(inbox_from=2, inbox_to=1), HASH, void=False)


def test_a_booted_machine_boots_no_other_batch() -> None:
    with pytest.raises(AssertionError):
        boot(booted(), a_header(number=2), HASH, void=False)


def test_items_are_taken_in_their_order() -> None:
    state = booted(inbox_to=2)
    for index in (1, 2):
        with pytest.raises(AssertionError):
            take_item(state, InboxItem(9, index, NOW, bytes(20), b""))
    changes = take_item(state, InboxItem(9, 0, NOW, bytes(20), b""))
    assert (changes.machine.inbox, changes.machine.status) == (1, Status.BAD_ITEM)
    assert (changes.machine.step, changes.machine.steps_left) == (2, 65_534)


@pytest.mark.parametrize(
    ("kind", "spare", "status"),
    [
        (InboxKind.DEPOSIT, b"", Status.OK),
        (InboxKind.DEPOSIT, b"\0", Status.BAD_ITEM),
        (9, b"", Status.BAD_ITEM),
        (0, b"", Status.BAD_ITEM),
    ],
)
def test_what_l1_never_makes_is_passed_over(kind: int, spare: bytes, status: Status) -> None:
    state = booted(inbox_to=1)
    payload = encode_deposit(Deposit(1 << 8, key("alice").address, 5)) + spare
    state.apply(take_item(state, InboxItem(kind, 0, NOW, bytes(20), payload)))
    assert (state.machine.status, state.machine.inbox) == (status, 1)
    assert state.machine.deposited == (5_000 if status == Status.OK else 0)


def test_the_row_counts_up_within_a_chunk_and_starts_again_after_it() -> None:
    state = booted(chunks=(ChunkCommitment(1, bytes(32), bytes(32)),) * 2)
    state.machine.row = 9
    state.apply(open_chunk(state, b"\1" * 32))
    assert (state.machine.row, state.machine.chunk_hash) == (0, b"\1" * 32)
    for last, row, chunk in ((False, 1, 0), (False, 2, 0), (True, 0, 1)):
        state.apply(take_transaction(state, Header(NOW), b"", VERIFIER, last=last))
        assert (state.machine.row, state.machine.chunk) == (row, chunk)
    assert state.machine.chunk_hash == ZERO_HASH


def test_halt_leaves_no_cursor_behind_where_the_budget_ended_early() -> None:
    state = booted(chunks=(ChunkCommitment(1, bytes(32), bytes(32)),))
    state.apply(open_chunk(state, b"\1" * 32))
    state.apply(take_transaction(state, Header(0), b"", VERIFIER, last=False))
    machine = halt(state).machine
    assert (machine.row, machine.chunk, machine.chunks, machine.chunk_hash) == (0, 0, 0, ZERO_HASH)
    assert (machine.status, machine.steps_left, machine.batch_hash) == (0, 0, ZERO_HASH)
    assert (machine.time_min, machine.time_max, machine.inbox_end) == (0, 0, 0)
    assert (machine.time, machine.step) == (NOW, 4)


@pytest.mark.parametrize("left", ["item", "order", "saved"])
def test_halt_leaves_nothing_undone(left: str) -> None:
    state = booted(inbox_to=1 if left == "item" else 0)
    if left == "order":
        state.machine.order = OrderInProgress(phase=Phase.MATCH)
    if left == "saved":
        state.machine.saved = Sums()
    with pytest.raises(AssertionError):
        halt(state)


@pytest.mark.parametrize(
    ("time", "status"),
    [
        (NOW - 1, Status.TIME_BACKWARDS),
        (NOW, Status.OK),
        (NOW + 10, Status.OK),
        (NOW + 11, Status.TIME_OUT_OF_BOUNDS),
        (2**40 - 1, Status.TIME_OUT_OF_BOUNDS),
    ],
)
def test_the_clock_stays_within_the_bounds_of_the_batch(time: int, status: Status) -> None:
    state = booted()
    changes = take_transaction(state, Header(time), b"", VERIFIER, last=False)
    assert changes.machine.status == status
    assert changes.machine.time == (time if status == Status.OK else NOW)


@pytest.mark.parametrize(
    ("time", "status"), [(NOW + 4, Status.TIME_OUT_OF_BOUNDS), (NOW + 5, Status.OK)]
)
def test_a_clock_behind_the_lower_bound_may_only_jump_to_it(time: int, status: Status) -> None:
    state = booted()
    state.machine.time_min = NOW + 5
    changes = take_transaction(state, Header(time), b"", VERIFIER, last=False)
    assert changes.machine.status == status


def test_a_mark_is_as_old_as_its_price_not_as_its_arrival() -> None:
    venue = Venue()
    venue.run(Header(NOW + 100))
    tx = SignedPrice(0, 51_000_000, NOW + 90)
    assert venue.run(tx, sign_transaction(tx, PUBLISHER)).status == Status.OK
    row, market = venue.state.rows[0], venue.state.markets[0]
    assert (row.mark, row.index, row.time) == (51_000_000, 51_000_000, NOW + 90)
    [publisher] = market.publishers
    assert (publisher.address, publisher.price, publisher.time) == (
        PUBLISHER.address,
        51_000_000,
        NOW + 90,
    )
    again = SignedPrice(0, 52_000_000, NOW + 90)
    assert venue.run(again, sign_transaction(again, PUBLISHER)).status == Status.PRICE_NOT_NEWER


def test_one_publishers_price_leaves_the_others_as_they_were() -> None:
    venue = Venue()
    market = venue.state.markets[0]
    [own] = market.publishers
    other = replace(own, address=key("another").address, price=7, time=5)
    venue.state.markets[0] = replace(market, publishers=(own, other))
    assert venue.price(51_000_000) == Status.OK
    assert venue.state.markets[0].publishers[0].price == 51_000_000
    assert venue.state.markets[0].publishers[1] == other


def test_zero_publishes_nothing_even_where_it_is_listed() -> None:
    venue = Venue()
    market = venue.state.markets[0]
    zero = replace(market.publishers[0], address=ZERO_ADDRESS)
    venue.state.markets[0] = replace(market, publishers=(zero,))
    venue.run(Header(NOW + 9))
    receipt = venue.run(SignedPrice(0, 51_000_000, NOW + 5), bytes(64))
    assert receipt.status == Status.UNKNOWN_PUBLISHER
    assert venue.state.rows[0].mark == 50_000_000


@pytest.mark.parametrize(
    ("mark", "slow", "elapsed", "after"),
    [
        # 600 seconds cover half the way, 1,200 two thirds, 300 a third; a step is rounded down.
        (60_000_000, 50_000_000, 600, 55_000_000),
        (60_000_000, 50_000_000, 1_200, 56_666_666),
        (60_000_000, 50_000_000, 300, 53_333_333),
        (40_000_000, 50_000_000, 1_200, 43_333_334),
        (50_000_000, 50_000_000, 600, 50_000_000),
        (0, 0, 600, 7),
    ],
)
def test_the_slow_mark_covers_these_distances(
    mark: int, slow: int, elapsed: int, after: int
) -> None:
    row = replace(Venue().state.rows[0], mark=mark, slow_mark=slow, time=NOW)
    assert next_slow_mark(row, 7, NOW + elapsed) == after
