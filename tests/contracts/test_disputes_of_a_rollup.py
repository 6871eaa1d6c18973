"""A rollup and its own contract of disputes: from the second claim to the last bond."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from decided_world import next_address
from evm_engines import Engine, Reverted
from protocol_bytes import Output, claim_hash
from rollup_world import (
    ALICE,
    BOB,
    CLAIMANT,
    DEPLOYER,
    GENESIS,
    GENESIS_CLAIM,
    PARAMETERS,
    RIVAL,
    World,
    person,
)
from toy_machine import BATCH, INBOX, REST, ROOTS, STEP, SUMS, WITHDRAWALS, root_of_state, written

from contracts import calls, dispute_views, disputes, views
from contracts.abi import keccak
from contracts.compiler import compile_contract
from contracts.disputes import DisputeParameters
from contracts.views import ClaimStatus
from prover.dispute.trace_tree import TraceTree

INSURANCE = person("insurance")
TERMS = DisputeParameters(
    height=16,
    clock=1_000,
    move_time=100,
    entry_window=PARAMETERS.claim_window + 500,
    entry_bond=10**17,
    base_fee_cap=10**10,
    published_steps=0,
)


class JudgedWorld(World):
    """A rollup, the contract that decides its disputes, and a posted batch."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        code = disputes.deployment(
            compile_contract("disputes").creation_code,
            rollup=next_address(engine, DEPLOYER, 1),
            insurance=INSURANCE,
            parameters=TERMS,
        )
        self.disputes = engine.deploy(code, sender=DEPLOYER)
        contracts = calls.ProofContracts(chunks=self.chunks, disputes=self.disputes)
        code = self.deployment(proof_contracts=contracts)
        self.rollup = engine.deploy(code, sender=DEPLOYER)
        self.deposit(ALICE)
        self.wait(12)
        self.post()

    def credits(self, account: bytes) -> int:
        """Wei that it may withdraw of the contract of disputes."""
        call = dispute_views.CREDITS.call(account)
        return dispute_views.CREDITS.answer(self.engine.call(self.disputes, call))

    def enter(self, output: Output, machine: bytes, sender: bytes) -> bytes:
        """Enter a trace that is right in its last leaf alone; its entry."""
        tree = TraceTree(
            [keccak(b"%d" % at) for at in range(output.steps - 1)] + [root_of_state(machine)]
        )
        left, right = tree.children(TERMS.height, 0)
        data = disputes.enter(
            grandparent=bytes(32),
            parent_output=GENESIS,
            output=output.pack(),
            machine=machine,
            roots=ROOTS,
            trace_root=tree.root,
            left=left,
            right=right,
            first=tree.leaf(0),
            first_branch=tree.branch(0),
            last_branch=tree.branch(2**TERMS.height - 1),
        )
        self.engine.fund(sender, TERMS.entry_bond)
        self.engine.send(self.disputes, data, sender=sender, value=TERMS.entry_bond)
        contested = self.read(views.CONTESTED_AT, GENESIS_CLAIM)
        dispute = keccak(GENESIS_CLAIM + contested.to_bytes(32, "big"))
        return keccak(dispute + tree.root)


def at_rest(world: World, steps: int) -> tuple[Output, bytes]:
    """A machine at rest behind batch 1, and its output."""
    output = world.output(1, steps=steps)
    machine = written(written(REST, BATCH, 1), STEP, steps)
    machine = written(written(machine, INBOX, output.inbox), SUMS, output.pack()[118:278])
    machine = written(machine, WITHDRAWALS, output.withdrawals_root)
    return replace(output, state_root=root_of_state(machine)), machine


@pytest.fixture
def world(engine: Engine) -> JudgedWorld:
    return JudgedWorld(engine)


def test_the_winner_confirms_and_the_loser_pays(world: JudgedWorld) -> None:
    output, machine = at_rest(world, 9)
    rival = replace(output, steps=10)
    world.claim(output)
    world.claim(rival, sender=RIVAL)
    entry = world.enter(output, machine, CLAIMANT)
    world.wait(TERMS.entry_window)
    with pytest.raises(Reverted, match="claims: rivals are undecided"):
        world.confirm(output)
    world.wait(1)
    world.confirm(output)
    with pytest.raises(Reverted, match="claims: not a pending claim"):
        world.confirm(output)

    reject = calls.reject(parent_claim=GENESIS_CLAIM, output_hash=keccak(rival.pack()))
    world.send(reject, BOB)
    lost = claim_hash(GENESIS_CLAIM, rival.pack())
    assert world.read(views.CLAIM_RECORD, lost).status is ClaimStatus.REJECTED
    world.engine.send(world.disputes, disputes.redeem(entry), sender=BOB)
    assert world.credits(CLAIMANT) == TERMS.entry_bond
    assert world.credits(INSURANCE) == PARAMETERS.claim_bond
    held = world.engine.balance(world.disputes)
    assert held == TERMS.entry_bond + PARAMETERS.claim_bond
    assert world.engine.balance(world.rollup) == PARAMETERS.claim_bond


def test_where_nobody_enters_the_same_claims_are_contested_anew(world: JudgedWorld) -> None:
    output, machine = at_rest(world, 9)
    world.claim(output)
    world.claim(replace(output, steps=10), sender=RIVAL)
    world.wait(TERMS.entry_window)
    with pytest.raises(Reverted, match="claims: not without a winner"):
        world.send(calls.reopen(GENESIS_CLAIM), BOB)
    world.wait(1)
    world.send(calls.reopen(GENESIS_CLAIM), BOB)
    world.enter(output, machine, CLAIMANT)
    world.wait(TERMS.entry_window + 1)
    world.confirm(output)


OTHER_OUTPUTS: dict[str, Callable[[Output], Output]] = {
    "steps": lambda output: replace(output, steps=10),
    "withdrawals root": lambda output: replace(output, withdrawals_root=keccak(b"paid")),
    "pools": lambda output: replace(output, cash=output.cash - 1, pools=1),
    "bad debt": lambda output: replace(output, bad_debt=1),
    "dust": lambda output: replace(output, dust=-1),
    "lots": lambda output: replace(output, long_lots=1, short_lots=1),
}


@pytest.mark.parametrize("field", OTHER_OUTPUTS)
def test_an_output_of_another_machine_cannot_be_entered(world: JudgedWorld, field: str) -> None:
    """What L1 takes as a claim, with the right state root and another field."""
    output, machine = at_rest(world, 9)
    other = OTHER_OUTPUTS[field](output)
    world.claim(output)
    world.claim(other, sender=RIVAL)
    with pytest.raises(Reverted, match="traces: output of another machine"):
        world.enter(other, machine, RIVAL)
    world.enter(output, machine, CLAIMANT)
