"""The contract of disputes: what it is deployed with, published traces, and who is paid."""

import pytest
import toy_calls
from dispute_refusals import deploy
from dispute_world import (
    ETHER,
    GWEI,
    HONEST,
    INSURANCE,
    LIAR,
    OTHER,
    TERMS,
    WATCHER,
    DisputeWorld,
    Entry,
)
from evm_engines import TRANSACTION_GAS, TRANSACTION_GAS_MAX, Engine, PyEvm, Reverted
from toy_machine import ToyBatch, honest, later, lying

from contracts import dispute_views as views
from contracts.compiler import RUNTIME_BYTES_MAX, SOURCES
from contracts.dispute_events import CreditedLog, EnteredLog, PublishedLog, Why
from contracts.dispute_views import EntryStatus, ResultStatus
from contracts.disputes import PUBLISHED_STEPS_MAX

PRICE = 20 * GWEI
FALSE_AT = 6
CALLDATA_GAS_TO_COME = 64


def table() -> dict[str, int]:
    """The gas that calls are paid for."""
    words = (line.split() for line in (SOURCES / "payments.vy").read_text().splitlines())
    return {x[0][:-5]: int(x[-1]) for x in words if x and x[0].endswith("_GAS:")}


GAS = table()


@pytest.fixture
def world(engine: Engine) -> DisputeWorld:
    return DisputeWorld(engine)


def credited(world: DisputeWorld, why: Why) -> list[tuple[bytes, int]]:
    """Who was credited what so far for this."""
    found = (log for log in world.log if isinstance(log, CreditedLog))
    return [(log.account, log.amount) for log in found if log.why == why]


def decided(world: DisputeWorld) -> tuple[bytes, Entry, Entry]:
    """A match, its right entry which waited, and the false one that lost it."""
    right, false = world.enter(honest(), HONEST), world.enter(lying({FALSE_AT: later(1)}))
    match = world.match_of(right)
    world.fight(match, right)
    return match, right, false


# --- deployment ---


def test_a_contract_says_of_itself_what_it_was_given(world: DisputeWorld) -> None:
    for name in TERMS.__struct_fields__:
        assert world.read(getattr(views, name.upper())) == getattr(TERMS, name)
    assert world.read(views.ROLLUP) == world.rollup
    assert world.read(views.INSURANCE) == INSURANCE


def test_what_is_deployed_fits(world: DisputeWorld) -> None:
    assert len(world.engine.code(world.address)) <= RUNTIME_BYTES_MAX


def test_both_halves_publish_as_many_roots() -> None:
    written = f"PUBLISHED_STEPS_MAX: constant(uint256) = {PUBLISHED_STEPS_MAX:_}\n"
    assert written in (SOURCES / "traces.vy").read_text()


@pytest.mark.parametrize("height", [1, 4, 15, 16])
def test_a_bond_pays_for_the_dearest_match_to_the_wei(world: DisputeWorld, height: int) -> None:
    moves = (height + 1) // 2
    dearest = (moves * GAS["ADVANCE"] + max(GAS["SETTLE"], GAS["REFUTE"])) * TERMS.base_fee_cap
    deploy(world, height=height, entry_bond=dearest)
    with pytest.raises(Reverted, match="disputes: bond is below the dearest match"):
        deploy(world, height=height, entry_bond=dearest - 1)


def test_no_end_of_a_match_is_dearer_than_a_proof() -> None:
    assert GAS["TIME_OUT"] <= max(GAS["SETTLE"], GAS["REFUTE"])


# --- published traces ---


@pytest.mark.parametrize("steps", range(2, 17))
def test_published_roots_have_the_tree_of_their_trace(engine: Engine, steps: int) -> None:
    world = DisputeWorld(engine, ToyBatch(steps=steps), published_steps=16)
    trace = world.honest()
    entry = world.enter_published(trace)
    (entered,) = (log for log in world.log if isinstance(log, EnteredLog))
    (published,) = (log for log in world.log if isinstance(log, PublishedLog))
    assert entered.trace_root == trace.root
    assert (entered.left, entered.right) == trace.children(trace.height, 0)
    assert entered.first == trace.leaves[0]
    assert list(entered.first_branch) == trace.branch(0)
    assert published.entry == entered.entry == entry.id
    assert published.leaves == b"".join(trace.leaves[:steps])


