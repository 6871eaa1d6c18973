"""When the sequencer stops, anyone moves the inbox."""

import pytest
from evm_engines import Engine, Reverted
from protocol_bytes import Header, genesis_batch_hash
from rollup_world import ALICE, BOB, PARAMETERS, SEQUENCER, World

from contracts import views


def test_anyone_forces_the_inbox_one_second_after_the_delay(world: World) -> None:
    world.deposit(ALICE)
    world.wait(PARAMETERS.force_delay)
    with pytest.raises(Reverted, match="batches: nothing is overdue"):
        world.force()
    world.wait(1)
    log = world.force(sender=BOB)
    time = world.engine.time - PARAMETERS.time_lag_max
    header = Header(
        number=1,
        parent=genesis_batch_hash(1, world.rollup),
        inbox_from=0,
        inbox_to=1,
        inbox_accumulator=world.read(views.ACCUMULATOR, 1),
        origin_number=world.engine.number - 1,
        origin_hash=world.engine.block_hash(world.engine.number - 1),
        time_min=time,
        time_max=time,
    ).pack()
    assert (log.header, log.payload) == (header, b"")
    assert world.read(views.HEAD) == views.Head(1, time, 1)


def test_a_forced_batch_takes_everything_overdue(world: World) -> None:
    world.deposit(ALICE)
    world.deposit(BOB)
    world.wait(PARAMETERS.force_delay + 1)
    with pytest.raises(Reverted, match="batches: overdue item left out"):
        world.force(inbox_to=1)
    with pytest.raises(Reverted, match="batches: nothing in the batch"):
        world.force(inbox_to=0)
    assert world.force(inbox_to=2).number == 1


def test_an_item_that_is_not_overdue_may_be_left_to_the_sequencer(world: World) -> None:
    world.deposit(ALICE)
    world.wait(PARAMETERS.force_delay + 1)
    world.deposit(BOB)
    assert world.force(inbox_to=1).number == 1
    with pytest.raises(Reverted, match="batches: nothing is overdue"):
        world.force()


def test_a_forced_batch_needs_an_origin_on_this_branch(world: World) -> None:
    world.deposit(ALICE)
    world.wait(PARAMETERS.force_delay + 1)
    with pytest.raises(Reverted, match="batches: origin is on another branch"):
        world.force(origin_hash=bytes(32))


def test_what_the_sequencer_had_stamped_is_still_in_time_behind_a_forced_batch(
    world: World,
) -> None:
    world.deposit(ALICE)
    world.wait(PARAMETERS.force_delay + 1)
    stamped = world.engine.time - 100
    world.force()
    world.wait(12)
    log = world.post(time_min=stamped, time_max=stamped, chunks=[b"1"], raw_hashes=[bytes(32)])
    assert log.number == 2


def test_a_forced_batch_does_not_turn_the_clock_back(world: World) -> None:
    world.deposit(ALICE)
    world.wait(PARAMETERS.force_delay + 1)
    forced_at = world.engine.time
    weighty = world.slot("batches._packed_head")
    last = forced_at - 1
    world.engine.store(world.rollup, weighty, last << 64)
    world.force()
    assert world.read(views.HEAD) == views.Head(1, last, 1)


def test_a_batch_made_behind_another_parent_is_refused(world: World) -> None:
    """The number and the branch would fit: only the parent's hash tells that force came between."""
    world.deposit(ALICE)
    world.wait(PARAMETERS.force_delay + 1)
    mine = world.batch_call(chunks=[b"mine"], raw_hashes=[bytes(32)])
    forced = world.force()
    world.wait(12)
    with pytest.raises(Reverted, match="batches: parent is not the last batch"):
        world.send(mine, SEQUENCER)
    log = world.post(parent=forced.batch_hash, chunks=[b"mine"], raw_hashes=[bytes(32)])
    assert log.number == 2


def test_a_chain_younger_than_the_lag_has_times_from_zero(engine: Engine) -> None:
    """Nothing underflows where the first batch could lie before the beginning of time."""
    engine.time, age = 0, PARAMETERS.force_delay + 1
    world = World(engine, time_lag_max=2**30)
    world.deposit(ALICE)
    world.wait(age)
    assert world.force().header[130:146] == bytes(16)
    world.wait(12)
    world.post(time_min=0, time_max=age + 12, chunks=[b"1"], raw_hashes=[bytes(32)])
    assert world.read(views.HEAD) == views.Head(2, age + 12, 1)
