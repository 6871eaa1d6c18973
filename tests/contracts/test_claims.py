"""Claims: what L1 knows itself it checks at once, the rest it leaves to rivals and time."""

from dataclasses import replace
from typing import TypeVar

import pytest
from decided_world import NOBODY_WON, WON, DecidedWorld
from evm_engines import Engine, Reverted
from protocol_bytes import Output, claim_hash
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
from contracts.abi import Function, keccak
from contracts.events import (
    ClaimBondWithdrawnLog,
    ClaimedLog,
    ConfirmedLog,
    ContestedLog,
    RejectedLog,
)
from contracts.views import ClaimStatus

SUM = 3 * DOLLAR * 1_000
W = TypeVar("W", bound=World)


@pytest.fixture
def posted(world: World) -> World:
    """Batch 1 with two deposits of three dollars together, batch 2 with one chunk."""
    return with_batches(world)


@pytest.fixture
def decided(engine: Engine) -> DecidedWorld:
    """The same, and two rival claims on batch 1, which a test decides."""
    world = with_batches(DecidedWorld(engine))
    world.claim(right(world))
    world.wait(100)
    world.claim(false(world), sender=RIVAL)
    return world


def with_batches(world: W) -> W:
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


def right(world: World) -> Output:
    """What batch 1 ends in."""
    return world.output(1)


def false(world: World, number: int = 0) -> Output:
    """Something else that L1 cannot fault."""
    return world.output(1, state_root=keccak(b"false%d" % number))


def claim_of(output: Output, parent: bytes = GENESIS_CLAIM) -> bytes:
    return claim_hash(parent, output.pack())


def test_a_second_claim_contests_its_parent_once(posted: World) -> None:
    posted.claim(right(posted))
    assert posted.read(views.CONTESTED_AT, GENESIS_CLAIM) == 0
    posted.wait(100)
    times = []
    for number in range(2):
        call = posted.claim_call(false(posted, number))
        receipt = posted.send(call, RIVAL, PARAMETERS.claim_bond)
        times += [log.time for log in posted.logs(receipt) if isinstance(log, ContestedLog)]
        assert posted.read(views.CLAIM_RECORD, GENESIS_CLAIM).children == 2
        posted.wait(100)
    assert times == [posted.read(views.CONTESTED_AT, GENESIS_CLAIM)]
    assert times == [posted.engine.time - 200]


def test_what_stood_for_its_window_cannot_be_contested(posted: World) -> None:
    """Also where its parent is undecided: no row of rivals, each at the last second, holds up
    for ever what nobody contradicted in time.
    """
    posted.claim(right(posted))
    first = claim_of(right(posted))
    posted.claim(posted.output(2), parent=first)
    posted.wait(PARAMETERS.claim_window)
    posted.claim(false(posted))
    posted.wait(1)
    with pytest.raises(Reverted, match="claims: too late for a rival"):
        posted.claim(posted.output(2, steps=9), parent=first)
    assert posted.read(views.CONTESTED_AT, first) == 0


def test_a_rival_is_in_time_until_the_last_second_of_the_window(posted: World) -> None:
    posted.claim(right(posted))
    posted.wait(PARAMETERS.claim_window)
    posted.claim(false(posted))
    posted.wait(PARAMETERS.claim_window)
    posted.claim(false(posted, 1))
    posted.wait(1)
    with pytest.raises(Reverted, match="claims: too late for a rival"):
        posted.claim(false(posted, 2))
    posted.claim(posted.output(2), parent=claim_of(right(posted)))


def test_the_winner_of_a_dispute_confirms_and_no_other(decided: DecidedWorld) -> None:
    contested = decided.read(views.CONTESTED_AT, GENESIS_CLAIM)
    decided.wait(PARAMETERS.claim_window)
    for output in (right(decided), false(decided)):
        with pytest.raises(Reverted, match="claims: rivals are undecided"):
            decided.confirm(output)
    decided.decide(GENESIS_CLAIM, contested, WON, claim_of(right(decided)))
    with pytest.raises(Reverted, match="claims: rivals are undecided"):
        decided.confirm(false(decided))
    decided.confirm(right(decided))
    assert decided.read(views.CONFIRMED_HEAD).claim == claim_of(right(decided))
    assert decided.read(views.CLAIM_BONDS, CLAIMANT) == PARAMETERS.claim_bond


def test_a_winner_confirms_no_sooner_than_its_window_is_over(decided: DecidedWorld) -> None:
    late = false(decided, 1)
    decided.wait(100)
    decided.claim(late, sender=RIVAL)
    contested = decided.read(views.CONTESTED_AT, GENESIS_CLAIM)
    decided.decide(GENESIS_CLAIM, contested, WON, claim_of(late))
    decided.wait(PARAMETERS.claim_window - 1)
    with pytest.raises(Reverted, match="claims: window is open"):
        decided.confirm(late)
    decided.wait(1)
    decided.confirm(late)


