"""Attacks on the way out: claims that lose, claims that settle twice, contracts that change.

The number of an id is the case of the table in docs/testing.md.
"""

from dataclasses import replace

import pytest
from decided_world import WON, DecidedWorld
from evm_engines import Engine, Reverted
from protocol_bytes import Output, claim_hash, withdrawal_leaf, withdrawals_tree
from rollup_world import (
    ALICE,
    BOB,
    CLAIMANT,
    DOLLAR,
    GENESIS_CLAIM,
    PARAMETERS,
    RIVAL,
    World,
)

from contracts import calls, views
from contracts.abi import keccak
from contracts.compiler import compile_contract

LOOT = 2 * DOLLAR
TREE = withdrawals_tree({0: withdrawal_leaf(0, 256, RIVAL, LOOT)})
NOT_CONFIRMED = "escrow: claim is not confirmed"


@pytest.fixture
def looted(engine: Engine) -> DecidedWorld:
    """Two claims on batch 1: one leaves three dollars where they are, one sends two to a rival."""
    world = DecidedWorld(engine)
    world.deposit(ALICE, 3 * DOLLAR)
    world.wait(12)
    world.post()
    world.claim(world.output(1))
    world.wait(100)
    world.claim(loot(world), sender=RIVAL)
    return world


def loot(world: World, batch: int = 1) -> Output:
    """An output that owes the rival two dollars, and conserves."""
    sound = world.output(batch)
    return replace(
        sound,
        withdrawals_root=TREE.root_hash,
        withdrawn=LOOT * 1_000,
        cash=sound.cash - LOOT * 1_000,
    )


def take(world: World, output: Output, parent: bytes = GENESIS_CLAIM) -> None:
    """Ask for the rival's money by the claim of `output`."""
    data = calls.withdraw(
        parent_claim=parent,
        output=output.pack(),
        index=0,
        account=256,
        recipient=RIVAL,
        amount=LOOT,
        branch=TREE.branch(bytes(4)),
    )
    world.send(data, RIVAL)


def reject(world: World, output: Output, parent: bytes = GENESIS_CLAIM) -> None:
    data = calls.reject(parent_claim=parent, output_hash=keccak(output.pack()))
    world.send(data, BOB)


def test_a_claim_that_loses_never_pays_nor_what_descends_from_it(looted: DecidedWorld) -> None:
    """Case 70: not while it stands, not when the other has won, not when it is rejected."""
    right, lie = looted.output(1), loot(looted)
    lost = claim_hash(GENESIS_CLAIM, lie.pack())
    looted.deposit(ALICE, DOLLAR)
    looted.wait(12)
    looted.post()
    child = loot(looted, 2)
    looted.claim(child, parent=lost, sender=RIVAL)

    def nothing_is_paid() -> None:
        for output, parent in ((lie, GENESIS_CLAIM), (child, lost)):
            with pytest.raises(Reverted, match=NOT_CONFIRMED):
                take(looted, output, parent)
        assert looted.balance(RIVAL) == 0 and not looted.read(views.IS_PAID, 0)

    nothing_is_paid()
    contested = looted.read(views.CONTESTED_AT, GENESIS_CLAIM)
    winner = claim_hash(GENESIS_CLAIM, right.pack())
    looted.decide(GENESIS_CLAIM, contested, WON, winner)
    looted.wait(PARAMETERS.claim_window)
    nothing_is_paid()
    looted.confirm(right)
    nothing_is_paid()
    reject(looted, lie)
    nothing_is_paid()
    looted.settle(looted.output(2), parent=winner)
    reject(looted, child, lost)
    nothing_is_paid()
    assert looted.balance(looted.rollup) == 4 * DOLLAR


def test_a_claim_is_confirmed_once_and_never_after_it_was_rejected(looted: DecidedWorld) -> None:
    """Case 70."""
    right, lie = looted.output(1), loot(looted)
    contested = looted.read(views.CONTESTED_AT, GENESIS_CLAIM)
    winner = claim_hash(GENESIS_CLAIM, right.pack())
    looted.decide(GENESIS_CLAIM, contested, WON, winner)
    looted.wait(PARAMETERS.claim_window)
    looted.confirm(right)
    reject(looted, lie)
    # Even a contract of disputes that changed its mind would change nothing.
    looted.decide(GENESIS_CLAIM, contested, WON, claim_hash(GENESIS_CLAIM, lie.pack()))
    for output in (right, lie):
        with pytest.raises(Reverted, match="claims: not a pending claim"):
            looted.confirm(output)
    with pytest.raises(Reverted, match="claims: not a pending claim"):
        reject(looted, right)
    head = views.ConfirmedHead(1, winner)
    assert looted.read(views.CONFIRMED_HEAD) == head
    assert looted.read(views.CLAIM_BONDS, CLAIMANT) == PARAMETERS.claim_bond
    assert looted.read(views.CLAIM_BONDS, RIVAL) == 0


def test_nothing_is_paid_in_the_block_of_the_claim_nor_before_its_window_is_over(
    world: World,
) -> None:
    """Case 70: a proof that comes before the claim, with it, and a second too early."""
    world.deposit(ALICE, 3 * DOLLAR)
    world.wait(12)
    world.post()
    due = loot(world)
    with pytest.raises(Reverted, match=NOT_CONFIRMED):
        take(world, due)
    world.claim(due)
    with pytest.raises(Reverted, match="claims: window is open"):
        world.confirm(due)
    with pytest.raises(Reverted, match=NOT_CONFIRMED):
        take(world, due)
    world.wait(PARAMETERS.claim_window)
    with pytest.raises(Reverted, match=NOT_CONFIRMED):
        take(world, due)
    world.confirm(due)
    # In the block of the confirmation it is due.
    take(world, due)
    assert world.balance(RIVAL) == LOOT


def test_what_one_claim_has_paid_no_later_one_pays_again(world: World) -> None:
    """Case 70: every later output has the same leaf in its tree."""
    world.deposit(ALICE, 3 * DOLLAR)
    world.wait(12)
    world.post()
    first = loot(world)
    parent = world.settle(first)
    world.deposit(ALICE, DOLLAR)
    world.wait(12)
    world.post()
    second = loot(world, 2)
    world.settle(second, parent=parent)
    take(world, second, parent)
    for output, before in ((first, GENESIS_CLAIM), (second, parent)):
        with pytest.raises(Reverted, match="escrow: already paid"):
            take(world, output, before)
    assert world.balance(RIVAL) == LOOT and world.balance(world.rollup) == 2 * DOLLAR


@pytest.mark.parametrize(
    "name", ["step", "disputes", "chunks", "verifier", "token", "claim_window", "genesis"]
)
def test_nothing_that_decides_can_be_changed_after_the_deployment(name: str) -> None:
    """Case 70: it is in the code and not in the storage, so no open match meets other rules."""
    slots = {variable.split(".")[-1].lower() for variable in compile_contract("rollup").slots}
    assert name not in slots and {"batch_hashes", "void_batches"} <= slots
