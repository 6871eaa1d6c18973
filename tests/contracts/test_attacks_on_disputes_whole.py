"""Whole disputes on the real rollup, with the real steps: from two claims to money that leaves.

The number of an id is the case of the table in docs/testing.md.
"""

import pytest
from attack_world import Lie, always
from builders import MICRO_DOLLAR, key
from disputed_rollup import ETHER, INSURANCE, TERMS, DisputedRollup, RealTrace
from evm_engines import TRANSACTION_GAS_MAX, Engine, Reverted
from msgspec.structs import replace
from rollup_world import CLAIMANT, PARAMETERS, person

from contracts import calls, dispute_views, disputes, views
from contracts.dispute_views import EntryStatus, MatchStatus, ResultStatus
from contracts.step import prove_step
from contracts.views import ClaimStatus
from node.parity.gas import STEP_GAS_MAX
from prover.dispute import payments
from state.batch import encode_output
from state.execution import Batch

HONEST, LIAR, OTHER, WATCHER = person("honest"), person("liar"), person("other"), person("watcher")
PRICE = 20 * 10**9

NO_FEE: Lie = {"state.exchange.share_up": always(0)}
"""Both sides of the trade pay nothing."""


@pytest.fixture
def venue(engine: Engine) -> DisputedRollup:
    """Batch 1, with the market and two deposits, is confirmed; from now on gas has a price."""
    world = DisputedRollup(engine)
    for who in (HONEST, LIAR, OTHER, WATCHER):
        engine.fund(who, 100 * ETHER)
    world.post_rows()
    world.settle_trace(world.trace(1), CLAIMANT)
    engine.gas_price = PRICE
    return world


def test_a_lie_about_one_step_of_a_real_batch_loses_and_its_children_with_it(
    venue: DisputedRollup,
) -> None:
    """Cases 39 and 47: two claims, 16 moves, one step on L1; then bonds, and Bob's ten dollars."""
    world, engine = venue, venue.engine
    world.post_rows(world.trading())
    right, wrong = world.trace(2, world.settled), world.trace(2, world.settled, NO_FEE)
    world.claim_trace(wrong, LIAR)
    world.claim_trace(right, HONEST)
    world.deposit(key("alice").address, MICRO_DOLLAR)
    world.post_rows()
    grandchild = world.trace(3, wrong)
    world.claim_trace(grandchild, LIAR)

    before = engine.balance(HONEST)
    one, two = world.enter(wrong, LIAR), world.enter(right, HONEST)
    match = world.ask(dispute_views.ENTRY, two).match
    moves = 0
    while (found := world.ask(dispute_views.MATCH_OF, match)).height > 0:
        mover = LIAR if found.mover == 1 else HONEST
        world.wait(12)
        world.play(world.move(match, wrong, right), mover)
        moves += 1
    index = right.tree.first_difference(wrong.tree)
    assert (moves, found.index) == (TERMS.height, index)
    left, right_child = right.tree.children(TERMS.height, 0)
    step = world.step(right, found.index)
    world.play(disputes.settle(match=match, step=step, left=left, right=right_child), HONEST)
    assert world.ask(dispute_views.MATCH_OF, match).status == MatchStatus.TWO_WON
    assert world.ask(dispute_views.ENTRY, one).status == EntryStatus.LOST

    with pytest.raises(Reverted, match="claims: window is open"):
        world.send(calls.confirm(**world.about(right)), OTHER)
    world.wait(PARAMETERS.claim_window)
    with pytest.raises(Reverted, match="claims: rivals are undecided"):
        world.send(calls.confirm(**world.about(right)), OTHER)
    world.wait(TERMS.entry_window - PARAMETERS.claim_window)
    with pytest.raises(Reverted, match="claims: rivals are undecided"):
        world.send(calls.confirm(**world.about(wrong)), OTHER)
    with pytest.raises(Reverted, match="escrow: claim is not confirmed"):
        pay_bob(world, right)
    world.send(calls.confirm(**world.about(right)), OTHER)
    assert world.read(views.CONFIRMED_HEAD) == views.ConfirmedHead(2, right.claim)
    another = replace(grandchild, output=replace(grandchild.output, bad_debt=1))
    with pytest.raises(Reverted, match="claims: parent is rejected"):
        world.claim_trace(another, LIAR)
    world.settle_trace(world.trace(3, right), HONEST)
    for dead in (wrong, grandchild):
        world.send(calls.reject(**world.about(dead)), WATCHER)
        assert world.read(views.CLAIM_RECORD, dead.claim).status == ClaimStatus.REJECTED
    pay_bob(world, right)
    check_money(world, match, two, before)