def test_what_was_passed_over_is_rejected_once(decided: DecidedWorld) -> None:
    """And everything that descends from it, whose parent was never contested."""
    loser, child = false(decided), decided.output(2)
    parent = claim_of(loser)
    decided.claim(child, parent=parent, sender=RIVAL)
    contested = decided.read(views.CONTESTED_AT, GENESIS_CLAIM)
    decided.decide(GENESIS_CLAIM, contested, WON, claim_of(right(decided)))
    decided.wait(PARAMETERS.claim_window)
    decided.confirm(right(decided))

    def reject(output: Output, parent: bytes) -> bytes:
        return calls.reject(parent_claim=parent, output_hash=keccak(output.pack()))

    with pytest.raises(Reverted, match="claims: claim may still confirm"):
        decided.send(reject(child, parent), BOB)
    receipt = decided.send(reject(loser, GENESIS_CLAIM), BOB)
    assert decided.logs(receipt)[:1] == [RejectedLog(1, parent)]
    expected = (GENESIS_CLAIM, contested, BOB, PARAMETERS.claim_bond)
    assert decided.forfeited(receipt) == expected
    assert decided.read(views.CLAIM_RECORD, parent).status is ClaimStatus.REJECTED
    with pytest.raises(Reverted, match="claims: not a pending claim"):
        decided.send(reject(loser, GENESIS_CLAIM), BOB)
    with pytest.raises(Reverted, match="claims: not a pending claim"):
        decided.confirm(loser)
    with pytest.raises(Reverted, match="claims: parent is rejected"):
        decided.claim(decided.output(2, steps=9), parent=parent)

    decided.settle(child, parent=claim_of(right(decided)))
    receipt = decided.send(reject(child, parent), BOB)
    assert decided.forfeited(receipt) == (parent, 0, BOB, PARAMETERS.claim_bond)
    # Two claims were settled, two were forfeited; nothing else is there.
    assert decided.engine.balance(decided.rollup) == 2 * PARAMETERS.claim_bond
    assert decided.engine.balance(decided.disputes) == 2 * PARAMETERS.claim_bond


def test_a_child_of_what_was_passed_over_cannot_confirm(decided: DecidedWorld) -> None:
    child, parent = decided.output(2), claim_of(false(decided))
    decided.claim(child, parent=parent, sender=RIVAL)
    contested = decided.read(views.CONTESTED_AT, GENESIS_CLAIM)
    decided.decide(GENESIS_CLAIM, contested, WON, claim_of(right(decided)))
    decided.wait(PARAMETERS.claim_window)
    decided.confirm(right(decided))
    with pytest.raises(Reverted, match="claims: parent is not confirmed"):
        decided.confirm(child, parent=parent)
    with pytest.raises(Reverted, match="claims: parent is rejected"):
        decided.claim(decided.output(2, steps=9), parent=parent)


def test_a_dispute_that_nobody_won_is_opened_anew(decided: DecidedWorld) -> None:
    contested = decided.read(views.CONTESTED_AT, GENESIS_CLAIM)
    decided.wait(2 * PARAMETERS.claim_window)
    reopen = calls.reopen(GENESIS_CLAIM)
    with pytest.raises(Reverted, match="claims: not without a winner"):
        decided.send(reopen, BOB)
    decided.decide(GENESIS_CLAIM, contested, NOBODY_WON, bytes(32))
    with pytest.raises(Reverted, match="claims: too late for a rival"):
        decided.claim(false(decided, 1))
    now = decided.engine.time
    assert decided.logs(decided.send(reopen, BOB)) == [ContestedLog(1, GENESIS_CLAIM, now)]
    assert decided.read(views.CONTESTED_AT, GENESIS_CLAIM) == now
    with pytest.raises(Reverted, match="claims: not without a winner"):
        decided.send(reopen, BOB)
    third = false(decided, 1)
    decided.claim(third)
    decided.decide(GENESIS_CLAIM, now, WON, claim_of(third))
    decided.wait(PARAMETERS.claim_window)
    decided.confirm(third)


def test_where_nobody_decides_nothing_is_opened_anew(posted: World) -> None:
    for output in (right(posted), false(posted)):
        posted.claim(output)
    posted.wait(2 * PARAMETERS.claim_window)
    for parent in (GENESIS_CLAIM, claim_of(right(posted)), bytes(32)):
        with pytest.raises(Reverted, match="claims: not without a winner"):
            posted.send(calls.reopen(parent), BOB)


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
    ask = Function("ask", ("bytes",)).encode(calls.claim_bond_withdraw())
    posted.engine.send(receiver, ask, sender=RIVAL)
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
