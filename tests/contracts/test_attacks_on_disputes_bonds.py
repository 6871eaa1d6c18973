"""Attacks on bonds and payments: who pays, who is paid, and that it is never more than came in.

Games are of the toy machine, and after every call the contract holds exactly what it owes. The
number of an id is the case of the table in docs/testing.md.
"""

import pytest
import toy_calls
from dispute_ends import both, check_won
from dispute_world import ETHER, GWEI, HONEST, INSURANCE, LIAR, OTHER, PEOPLE, WATCHER, DisputeWorld
from evm_engines import Engine, Reverted
from toy_machine import HEIGHT, later, lying
from toy_rollup import REJECTED

from contracts import disputes
from contracts.abi import Function, keccak
from prover.dispute import payments

LIE = lying({5: later(1)})
PRICE = 20 * GWEI
BEHAVE, ASK = Function("behave", ("uint256",)), Function("ask", ("bytes",))
REFUSE = 1


@pytest.fixture
def world(engine: Engine) -> DisputeWorld:
    engine.gas_price = PRICE
    return DisputeWorld(engine)


# --- who takes a payment ---


def test_a_receiver_that_refuses_keeps_nobody_from_anything(world: DisputeWorld) -> None:
    """Case 56: what it is owed stays its own, and everybody else is paid."""
    contract = world.receiver()
    right, _, match = both(world, LIE, honest_first=True)
    while world.match(match).height > 0:
        world.send_through(contract, world.next_move(match))
    world.engine.send(contract, BEHAVE.encode(REFUSE), sender=OTHER)
    world.settle(match, right, WATCHER)
    world.send_through(contract, disputes.collect(match))
    owed = world.credits(contract)
    assert owed == 2 * payments.ADVANCE_GAS * PRICE
    with pytest.raises(Reverted):
        world.send_through(contract, disputes.withdraw())
    assert world.credits(contract) == owed
    world.withdraw(WATCHER)
    world.withdraw(INSURANCE)
    world.engine.send(contract, BEHAVE.encode(0), sender=OTHER)
    world.send_through(contract, disputes.withdraw())
    assert world.engine.balance(contract) == owed