def pay_bob(world: DisputedRollup, trace: RealTrace) -> None:
    """His withdrawal, by the claim of this trace."""
    bob = key("bob").address
    data = calls.withdraw(
        parent_claim=trace.parent_claim,
        output=encode_output(trace.output),
        index=0,
        account=2 << 8,
        recipient=bob,
        amount=10 * MICRO_DOLLAR,
        branch=trace.commitment.withdrawals.branch(0),
    )
    held = world.balance(bob)
    world.send(data, WATCHER)
    assert world.balance(bob) == held + 10 * MICRO_DOLLAR


def check_money(world: DisputedRollup, match: bytes, entry: bytes, before: int) -> None:
    """Bonds come back to whom they belong, the rest to the fund, and nothing is left behind."""
    world.play(disputes.redeem(entry), OTHER)
    world.play(disputes.collect(match), HONEST)
    for who in (HONEST, WATCHER, INSURANCE):
        world.play(disputes.withdraw(), who)
    assert world.engine.balance(world.disputes) == 0
    assert world.engine.balance(HONEST) > before
    with pytest.raises(Reverted, match="payments: nothing to withdraw"):
        world.play(disputes.withdraw(), LIAR)
    world.send(calls.claim_bond_withdraw(), HONEST)
    with pytest.raises(Reverted, match="claims: no bond to withdraw"):
        world.send(calls.claim_bond_withdraw(), LIAR)


def test_a_void_batch_takes_those_with_it_who_executed_it(venue: DisputedRollup) -> None:
    """Case 47: in one call each, matched or waiting, however late the batch was proven void."""
    world = venue
    rows = world.trading()
    derived = world.post_rows(rows, flip=4)
    assert derived.batch.void
    executed = Batch(derived.batch.header, derived.batch.items, [rows], void=False)
    right = world.trace(2, world.settled)
    wrong = [
        world.trace(2, world.settled, batch=executed),
        world.trace(2, world.settled, NO_FEE, batch=executed),
        world.trace(
            2,
            world.settled,
            {"state.transactions.withdraw.nano": lambda n: n * 999},
            batch=executed,
        ),
    ]
    for trace in wrong:
        world.claim_trace(trace, LIAR)
    entries = [world.enter(trace, LIAR) for trace in wrong]
    with pytest.raises(Reverted, match="disputes: leaf is right"):
        refute(world, wrong[0], right, wrong[1])
    world.prove_malformed(2)
    world.claim_trace(right, HONEST)
    entry = world.enter(right, HONEST)
    with pytest.raises(Reverted, match="disputes: leaf is right"):
        refute(world, right, right, wrong[2])
    known = dict(zip([*entries, entry], [*wrong, right], strict=True))
    for lost in entries:
        refute(world, known[lost], right, known.get(opponent_of(world, lost)))
        assert world.ask(dispute_views.ENTRY, lost).status == EntryStatus.LOST
    world.wait(TERMS.entry_window + 1)
    result = world.ask(
        dispute_views.RESULT, right.parent_claim, world.read(views.CONTESTED_AT, right.parent_claim)
    )
    assert (result.status, result.claim) == (ResultStatus.WON, right.claim)
    world.send(calls.confirm(**world.about(right)), OTHER)


def test_a_dispute_below_a_wrong_claim_dies_with_it(venue: DisputedRollup) -> None:
    """Case 47: claims, an entry and its bond, once another claim has won two batches above."""
    world = venue
    world.post_rows(world.trading())
    right, wrong = world.trace(2, world.settled), world.trace(2, world.settled, NO_FEE)
    world.claim_trace(wrong, LIAR)
    world.claim_trace(right, HONEST)
    world.enter(right, HONEST)
    world.wait(TERMS.entry_window)
    world.post_rows(world.trading())
    below = [world.trace(3, wrong), world.trace(3, wrong, NO_FEE)]
    for trace in below:
        world.claim_trace(trace, LIAR)
    waiting = world.enter(below[0], LIAR)
    world.send(calls.confirm(**world.about(right)), OTHER)
    with pytest.raises(Reverted, match="entries: parent is rejected"):
        world.enter(below[1], LIAR)
    with pytest.raises(Reverted, match="disputes: batch is not settled"):
        world.play(disputes.redeem(waiting), LIAR)
    world.settle_trace(world.trace(3, right), HONEST)
    world.play(disputes.redeem(waiting), LIAR)
    for dead in (wrong, *below):
        world.send(calls.reject(**world.about(dead)), WATCHER)
    for who in (HONEST, WATCHER, INSURANCE):
        world.play(disputes.withdraw(), who)
    bond = world.engine.balance(world.disputes)
    assert bond == TERMS.entry_bond
    world.play(disputes.redeem(world.entry_of(right)), OTHER)
    with pytest.raises(Reverted, match="payments: nothing to withdraw"):
        world.play(disputes.withdraw(), LIAR)


