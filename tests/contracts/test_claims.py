"""Claims: what L1 knows itself it checks at once, the rest it leaves to rivals and time."""

from dataclasses import replace

import pytest
from evm_engines import Reverted
from protocol_bytes import Output, claim_hash
from rollup_world import (
    ALICE,
    CLAIMANT,
    DOLLAR,
    GENESIS_CLAIM,
    PARAMETERS,
    RIVAL,
    World,
)

from contracts import calls, views
from contracts.abi import Function, keccak
from contracts.events import ClaimBondWithdrawnLog, ClaimedLog, ConfirmedLog
from contracts.views import ClaimStatus

SUM = 3 * DOLLAR * 1_000


@pytest.fixture
def posted(world: World) -> World:
    """Batch 1 with two deposits of three dollars together, batch 2 with one chunk."""
    world.deposit(ALICE, DOLLAR)
    world.deposit(ALICE, 2 * DOLLAR)
    world.wait(12)
    world.post()
    world.deposit(ALICE, 5 * DOLLAR)
    world.wait(12)
    world.post(inbox_to=2, chunks=[b"chunk"], raw_hashes=[keccak(b"raw")])
    return world


def test_genesis_is_confirmed_from_the_start(world: World) -> None:
    assert world.read(views.GENESIS_CLAIM) == GENESIS_CLAIM
    assert world.read(views.CONFIRMED_HEAD) == views.ConfirmedHead(0, GENESIS_CLAIM)
    record = views.ClaimRecord(world.engine.time, bytes(20), ClaimStatus.CONFIRMED, 0, 0)
    assert world.read(views.CLAIM_RECORD, GENESIS_CLAIM) == record


def test_a_claim_is_recorded_and_logged(posted: World) -> None:
    output = posted.output(1)
    claim = claim_hash(GENESIS_CLAIM, output.pack())
    receipt = posted.send(posted.claim_call(output), CLAIMANT, PARAMETERS.claim_bond)
    assert receipt.output == claim
    assert posted.logs(receipt) == [ClaimedLog(1, claim, GENESIS_CLAIM, CLAIMANT, output.pack())]
    record = views.ClaimRecord(posted.engine.time, CLAIMANT, ClaimStatus.PENDING, 0, 1)
    assert posted.read(views.CLAIM_RECORD, claim) == record
    assert posted.read(views.CLAIM_RECORD, GENESIS_CLAIM).children == 1
    assert posted.engine.balance(posted.rollup) == PARAMETERS.claim_bond


@pytest.mark.parametrize(
    "changes",
    [
        {"cash": SUM},
        {"cash": 0, "withdrawn": SUM},
        {"cash": SUM - 6, "pools": 3, "insurance": 2, "fees": 1},
        {"cash": -SUM, "pools": 2 * SUM},
        {"cash": 2 * SUM, "pools": -SUM},
        {"cash": SUM - 1, "pools": -(2**127), "insurance": 2**127, "fees": 1},
        {"cash": -(2**127), "insurance": 2**127 + SUM},
        {"long_lots": 2**128 - 1, "short_lots": 2**128 - 1},
        {"bad_debt": 2**128 - 1, "dust": -1},
        {"steps": 1},
        {"steps": 65_536},
        {"state_root": bytes(32), "withdrawals_root": bytes(32)},
    ],
)
def test_what_l1_cannot_fault_may_be_claimed(posted: World, changes: dict[str, int]) -> None:
    output = replace(posted.output(1), **changes)  # type: ignore[arg-type]
    assert posted.claim(output) == claim_hash(GENESIS_CLAIM, output.pack())


NOT_CONSERVED = "outputs: money is not conserved"
UNEVEN = "outputs: longs are not shorts"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 0}, "claims: unknown version"),
        ({"version": 257}, "claims: unknown version"),
        ({"steps": 0}, "outputs: steps out of range"),
        ({"steps": 65_537}, "outputs: steps out of range"),
        ({"inbox": 1, "deposited": DOLLAR * 1_000}, "claims: wrong inbox cursor"),
        ({"inbox": 3, "deposited": 8 * DOLLAR * 1_000}, "claims: wrong inbox cursor"),
        ({"deposited": SUM - 1, "cash": SUM - 1}, "outputs: wrong deposits"),
        ({"deposited": SUM + 1, "cash": SUM + 1}, "outputs: wrong deposits"),
        ({"deposited": SUM // 1_000, "cash": SUM // 1_000}, "outputs: wrong deposits"),
        ({"cash": SUM - 1}, NOT_CONSERVED),
        ({"cash": SUM + 1}, NOT_CONSERVED),
        ({"pools": 1}, NOT_CONSERVED),
        ({"pools": -1}, NOT_CONSERVED),
        ({"insurance": 1}, NOT_CONSERVED),
        ({"fees": 1}, NOT_CONSERVED),
        ({"withdrawn": 1}, NOT_CONSERVED),
        ({"cash": SUM - 2, "fees": 1}, NOT_CONSERVED),
        ({"long_lots": 1}, UNEVEN),
        ({"short_lots": 1}, UNEVEN),
        ({"long_lots": 2**127, "short_lots": 2**127 - 1}, UNEVEN),
    ],
)
def test_what_contradicts_l1_is_refused(
    posted: World, changes: dict[str, int], reason: str
) -> None:
    with pytest.raises(Reverted) as refusal:
        posted.claim(replace(posted.output(1), **changes))  # type: ignore[arg-type]
    assert refusal.value.reason == reason
    assert posted.read(views.CLAIM_RECORD, GENESIS_CLAIM).children == 0


