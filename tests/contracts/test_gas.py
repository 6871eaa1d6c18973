"""What the dear calls cost, on the engine that charges like L1 does.

pyrevm keeps what one transaction warmed for the next, so its figures are too low.
"""

import pytest
from evm_engines import BLOCK_GAS_MAX, TRANSACTION_GAS, TRANSACTION_GAS_MAX, PyEvm
from protocol_bytes import withdrawal_leaf, withdrawals_tree
from rollup_world import (
    ALICE,
    BOB,
    CLAIMANT,
    DOLLAR,
    GENESIS_CLAIM,
    GOVERNOR,
    PARAMETERS,
    SEQUENCER,
    World,
)

from contracts import calls
from contracts.abi import keccak
from node.poster import gas_limit
from state import limits

PAYLOAD = b"\xff" * 110_000
CALLDATA_FLOOR_GAS = 40
CALLDATA_GAS = 16
CALLDATA_GAS_TO_COME = 64


@pytest.fixture
def world() -> World:
    """Only here: no second engine."""
    return World(PyEvm())


@pytest.mark.parametrize("chunks", [2, 64])
def test_the_largest_batch_fits_one_transaction(world: World, chunks: int) -> None:
    size = -(-len(PAYLOAD) // chunks)
    pieces = [PAYLOAD[start : start + size] for start in range(0, len(PAYLOAD), size)]
    call = world.batch_call(chunks=pieces, raw_hashes=[keccak(b"raw")] * chunks)
    gas = world.send(call, SEQUENCER).gas_used
    print(f"post_batch, {len(PAYLOAD)} bytes in {chunks} chunks: {gas} gas")
    assert gas < TRANSACTION_GAS_MAX
    # Also at the price of calldata that is planned (EIP-7976).
    assert TRANSACTION_GAS + CALLDATA_GAS_TO_COME * len(call) < TRANSACTION_GAS_MAX


def test_what_a_batch_costs_is_its_calldata_and_not_our_code(world: World) -> None:
    payload = bytes(len(PAYLOAD))  # zero bytes are nearly free, so execution shows
    pieces = [payload[:55_000], payload[55_000:]]
    gas = world.send(
        world.batch_call(chunks=pieces, raw_hashes=[bytes(32)] * 2), SEQUENCER
    ).gas_used
    execution = gas - TRANSACTION_GAS - 4 * len(payload)
    print(f"post_batch, execution for {len(payload)} bytes: about {execution} gas")
    assert execution < (CALLDATA_FLOOR_GAS - CALLDATA_GAS) * len(payload)


@pytest.mark.parametrize(
    ("chunks", "size"), [(0, 0), (1, 1), (64, 1), (1, 6_000), (16, 5_500), (64, 1_718)]
)
@pytest.mark.parametrize("byte", [0, 255])
def test_a_batch_sent_ahead_of_its_parent_has_gas_enough(
    world: World, chunks: int, size: int, byte: int
) -> None:
    """Nothing can be estimated there. A third is to spare."""
    world.deposit(ALICE)
    world.wait(12)
    pieces = [bytes([byte]) * size] * chunks
    call = world.batch_call(chunks=pieces, raw_hashes=[keccak(b"raw")] * chunks)
    receipt = world.send(call, SEQUENCER)
    world.posted(receipt)
    print(f"post_batch, {chunks} x {size}: {receipt.gas_used} gas of {gas_limit(call)}")
    assert receipt.gas_used * 4 < gas_limit(call) * 3 < TRANSACTION_GAS_MAX * 3


def test_the_small_calls_stay_small(world: World) -> None:
    costs = {"first deposit": world.deposit(ALICE).gas_used}
    costs["second deposit"] = world.deposit(ALICE).gas_used
    world.wait(12)
    call = world.batch_call(chunks=[b"chunk"], raw_hashes=[bytes(32)])
    receipt = world.send(call, SEQUENCER)
    world.posted(receipt)
    costs["post_batch, one small chunk"] = receipt.gas_used

    tree = withdrawals_tree({0: withdrawal_leaf(0, 256, BOB, DOLLAR)})
    sums = {"withdrawn": DOLLAR * 1_000, "cash": DOLLAR * 1_000}
    output = world.output(1, withdrawals_root=tree.root_hash, **sums)
    bond = PARAMETERS.claim_bond
    costs["claim"] = world.send(world.claim_call(output), CLAIMANT, bond).gas_used
    world.wait(PARAMETERS.claim_window)
    costs["confirm"] = world.confirm(output).gas_used
    withdrawal = calls.withdraw(
        parent_claim=GENESIS_CLAIM,
        output=output.pack(),
        index=0,
        account=256,
        recipient=BOB,
        amount=DOLLAR,
        branch=tree.branch(bytes(4)),
    )
    costs["withdraw"] = world.send(withdrawal, BOB).gas_used
    print(costs)
    assert max(costs.values()) < 210_000


def test_a_block_of_l1_holds_fewer_items_than_a_batch_takes(world: World) -> None:
    """So no flood of what anybody may append can make the inbox wait: the next batch has it all."""
    world.deposit(ALICE)
    revocation = calls.revoke_key(account=0x100, key_epoch=1)
    costs = {"revoke_key": [world.send(revocation, BOB).gas_used for _ in range(2)][1]}
    world.send(calls.accept_number(1), CLAIMANT)
    rotation = calls.rotate_owner(account=0x100, new_owner=CLAIMANT)
    costs["rotate_owner, the first"] = world.send(rotation, ALICE).gas_used
    costs["rotate_owner, a further one"] = world.send(rotation, ALICE).gas_used
    print(costs)
    warm = 10_000  # what a transaction saves on every item after its first
    cheapest = min(costs.values()) - TRANSACTION_GAS - warm
    assert 5 * BLOCK_GAS_MAX // cheapest < limits.INBOX_STEPS_MAX


def test_a_batch_takes_many_items_for_the_price_of_one() -> None:
    costs = []
    for items in (1, 40):
        world = World(PyEvm())
        for _ in range(items):
            world.send(calls.revoke_key(account=0x100, key_epoch=1), BOB)
        world.wait(12)
        costs.append(world.send(world.batch_call(), SEQUENCER).gas_used)
    print(f"post_batch, 1 item and 40 items: {costs} gas")
    assert abs(costs[0] - costs[1]) < 1_000


def test_a_change_of_a_market_is_announced_and_applied_for_little(world: World) -> None:
    listing = bytes(range(1, 201))  # as long as one with a tier and a publisher
    calldata = {2: calls.schedule_listing(listing), 5: calls.schedule_parameters(listing)}
    for kind, call in calldata.items():
        scheduled = world.send(call, GOVERNOR).gas_used
        world.wait(PARAMETERS.parameter_delay)
        applied = world.send(calls.apply_scheduled(kind, listing), BOB).gas_used
        print(f"kind {kind}: schedule {scheduled} gas, apply_scheduled {applied} gas")
        assert max(scheduled, applied) < 120_000


def test_a_claim_on_the_longest_header_is_cheaper_than_it_looks(world: World) -> None:
    chunks = [bytes([number]) for number in range(64)]
    world.post(chunks=chunks, raw_hashes=[b"\xff" * 32] * 64)
    call = world.claim_call(world.output(1))
    gas = world.send(call, CLAIMANT, PARAMETERS.claim_bond).gas_used
    print(f"claim, header of 64 chunks: {gas} gas")
    assert gas < 300_000