def test_a_claim_that_is_copied_earns_its_copier_nothing(venue: DisputedRollup) -> None:
    """Case 57: the first keeps the claim and its bond; who enters the trace is paid for it."""
    world = venue
    world.post_rows(world.trading())
    right, wrong = world.trace(2, world.settled), world.trace(2, world.settled, NO_FEE)
    world.claim_trace(right, OTHER)
    with pytest.raises(Reverted, match="claims: already claimed"):
        world.claim_trace(right, HONEST)
    world.claim_trace(wrong, LIAR)
    entry = world.enter(right, HONEST)
    world.wait(TERMS.entry_window + 1)
    world.send(calls.confirm(**world.about(right)), WATCHER)
    world.send(calls.reject(**world.about(wrong)), WATCHER)
    world.play(disputes.redeem(entry), WATCHER)
    assert world.read(views.CLAIM_BONDS, OTHER) == PARAMETERS.claim_bond
    assert world.ask(dispute_views.CREDITS, OTHER) == 0
    paid = world.ask(dispute_views.CREDITS, HONEST) - TERMS.entry_bond
    assert paid == payments.ENTER_GAS * PRICE


def test_who_enters_before_a_batch_is_proven_void_is_refuted(venue: DisputedRollup) -> None:
    """Case 47: what L1 does not know yet it executes, so voiding comes before entering."""
    world = venue
    world.post_rows(world.trading(), flip=4)
    right = world.trace(2, world.settled)
    rows, derived = world.trading(), world.derived[2].batch
    wrong = world.trace(2, world.settled, batch=Batch(derived.header, derived.items, [rows]))
    for trace in (wrong, right):
        world.claim_trace(trace, OTHER)
    early = world.enter(right, OTHER)
    refute(world, right, right, None)
    assert world.ask(dispute_views.ENTRY, early).status == EntryStatus.LOST


def test_the_dearest_step_is_settled_in_one_transaction(venue: DisputedRollup) -> None:
    """Case 54: what settling adds to a step, and the most that a step may cost."""
    world = venue
    world.post_rows(world.trading())
    right, wrong = world.trace(2, world.settled), world.trace(2, world.settled, NO_FEE)
    world.claim_trace(wrong, LIAR)
    world.claim_trace(right, HONEST)
    world.enter(wrong, LIAR)
    match = world.ask(dispute_views.ENTRY, world.enter(right, HONEST)).match
    while (found := world.ask(dispute_views.MATCH_OF, match)).height > 0:
        world.play(world.move(match, wrong, right), OTHER)
    step = world.step(right, found.index)
    left, right_child = right.tree.children(TERMS.height, 0)
    data = disputes.settle(match=match, step=step, left=left, right=right_child)
    proof = prove_step(
        step.previous,
        machine=step.machine,
        roots=step.roots,
        leaves=step.leaves,
        proofs=step.proofs,
        given=step.given,
    )
    alone = world.send(proof, HONEST).gas_used
    more = world.play(data, HONEST).gas_used - alone
    # 64 gas a byte of calldata is what EIP-7976 would ask, four times what the engines charge.
    more_bytes = len(data) - len(proof)
    assert more + 48 * more_bytes + STEP_GAS_MAX <= payments.SETTLE_GAS < TRANSACTION_GAS_MAX


def opponent_of(world: DisputedRollup, entry: bytes) -> bytes:
    """The entry that this one plays; zero for none."""
    found = world.ask(dispute_views.ENTRY, entry)
    if found.status != EntryStatus.IN_MATCH:
        return bytes(32)
    match = world.ask(dispute_views.MATCH_OF, found.match)
    return match.two if match.one == entry else match.one


def refute(
    world: DisputedRollup, trace: RealTrace, right: RealTrace, opponent: RealTrace | None
) -> None:
    """Show by the right BOOT that leaf 0 of a trace is wrong."""
    children = (bytes(32), bytes(32))
    if opponent is not None:
        children = opponent.tree.children(TERMS.height, 0)
    data = disputes.refute(
        entry=world.entry_of(trace),
        index=0,
        leaf=trace.tree.leaf(0),
        leaf_branch=trace.tree.branch(0),
        step=world.step(right, 0),
        left=children[0],
        right=children[1],
    )
    world.play(data, WATCHER)