@pytest.mark.parametrize("length", [0, 1, 277])
def test_a_short_output_is_refused(posted: World, length: int) -> None:
    packed = posted.output(1).pack()[:length]
    with pytest.raises(Reverted, match="claims: wrong output length"):
        posted.claim(posted.output(1), packed=packed)


def test_a_long_output_is_refused(posted: World) -> None:
    with pytest.raises(Reverted):
        posted.claim(posted.output(1), packed=posted.output(1).pack() + b"\0")


@pytest.mark.parametrize("value", [0, PARAMETERS.claim_bond - 1, PARAMETERS.claim_bond + 1])
def test_the_bond_is_exact(posted: World, value: int) -> None:
    with pytest.raises(Reverted, match="claims: not the exact bond"):
        posted.claim(posted.output(1), value=value)


def test_the_header_of_another_batch_is_refused(posted: World) -> None:
    with pytest.raises(Reverted, match="claims: wrong header"):
        posted.claim(posted.output(1), header=posted.batches[2].header)


def test_claims_may_run_ahead_of_confirmation(posted: World) -> None:
    first, second = posted.output(1), posted.output(2)
    parent = posted.claim(first)
    posted.claim(second, parent=parent)
    posted.wait(PARAMETERS.claim_window)
    with pytest.raises(Reverted, match="claims: parent is not confirmed"):
        posted.confirm(second, parent=parent)
    posted.confirm(first)
    posted.confirm(second, parent=parent)
    head = views.ConfirmedHead(2, claim_hash(parent, second.pack()))
    assert posted.read(views.CONFIRMED_HEAD) == head


def test_the_window_is_over_on_its_last_second(posted: World) -> None:
    output = posted.output(1)
    claim = posted.claim(output)
    posted.wait(PARAMETERS.claim_window - 1)
    with pytest.raises(Reverted, match="claims: window is open"):
        posted.confirm(output)
    posted.wait(1)
    assert posted.logs(posted.confirm(output)) == [ConfirmedLog(1, claim)]
    assert posted.read(views.CLAIM_RECORD, claim).status is ClaimStatus.CONFIRMED
    assert posted.read(views.CONFIRMED_HEAD) == views.ConfirmedHead(1, claim)


def test_rivals_stall_each_other_for_ever(posted: World) -> None:
    honest, false = posted.output(1), posted.output(1, state_root=keccak(b"false"))
    posted.claim(honest)
    posted.wait(PARAMETERS.claim_window)
    posted.claim(false, sender=RIVAL)
    posted.wait(100 * PARAMETERS.claim_window)
    for output in (honest, false):
        with pytest.raises(Reverted, match="claims: rivals are undecided"):
            posted.confirm(output)
    assert posted.read(views.CONFIRMED_HEAD).batch == 0


def test_a_rival_of_the_parent_does_not_count_against_the_child(posted: World) -> None:
    first = posted.output(1)
    parent = posted.settle(first)
    second = posted.output(2)
    posted.settle(second, parent=parent)
    with pytest.raises(Reverted, match="claims: batch is settled"):
        posted.claim(replace(first, steps=9), sender=RIVAL)
    assert posted.read(views.CONFIRMED_HEAD).batch == 2


def test_an_unknown_claim_cannot_be_confirmed(posted: World) -> None:
    with pytest.raises(Reverted, match="claims: not a pending claim"):
        posted.confirm(posted.output(1))
    with pytest.raises(Reverted, match="claims: not a pending claim"):
        posted.send(calls.confirm(parent_claim=bytes(32), output_hash=keccak(genesis())), RIVAL)


def genesis() -> bytes:
    """The genesis output of the test deployment."""
    return Output(batch=0, batch_hash=bytes(32), steps=0).pack()


def test_a_settled_bond_is_fetched_once(posted: World) -> None:
    before = posted.engine.balance(CLAIMANT)
    posted.settle(posted.output(1))
    assert posted.read(views.CLAIM_BONDS, CLAIMANT) == PARAMETERS.claim_bond
    receipt = posted.send(calls.claim_bond_withdraw(), CLAIMANT)
    assert posted.logs(receipt) == [ClaimBondWithdrawnLog(CLAIMANT, PARAMETERS.claim_bond)]
    assert posted.engine.balance(CLAIMANT) == before
    with pytest.raises(Reverted, match="claims: no bond to withdraw"):
        posted.send(calls.claim_bond_withdraw(), CLAIMANT)


def test_a_receiver_that_asks_again_gets_its_bond_once(posted: World) -> None:
    receiver = posted.mock("bond_receiver")
    behave = Function("behave", ("uint256",)).encode(2)
    posted.engine.send(receiver, behave, sender=RIVAL)
    first, second = posted.output(1), posted.output(2)
    parent = posted.settle(first)
    posted.send_through(receiver, posted.claim_call(second, parent=parent), PARAMETERS.claim_bond)
    posted.wait(PARAMETERS.claim_window)
    posted.confirm(second, parent=parent)

    posted.send_through(receiver, calls.claim_bond_withdraw())
    assert posted.engine.balance(receiver) == PARAMETERS.claim_bond
    assert posted.engine.balance(posted.rollup) == PARAMETERS.claim_bond
    for flag, expected in (("asked_again", 1), ("second_answer", 0)):
        answer = posted.engine.call(receiver, Function(flag).encode())
        assert int.from_bytes(answer, "big") == expected
