"""Batches: headers to the byte, and every bound on its edge."""

import pytest
from evm_engines import Reverted
from protocol_bytes import Header, genesis_batch_hash
from rollup_world import ALICE, BOB, PARAMETERS, SEQUENCER, World

from contracts import views
from contracts.abi import keccak
from contracts.events import BatchPostedLog

CHUNKS = [b"c", b"ompressed" * 100, bytes(65_535), b"chunks"]
RAW_HASHES = [keccak(bytes([number])) for number in range(len(CHUNKS))]
BUDGET = 16_384


def test_batch_zero_stands_for_the_deployment(world: World) -> None:
    assert world.read(views.BATCH_HASHES, 0) == genesis_batch_hash(1, world.rollup)
    assert world.read(views.HEAD) == views.Head(0, 0, 0)


def test_headers_are_those_of_the_protocol_page(world: World) -> None:
    parent = genesis_batch_hash(1, world.rollup)
    inbox_from = 0
    for number, chunks in enumerate([0, 4, 1], start=1):
        world.deposit(ALICE)
        world.deposit(BOB)
        world.wait(12)
        inbox_to = 2 * number - 1
        log = world.post(
            inbox_to=inbox_to,
            chunks=CHUNKS[:chunks],
            raw_hashes=RAW_HASHES[:chunks],
            time_min=world.engine.time - 7,
            time_max=world.engine.time - 3,
        )
        header = Header(
            number=number,
            parent=parent,
            inbox_from=inbox_from,
            inbox_to=inbox_to,
            inbox_accumulator=world.read(views.ACCUMULATOR, inbox_to),
            origin_number=world.engine.number - 1,
            origin_hash=world.engine.block_hash(world.engine.number - 1),
            time_min=world.engine.time - 7,
            time_max=world.engine.time - 3,
            chunks=list(zip(CHUNKS, RAW_HASHES, strict=True))[:chunks],
        ).pack()
        payload = b"".join(CHUNKS[:chunks])
        assert log == BatchPostedLog(number, keccak(header), header, payload)
        assert world.read(views.BATCH_HASHES, number) == keccak(header)
        assert world.read(views.HEAD) == views.Head(number, world.engine.time - 3, inbox_to)
        parent, inbox_from = log.batch_hash, inbox_to


def test_sixty_four_chunks_are_the_most(world: World) -> None:
    chunks = [bytes([number]) for number in range(65)]
    with pytest.raises(Reverted):
        world.post(chunks=chunks, raw_hashes=chunks_hashes(chunks))
    log = world.post(chunks=chunks[:64], raw_hashes=chunks_hashes(chunks[:64]))
    assert log.header[147] == 64
    assert len(log.header) == 148 + 64 * 66


def test_the_payload_has_a_largest_size(world: World) -> None:
    chunks = [bytes(65_535), bytes(44_465)]
    with pytest.raises(Reverted):
        world.post(chunks=[*chunks, b"1"], raw_hashes=chunks_hashes([*chunks, b"1"]))
    assert len(world.post(chunks=chunks, raw_hashes=chunks_hashes(chunks)).payload) == 110_000


def chunks_hashes(chunks: list[bytes]) -> list[bytes]:
    """Some hashes for the raw chunks; L1 does not look at them."""
    return [keccak(chunk) for chunk in chunks]


def test_a_batch_sent_twice_is_posted_once(world: World) -> None:
    world.deposit(ALICE)
    call = world.batch_call(chunks=[b"chunk"], raw_hashes=[bytes(32)])
    world.send(call, SEQUENCER)
    with pytest.raises(Reverted, match="batches: parent is not the last batch"):
        world.send(call, SEQUENCER)