def test_one_refutation_ends_a_published_trace(engine: Engine) -> None:
    world = DisputeWorld(engine, published_steps=16)
    right = world.enter_published(world.honest(), HONEST)
    false = world.enter_published(lying({FALSE_AT: later(1)}))
    world.refute(false, FALSE_AT)
    assert world.entry(false.id).status is EntryStatus.LOST
    world.end_entries()
    assert world.result().entry == right.id


# --- who is paid ---


@pytest.mark.parametrize(
    ("base_fee", "price"),
    [(0, 0), (1, 1), (TERMS.base_fee_cap, TERMS.base_fee_cap), (90 * GWEI, TERMS.base_fee_cap)],
)
def test_a_price_is_gas_at_the_base_fee_up_to_the_cap(
    world: DisputeWorld, base_fee: int, price: int
) -> None:
    world.engine.gas_price = base_fee
    decided(world)
    expected = [(HONEST, GAS["SETTLE"] * price)] if price else []
    assert credited(world, Why.SETTLED) == expected


def test_a_lost_bond_pays_who_ended_the_match_then_who_moved_then_the_fund(
    world: DisputeWorld,
) -> None:
    world.engine.gas_price = PRICE
    right, false = world.enter(honest(), HONEST), world.enter(lying({FALSE_AT: later(1)}))
    match = world.match_of(right)
    for mover in (OTHER, LIAR, HONEST, LIAR):
        world.advance(match, mover)
    world.settle(match, right, WATCHER)
    ended, move = GAS["SETTLE"] * PRICE, GAS["ADVANCE"] * PRICE
    assert credited(world, Why.SETTLED) == [(WATCHER, ended)]
    assert credited(world, Why.INSURANCE) == [(INSURANCE, ETHER - ended - 2 * move)]
    for mover in (OTHER, HONEST):
        world.collect(match, mover)
    assert credited(world, Why.MOVES) == [(OTHER, move), (HONEST, move)]
    for mover in (OTHER, HONEST, LIAR):
        with pytest.raises(Reverted, match="matches: nothing to collect"):
            world.collect(match, mover)
    assert world.match(match).earned_one == 0
    for account in (WATCHER, INSURANCE, OTHER, HONEST):
        world.withdraw(account)
    assert world.engine.balance(world.address) == ETHER
    assert world.entry(false.id).status is EntryStatus.LOST


def test_of_a_match_that_both_lose_nothing_is_left_for_moves(world: DisputeWorld) -> None:
    world.engine.gas_price = PRICE
    one, _ = world.enter(honest(), HONEST), world.enter(lying({FALSE_AT: later(1)}))
    match = world.match_of(one)
    world.descend(match)
    world.begin_clocks()
    world.wait(TERMS.move_time + 1)
    world.time_out(match, WATCHER)
    ended = GAS["TIME_OUT"] * PRICE
    assert credited(world, Why.TIMED_OUT) == [(WATCHER, ended)]
    assert credited(world, Why.INSURANCE) == [(INSURANCE, 2 * ETHER - ended)]
    with pytest.raises(Reverted, match="matches: nobody won"):
        world.collect(match, HONEST)


def test_a_bond_comes_back_to_the_winner_and_to_nobody_else(world: DisputeWorld) -> None:
    _, right, false = decided(world)
    world.end_entries()
    world.confirm(right.claim)
    world.redeem(right)
    assert credited(world, Why.BOND) == [(HONEST, ETHER)]
    for entry in (right, false):
        with pytest.raises(Reverted, match="disputes: entry is not waiting"):
            world.redeem(entry)
    assert world.result().status is ResultStatus.WON
    assert world.result().claim == right.claim


