"""A rollup with a verifier takes proofs: of its own batches, in their order, and no bonds."""

from dataclasses import replace
from typing import Any

import pytest
from evm_engines import Engine, Reverted
from proof_world import STRANGER, ProofWorld, attested
from protocol_bytes import claim_hash, withdrawal_leaf, withdrawals_tree
from rollup_world import (
    ALICE,
    BOB,
    CLAIMANT,
    DOLLAR,
    GENESIS,
    GENESIS_CLAIM,
    PARAMETERS,
    World,
)

from contracts import calls, views
from contracts.abi import keccak
from contracts.events import ClaimedLog, ConfirmedLog, ProvenLog
from contracts.views import ClaimStatus

SUM = 3 * DOLLAR * 1_000
NOT_PROVEN = "validity: not proven"


@pytest.fixture
def world(engine: Engine) -> ProofWorld:
    """Batches 1 and 2 are posted, with money in the first."""
    world = ProofWorld(engine)
    post_two(world)
    return world


def post_two(world: World) -> None:
    world.deposit(ALICE, 3 * DOLLAR)
    world.wait(12)
    world.post()
    world.wait(12)
    world.post(chunks=[b"chunk"], raw_hashes=[keccak(b"raw")])


def test_a_deployment_says_what_takes_its_proofs(world: ProofWorld) -> None:
    assert world.read(views.VERIFIER) == world.verifier
    assert world.read(views.PROOF_SYSTEM) == "MOCK-ATTESTED"


def test_a_deployment_without_a_verifier_says_so(engine: Engine) -> None:
    world = World(engine)
    assert world.read(views.VERIFIER) == bytes(20)
    assert world.read(views.PROOF_SYSTEM) == ""


def test_what_is_proven_confirms_at_once(world: ProofWorld) -> None:
    output = world.output(1)
    claim = claim_hash(GENESIS_CLAIM, output.pack())
    receipt = world.prove(output)
    assert receipt.output == claim
    assert world.logs(receipt) == [
        ClaimedLog(1, claim, GENESIS_CLAIM, CLAIMANT, output.pack()),
        ConfirmedLog(1, claim),
        ProvenLog(1, claim, "MOCK-ATTESTED"),
    ]
    assert world.read(views.CONFIRMED_HEAD) == views.ConfirmedHead(1, claim)
    record = views.ClaimRecord(world.engine.time, CLAIMANT, ClaimStatus.CONFIRMED, 0, 1)
    assert world.read(views.CLAIM_RECORD, claim) == record
    assert world.engine.balance(world.rollup) == 0


def test_anybody_who_has_a_proof_may_bring_it(world: ProofWorld) -> None:
    world.prove(world.output(1), sender=STRANGER.address)
    assert world.read(views.CONFIRMED_HEAD).batch == 1


def test_the_next_batch_is_proven_behind_the_last(world: ProofWorld) -> None:
    first, second = world.output(1, state_root=keccak(b"after 1")), world.output(2)
    world.prove(first)
    receipt = world.prove(second, grandparent=GENESIS_CLAIM, parent=first.pack())
    claim = claim_hash(claim_hash(GENESIS_CLAIM, first.pack()), second.pack())
    assert world.proven(receipt) == ProvenLog(2, claim, "MOCK-ATTESTED")


def test_a_withdrawal_is_paid_against_a_proven_claim_without_waiting(world: ProofWorld) -> None:
    tree = withdrawals_tree({0: withdrawal_leaf(0, 256, ALICE, DOLLAR)})
    paid = DOLLAR * 1_000
    output = world.output(1, withdrawals_root=tree.root_hash, cash=SUM - paid, withdrawn=paid)
    withdrawal: dict[str, Any] = {
        "parent_claim": GENESIS_CLAIM,
        "output": output.pack(),
        "index": 0,
        "account": 256,
        "recipient": ALICE,
        "amount": DOLLAR,
        "branch": tree.branch(bytes(4)),
    }
    with pytest.raises(Reverted, match="escrow: claim is not confirmed"):
        world.send(calls.withdraw(**withdrawal), BOB)
    world.prove(output)
    world.send(calls.withdraw(**withdrawal), BOB)
    assert world.balance(ALICE) == DOLLAR


