"""Attacks on forced inclusion: spam, races with the sequencer, and disputes that are under way.

The number of an id is the case of the table in docs/testing.md.
"""

import pytest
from decided_world import WON, DecidedWorld
from evm_engines import Engine, Pyrevm, Reverted
from protocol_bytes import Output, claim_hash
from rollup_world import (
    ALICE,
    BOB,
    DOLLAR,
    GENESIS_CLAIM,
    GOVERNOR,
    PARAMETERS,
    RIVAL,
    SEQUENCER,
    World,
)

from contracts import calls, views
from contracts.abi import keccak
from state.limits import INBOX_STEPS_MAX

SPAM = INBOX_STEPS_MAX + 100
"""More than two times 10^4 would tell nothing new: one batch takes INBOX_STEPS_MAX."""


def forced(world: World) -> bytes:
    """The call that posts all that waits, as of now."""
    return calls.force_batch(
        inbox_to=world.read(views.INBOX_SIZE),
        origin_number=world.engine.number - 1,
        origin_hash=world.engine.block_hash(world.engine.number - 1),
    )


@pytest.mark.parametrize("first", ["66-the sequencer", "66-force"])
def test_of_a_late_batch_and_a_forced_one_the_first_wins(world: World, first: str) -> None:
    """Both were made for the same head; no item is in two batches, and none is in no batch."""
    world.deposit(ALICE)
    world.wait(PARAMETERS.force_delay + 1)
    late, force = world.batch_call(chunks=[b"1"], raw_hashes=[bytes(32)]), forced(world)
    if first == "66-force":
        world.posted(world.send(force, BOB))
        with pytest.raises(Reverted, match="batches: parent is not the last batch"):
            world.send(late, SEQUENCER)
    else:
        world.posted(world.send(late, SEQUENCER))
        with pytest.raises(Reverted, match="batches: nothing is overdue"):
            world.send(force, BOB)
    head = world.read(views.HEAD)
    assert (head.number, head.inbox_to) == (1, 1)


@pytest.mark.parametrize("waited", [0, PARAMETERS.force_delay], ids=["62-due", "62-overdue"])
def test_a_sequencer_that_posts_on_cannot_leave_an_overdue_item_out(
    world: World, waited: int
) -> None:
    """However long it has done so before, and whatever else it posts."""
    world.deposit(ALICE)
    world.wait(60)
    world.post(inbox_to=0, chunks=[b"1"], raw_hashes=[bytes(32)])
    world.wait(PARAMETERS.inbox_delay + waited)
    for inbox_to, chunks in ((0, [b"2"]), (0, [])):
        hashes = [bytes(32)] * len(chunks)
        call = world.batch_call(inbox_to=inbox_to, chunks=chunks, raw_hashes=hashes)
        with pytest.raises(Reverted, match=r"batches: (overdue item left|nothing in the batch)"):
            world.send(call, SEQUENCER)
    assert world.post(inbox_to=1, chunks=[b"2"], raw_hashes=[bytes(32)]).number == 2


def test_more_items_than_a_batch_may_take_are_forced_in_pages() -> None:
    """Case 64, on the fast engine: what a spammer pays for every item delays nobody for long."""
    world = World(Pyrevm())
    world.deposit(ALICE)
    spam = calls.revoke_key(account=1 << 8, key_epoch=1)
    gas = [world.send(spam, RIVAL).gas_used for _ in range(SPAM - 1)]
    assert world.read(views.INBOX_SIZE) == SPAM and min(gas) > 50_000
    world.deposit(BOB)
    world.wait(PARAMETERS.force_delay + 1)
    for too_many in (SPAM + 1, INBOX_STEPS_MAX + 1):
        with pytest.raises(Reverted, match="batches: inbox budget exceeded"):
            world.force(inbox_to=too_many)
    with pytest.raises(Reverted, match="batches: overdue item left out"):
        world.force(inbox_to=INBOX_STEPS_MAX - 1)
    receipt_of_first = world.send(
        calls.force_batch(
            inbox_to=INBOX_STEPS_MAX,
            origin_number=world.engine.number - 1,
            origin_hash=world.engine.block_hash(world.engine.number - 1),
        ),
        BOB,
    )
    # The gas of a page does not depend on how many items are in it.
    assert receipt_of_first.gas_used < 200_000
    world.posted(receipt_of_first)
    world.wait(12)
    assert world.force().number == 2
    assert world.read(views.HEAD).inbox_to == SPAM + 1


def test_the_inbox_goes_on_while_claims_are_contested(engine: Engine) -> None:
    """Case 66: an item is forced in mid-dispute and settles on top of whoever wins."""
    world = DecidedWorld(engine)
    world.deposit(ALICE, 3 * DOLLAR)
    world.wait(12)
    world.post()
    right, false = world.output(1), world.output(1, state_root=keccak(b"false"))
    world.claim(right)
    world.wait(100)
    world.claim(false, sender=RIVAL)
    contested = world.read(views.CONTESTED_AT, GENESIS_CLAIM)

    world.send(calls.revoke_key(account=1 << 8, key_epoch=0), ALICE)
    world.wait(PARAMETERS.force_delay + 1)
    assert world.force().number == 2
    with pytest.raises(Reverted, match="claims: rivals are undecided"):
        confirm_late(world, right)
    parents = {claim_hash(GENESIS_CLAIM, one.pack()): one for one in (right, false)}
    child = world.output(2)
    for parent in parents:
        world.claim(child, parent=parent)

    winner = claim_hash(GENESIS_CLAIM, right.pack())
    world.decide(GENESIS_CLAIM, contested, WON, winner)
    world.confirm(right)
    world.wait(PARAMETERS.claim_window)
    world.confirm(child, parent=winner)
    assert world.read(views.CONFIRMED_HEAD).batch == 2
    lost = next(parent for parent in parents if parent != winner)
    with pytest.raises(Reverted, match="claims: parent is not confirmed"):
        world.confirm(child, parent=lost)


def confirm_late(world: DecidedWorld, output: Output) -> None:
    """Try it when its window is long over."""
    world.wait(PARAMETERS.claim_window)
    world.confirm(output)


@pytest.mark.parametrize("size", [0, 1, 1_024], ids=["63-0", "63-1", "63-1024"])
def test_only_the_governor_can_put_bytes_of_any_form_into_the_inbox(
    world: World, size: int
) -> None:
    """All other items are made of fields that L1 has checked; the rules pass over what is none."""
    data = calls.list_market(bytes(size))
    with pytest.raises(Reverted, match="governance: not the governor"):
        world.send(data, RIVAL)
    for sender in (RIVAL, GOVERNOR):
        with pytest.raises(Reverted):
            world.send(calls.list_market(bytes(1_025)), sender)
    assert world.read(views.INBOX_SIZE) == 0
    world.send(data, GOVERNOR)
    world.wait(PARAMETERS.force_delay + 1)
    assert world.force().number == 1