def test_a_forfeited_bond_pays_the_caller_once_the_winner_and_the_fund(
    world: DisputeWorld,
) -> None:
    _, right, _ = decided(world)
    before = world.credits(INSURANCE)
    world.end_entries()
    world.confirm(right.claim)
    world.engine.gas_price = PRICE
    rejected, entered = GAS["REJECT"] * PRICE, GAS["ENTER"] * PRICE
    world.forfeit(ETHER, OTHER)
    world.forfeit(ETHER, OTHER)
    assert credited(world, Why.REJECTED) == [(OTHER, rejected)] * 2
    assert credited(world, Why.ENTERED) == [(HONEST, entered)]
    assert world.credits(INSURANCE) - before == 2 * ETHER - 2 * rejected - entered


def test_who_published_the_winner_is_paid_for_every_root(engine: Engine) -> None:
    world = DisputeWorld(engine, published_steps=16)
    right = world.enter_published(world.honest(), HONEST)
    world.end_entries()
    world.confirm(right.claim)
    engine.gas_price = PRICE
    world.forfeit(ETHER, OTHER)
    roots = ToyBatch().steps
    assert credited(world, Why.ENTERED) == [(HONEST, (GAS["ENTER"] + roots * GAS["LEAF"]) * PRICE)]


def test_a_bond_pays_no_more_than_it_has(world: DisputeWorld) -> None:
    _, right, _ = decided(world)
    world.end_entries()
    world.confirm(right.claim)
    world.engine.gas_price = PRICE
    rejected = GAS["REJECT"] * PRICE
    world.forfeit(rejected - 1, OTHER)
    assert credited(world, Why.REJECTED) == [(OTHER, rejected - 1)]
    world.forfeit(rejected + 1, OTHER)
    assert sum(amount for _, amount in credited(world, Why.ENTERED)) <= 1


def test_where_nobody_won_a_forfeited_bond_goes_to_the_fund(world: DisputeWorld) -> None:
    """As that of a child of what was passed over, whose parent was never contested."""
    world.forfeit(ETHER, OTHER)
    world.forfeit(ETHER, OTHER, contested_at=0)
    assert credited(world, Why.INSURANCE) == [(INSURANCE, ETHER)] * 2


# --- gas ---


def test_what_is_paid_for_a_move_is_what_it_costs() -> None:
    world = DisputeWorld(PyEvm())
    world.engine.gas_price = 1
    right = world.enter(honest(), HONEST)
    world.enter(lying({FALSE_AT: later(1)}))
    match = world.match_of(right)
    costs = [world.advance(match).gas_used for _ in range(TERMS.height)]
    print("advance", costs)
    assert max(costs) <= GAS["ADVANCE"]


def test_the_longest_published_trace_fits_one_transaction() -> None:
    """Also where a byte of calldata costs 64 gas (EIP-7976); and its price covers both."""
    steps = PUBLISHED_STEPS_MAX
    world = DisputeWorld(PyEvm(), ToyBatch(steps=steps), height=12, published_steps=steps)
    trace = honest(world.batch, world.before, 2**12)
    data = toy_calls.enter_published(trace, world.grandparent, world.parent_output)
    world.claim(trace)
    gas = world.engine.send(world.address, data, sender=LIAR, value=ETHER).gas_used
    to_come = TRANSACTION_GAS + CALLDATA_GAS_TO_COME * len(data)
    print(f"enter_published, {steps} roots: {gas} gas, {to_come} at the price to come")
    assert max(gas, to_come) < TRANSACTION_GAS_MAX
    assert max(gas, to_come) < GAS["ENTER"] + steps * GAS["LEAF"]


def test_one_root_more_than_the_longest_is_refused() -> None:
    steps = PUBLISHED_STEPS_MAX + 1
    world = DisputeWorld(PyEvm(), ToyBatch(steps=steps), height=12)
    with pytest.raises(Reverted, match="no reason"):
        world.enter_published(honest(world.batch, world.before, 2**12))