@pytest.mark.parametrize(
    ("time_min", "time_max", "reason"),
    [
        (-300, 0, None),
        (-301, 0, "batches: time lags too far"),
        (0, 0, None),
        (0, 1, "batches: time is in the future"),
        (-5, -6, "batches: time bounds are crossed"),
        (-200, -200, None),
        (-201, -200, "batches: time runs backwards"),
    ],
)
def test_the_sequencer_cannot_bend_the_clock(
    world: World, time_min: int, time_max: int, reason: str | None
) -> None:
    now = world.engine.time + 200
    if reason == "batches: time lags too far" or time_min == -300:
        now += 200  # or the last batch would be in the way
    world.post(chunks=[b"first"], raw_hashes=[bytes(32)])
    world.wait(now - world.engine.time)
    call = world.batch_call(
        time_min=now + time_min, time_max=now + time_max, chunks=[b"1"], raw_hashes=[bytes(32)]
    )
    expect(world, call, reason)


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (0, "batches: origin is not in the past"),
        (1, None),
        (255, None),
        (256, "batches: origin is too old"),
    ],
)
def test_the_origin_is_a_recent_block(world: World, age: int, reason: str | None) -> None:
    number = world.engine.number - age
    origin_hash = world.engine.block_hash(number) if age else bytes(32)
    call = world.batch_call(
        origin_number=number, origin_hash=origin_hash, chunks=[b"1"], raw_hashes=[bytes(32)]
    )
    expect(world, call, reason)


@pytest.mark.parametrize(
    ("waited", "inbox_to", "reason"),
    [
        (PARAMETERS.inbox_delay, 0, None),
        (PARAMETERS.inbox_delay + 1, 0, "batches: overdue item left out"),
        (PARAMETERS.inbox_delay + 1, 1, None),
        (PARAMETERS.inbox_delay + 61, 1, "batches: overdue item left out"),
        (PARAMETERS.inbox_delay + 61, 2, None),
    ],
)
def test_an_overdue_item_cannot_be_left_out(
    world: World, waited: int, inbox_to: int, reason: str | None
) -> None:
    world.deposit(ALICE)
    world.wait(60)
    world.deposit(BOB)
    world.wait(waited - 60)
    call = world.batch_call(inbox_to=inbox_to, chunks=[b"1"], raw_hashes=[bytes(32)])
    expect(world, call, reason)


@pytest.mark.parametrize(
    ("weights", "inbox_to", "reason"),
    [
        ((BUDGET, BUDGET + 1), 1, None),
        ((BUDGET, BUDGET + 1), 2, "batches: inbox budget exceeded"),
        ((BUDGET - 1, BUDGET), 1, "batches: overdue item left out"),
        ((BUDGET - 1, BUDGET), 2, None),
        ((BUDGET - 1, BUDGET + 1), 1, None),
        ((BUDGET + 1, BUDGET + 2), 1, "batches: inbox budget exceeded"),
    ],
)
@pytest.mark.parametrize("taken_before", [0, 5_000])
def test_overdue_items_yield_to_the_budget_and_to_nothing_else(
    world: World, weights: tuple[int, int], inbox_to: int, reason: str | None, taken_before: int
) -> None:
    world.deposit(ALICE)
    weigh(world, 1, taken_before)
    world.post()
    for position, weight in enumerate(weights, start=2):
        world.deposit(ALICE)
        weigh(world, position, taken_before + weight)
    world.wait(PARAMETERS.inbox_delay + 1)
    expect(world, world.batch_call(inbox_to=1 + inbox_to, chunks=[], raw_hashes=[]), reason)


def weigh(world: World, count: int, weight: int) -> None:
    """Set the weight of the first `count` items, as if thousands stood between them."""
    slot = world.slot("inbox._packed_items", bytes([count]))
    packed = world.engine.storage(world.rollup, slot) & ~((2**64 - 1) << 64)
    world.engine.store(world.rollup, slot, packed | weight << 64)


def expect(world: World, call: bytes, reason: str | None) -> None:
    """The batch is posted, or refused for this reason with nothing changed."""
    before = world.read(views.HEAD)
    if reason is None:
        world.send(call, SEQUENCER)
        assert world.read(views.HEAD).number == before.number + 1
        return
    with pytest.raises(Reverted) as refusal:
        world.send(call, SEQUENCER)
    assert refusal.value.reason == reason
    assert world.read(views.HEAD) == before