def test_a_receiver_that_asks_again_while_it_is_paid_gets_nothing_more(
    world: DisputeWorld,
) -> None:
    """Case 56: to withdraw, to collect, to redeem, from within the payment."""
    contract = world.receiver()
    right, wrong, match = both(world, LIE, honest_first=True)
    while world.match(match).height > 0:
        world.send_through(contract, world.next_move(match))
    settle = toy_calls.settle(match, world.match(match).index, right.trace)
    world.send_through(contract, settle)
    assert world.credits(contract) == payments.SETTLE_GAS * PRICE
    for again, worth in (
        (disputes.withdraw(), 0),
        (disputes.redeem(wrong.id), 0),
        (disputes.collect(match), 2 * payments.ADVANCE_GAS * PRICE),
    ):
        world.engine.send(contract, ASK.encode(again), sender=OTHER)
        before = world.engine.balance(contract) + world.credits(contract)
        world.send_through(contract, disputes.withdraw())
        assert world.engine.balance(contract) + world.credits(contract) == before + worth
        world.forfeit(ETHER // 100, contract)


def test_nothing_is_sent_to_anybody_who_does_not_ask(world: DisputeWorld) -> None:
    """Case 56: a whole dispute moves no ether but that of the calls themselves."""
    right, wrong, match = both(world, LIE, honest_first=True)
    before = [world.engine.balance(somebody) for somebody in (*PEOPLE, INSURANCE)]
    world.fight(match, right)
    check_won(world, right, wrong)
    world.confirm(right.claim)
    world.redeem(right)
    world.collect(match)
    assert [world.engine.balance(somebody) for somebody in (*PEOPLE, INSURANCE)] == before


# --- whose entry it is ---


def test_an_entry_belongs_to_who_called_and_not_to_who_signed(world: DisputeWorld) -> None:
    """Case 57: an entry through a contract is the contract's; its caller cannot withdraw for it."""
    contract = world.receiver()
    entry = world.enter_through(contract, world.honest())
    assert world.entry(entry.id).owner == contract
    world.end_entries()
    world.confirm(entry.claim)
    world.redeem(entry, OTHER)
    assert world.credits(contract) == world.terms.entry_bond
    assert world.credits(OTHER) == 0
    with pytest.raises(Reverted, match="payments: nothing to withdraw"):
        world.withdraw(OTHER)


def test_a_trace_that_is_entered_first_by_a_copier_pays_those_who_play_it(
    world: DisputeWorld,
) -> None:
    """Case 57: the first keeps the entry and risks the bond; the moves are paid to the movers."""
    copied = world.enter(world.honest(), OTHER)
    before = world.engine.balance(HONEST)
    with pytest.raises(Reverted, match="entries: entered already"):
        world.enter(world.honest(), HONEST)
    assert world.engine.balance(HONEST) == before
    rival = world.enter(LIE)
    match = world.match_of(copied)
    while world.match(match).height > 0:
        world.advance(match, HONEST if world.mover(match) == copied else LIAR)
    world.settle(match, copied, HONEST)
    check_won(world, copied, rival)
    world.collect(match, HONEST)
    with pytest.raises(Reverted, match="matches: nothing to collect"):
        world.collect(match, HONEST)
    for nobody in (OTHER, LIAR):
        with pytest.raises(Reverted, match="matches: nothing to collect"):
            world.collect(match, nobody)
    moves = HEIGHT // 2
    paid = (moves * payments.ADVANCE_GAS + payments.SETTLE_GAS) * PRICE
    assert world.credits(HONEST) == paid
    assert world.credits(OTHER) == 0


def test_moves_for_a_side_that_loses_are_paid_by_nobody(world: DisputeWorld) -> None:
    """Case 57: whoever helps a liar gets nothing for it, also where both sides lose."""
    right, wrong, match = both(world, LIE, honest_first=True)
    while world.match(match).height > 0:
        world.advance(match, WATCHER if world.mover(match) == wrong else HONEST)
    world.settle(match, right)
    with pytest.raises(Reverted, match="matches: nothing to collect"):
        world.collect(match, WATCHER)
    both_wrong = [lying({2: later(1)}), lying({2: later(2)})]
    world.end_entries()
    world.contest()
    first, _ = (world.enter(trace) for trace in both_wrong)
    match = world.match_of(first)
    world.fight(match, first, WATCHER)
    with pytest.raises(Reverted, match="matches: nobody won"):
        world.collect(match, WATCHER)


# --- both sides by one hand ---


def test_who_plays_both_sides_loses_at_least_what_is_not_gas(world: DisputeWorld) -> None:
    """Case 58: of a bond at most the table's gas comes back; here gas itself costs nothing."""
    before, claim_bond = world.wealth(LIAR, OTHER), ETHER // 2
    right, wrong = world.enter(world.honest(), OTHER), world.enter(LIE, LIAR)
    match = world.match_of(right)
    world.fight(match, right, LIAR)
    check_won(world, right, wrong)
    world.confirm(right.claim)
    world.redeem(right, OTHER)
    world.collect(match, LIAR)
    world.claim(LIE, REJECTED)
    world.forfeit(claim_bond, LIAR)
    gas = HEIGHT // 2 * payments.ADVANCE_GAS + payments.SETTLE_GAS
    gas += payments.REJECT_GAS + payments.ENTER_GAS
    spent = world.terms.entry_bond + claim_bond
    assert before - world.wealth(LIAR, OTHER) == spent - gas * PRICE
    assert world.credits(INSURANCE) == spent - gas * PRICE
    assert gas * PRICE < spent // 4


# --- bonds and the sums of them ---


@pytest.mark.parametrize("more", [-ETHER, -1, 1, ETHER], ids=lambda more: f"60 {more:+}")
def test_a_bond_is_exact(world: DisputeWorld, more: int) -> None:
    """Case 60: it is ether that comes with the call, so no token can give less than it says."""
    trace = world.honest()
    with pytest.raises(Reverted, match="entries: not the exact bond"):
        world.enter(trace, HONEST, world.terms.entry_bond + more)
    with pytest.raises(Reverted):
        world.engine.send(world.address, b"", sender=HONEST, value=1)
    with pytest.raises(Reverted):
        world.send(disputes.collect(keccak(b"none")), HONEST, 1)
    world.enter(trace, HONEST)


def test_only_the_rollup_brings_the_bonds_of_claims(world: DisputeWorld) -> None:
    """Case 60: nobody else can have somebody paid for a winner, or once more."""
    right, wrong, match = both(world, LIE, honest_first=True)
    data = disputes.FORFEITED.encode(world.parent, world.contested_at, LIAR)
    with pytest.raises(Reverted, match="disputes: not the rollup"):
        world.send(data, LIAR, ETHER)
    world.fight(match, right)
    check_won(world, right, wrong)
    before = world.credits(HONEST)
    for _ in range(3):
        world.forfeit(ETHER)
    assert world.credits(HONEST) - before == payments.ENTER_GAS * PRICE
    assert world.credits(WATCHER) == 3 * payments.REJECT_GAS * PRICE


@pytest.mark.parametrize("base_fee", [0, 1, 50 * GWEI, 50 * GWEI + 1, 10**6 * GWEI])
@pytest.mark.parametrize("ending", ["settle", "refute", "time out"])
def test_no_base_fee_makes_a_bond_pay_more_than_it_is(
    engine: Engine, base_fee: int, ending: str
) -> None:
    """Case 60: the bond is the dearest match to the wei, and every payment is capped."""
    cap = 50 * GWEI
    dearest = payments.dearest_match(HEIGHT, cap)
    world = DisputeWorld(engine, entry_bond=dearest)
    world.engine.gas_price = base_fee
    right, wrong, match = both(world, LIE, honest_first=True)
    gas = {"settle": payments.SETTLE_GAS, "refute": payments.REFUTE_GAS}
    if ending == "time out":
        world.advance(match)
        world.begin_clocks()
        world.wait(world.terms.clock + 1)
        world.time_out(match)
    elif ending == "settle":
        world.fight(match, right)
    else:
        world.descend(match)
        world.refute(wrong, 5)
    moves = 1 if ending == "time out" else HEIGHT // 2
    price = min(base_fee, cap)
    called = gas.get(ending, payments.TIME_OUT_GAS) * price
    assert world.credits(HONEST) == called
    assert world.uncollected() == moves * payments.ADVANCE_GAS * price
    assert world.credits(INSURANCE) == dearest - called - world.uncollected()


def test_credits_are_withdrawn_once_and_by_their_owner(world: DisputeWorld) -> None:
    """Case 56: each their own, all of it, and nothing the second time."""
    right, _, match = both(world, LIE, honest_first=True)
    world.fight(match, right)
    owed, before = world.credits(HONEST), world.engine.balance(HONEST)
    with pytest.raises(Reverted, match="payments: nothing to withdraw"):
        world.withdraw(LIAR)
    world.withdraw(HONEST)
    assert world.engine.balance(HONEST) == before + owed
    with pytest.raises(Reverted, match="payments: nothing to withdraw"):
        world.withdraw(HONEST)