# --- the statement is L1's ---


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": 2},
        {"rollup": b"\x09" * 20},
        {"pre_state_root": keccak(b"another state")},
        {"post_state_root": keccak(b"another state")},
        {"batch_hash": keccak(b"another batch")},
        {"inbox_accumulator": bytes(32)},
        {"output_hash": keccak(b"another output")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_proof_of_another_statement_proves_nothing(
    world: ProofWorld, changes: dict[str, Any]
) -> None:
    output = world.output(1)
    with pytest.raises(Reverted, match=NOT_PROVEN):
        world.prove(output, proof=attested(world.statement(output, **changes)))
    assert world.read(views.CONFIRMED_HEAD).batch == 0


def test_a_proof_of_another_output_proves_nothing(world: ProofWorld) -> None:
    """Also where only the withdrawals or a sum differ, and the state root is the same."""
    output = world.output(1)
    proof = attested(world.statement(output))
    for other in (
        replace(output, withdrawals_root=keccak(b"more")),
        replace(output, cash=SUM - 1, fees=1),
        replace(output, steps=output.steps + 1),
        replace(output, state_root=keccak(b"another")),
    ):
        with pytest.raises(Reverted, match=NOT_PROVEN):
            world.prove(other, proof=proof)


def test_a_proof_for_one_rollup_is_none_for_another_behind_the_same_verifier(
    world: ProofWorld,
) -> None:
    other = world.another()
    world.mint(ALICE, 3 * DOLLAR)
    post_two(other)
    output = other.output(1)
    with pytest.raises(Reverted, match=NOT_PROVEN):
        other.prove(output, proof=attested(other.statement(output, rollup=world.rollup)))
    other.prove(output)


def test_a_proof_is_good_once(world: ProofWorld) -> None:
    first = world.output(1)
    proof = attested(world.statement(first))
    world.prove(first, proof=proof)
    with pytest.raises(Reverted, match="validity: parent is not the last"):
        world.prove(first, proof=proof)
    with pytest.raises(Reverted, match="claims: batch is not the next"):
        world.prove(first, proof=proof, grandparent=GENESIS_CLAIM, parent=first.pack())


def test_no_batch_is_passed_over(world: ProofWorld) -> None:
    """Batch 2 behind genesis, and behind an output of batch 1 that nobody has proven."""
    first, second = world.output(1), world.output(2)
    with pytest.raises(Reverted, match="claims: batch is not the next"):
        world.prove(second)
    with pytest.raises(Reverted, match="validity: parent is not the last"):
        world.prove(second, grandparent=GENESIS_CLAIM, parent=first.pack())
    world.prove(first)
    world.prove(second, grandparent=GENESIS_CLAIM, parent=first.pack())


@pytest.mark.parametrize(
    "changes",
    [
        {"grandparent": GENESIS_CLAIM},
        {"parent": GENESIS[:-1] + b"\x01"},
        {"parent": GENESIS[:-1]},
        {"parent": b""},
    ],
)
def test_the_parent_is_taken_apart_truly(world: ProofWorld, changes: dict[str, Any]) -> None:
    proof = attested(world.statement(world.output(1)))
    with pytest.raises(Reverted, match="validity: parent is not the last"):
        world.prove(world.output(1), proof=proof, **changes)


def test_what_l1_knows_itself_no_proof_can_change(world: ProofWorld) -> None:
    for changes, reason in (
        ({"deposited": SUM + 1, "cash": SUM + 1}, "outputs: wrong deposits"),
        ({"cash": SUM + 1}, "outputs: money is not conserved"),
        ({"long_lots": 1}, "outputs: longs are not shorts"),
        ({"batch_hash": keccak(b"another")}, "claims: wrong batch hash"),
        ({"version": 2}, "claims: unknown version"),
        ({"steps": 0}, "outputs: steps out of range"),
    ):
        with pytest.raises(Reverted, match=reason):
            world.prove(replace(world.output(1), **changes))
    with pytest.raises(Reverted, match="claims: wrong header"):
        world.prove(world.output(1), header=world.batches[2].header)
    with pytest.raises(Reverted, match="claims: wrong output length"):
        world.prove(world.output(1), packed=world.output(1).pack()[:-1])


# --- one mode or the other ---


def test_nothing_is_claimed_under_bond_where_claims_are_proven(world: ProofWorld) -> None:
    output = world.output(1)
    output_hash = keccak(output.pack())
    for data, value in (
        (world.claim_call(output), PARAMETERS.claim_bond),
        (calls.confirm(parent_claim=GENESIS_CLAIM, output_hash=output_hash), 0),
        (calls.reject(parent_claim=GENESIS_CLAIM, output_hash=output_hash), 0),
        (calls.reopen(GENESIS_CLAIM), 0),
    ):
        with pytest.raises(Reverted, match="claims: this venue takes proofs"):
            world.send(data, CLAIMANT, value)


def test_nothing_is_proven_where_claims_stand_under_bond(world: ProofWorld) -> None:
    proof = attested(world.statement(world.output(1)))
    output, header = world.output(1).pack(), world.batches[1].header
    world.rollup = world.optimistic
    data = calls.prove_claim(
        grandparent=bytes(32), parent_output=GENESIS, output=output, header=header, proof=proof
    )
    with pytest.raises(Reverted, match="validity: no verifier is set"):
        world.send(data, CLAIMANT)


def test_a_contract_that_names_no_proof_system_is_no_verifier(world: ProofWorld) -> None:
    """Told before anybody has deposited: a token is no verifier."""
    contracts = calls.ProofContracts(chunks=world.chunks, verifier=world.token)
    with pytest.raises(Reverted):
        world.engine.deploy(world.deployment(proof_contracts=contracts), sender=BOB)


def test_a_proof_costs_little_more_than_a_claim(world: ProofWorld) -> None:
    gas = world.prove(world.output(1)).gas_used
    print(f"prove_claim: {gas} gas")
    assert gas < 250_000
