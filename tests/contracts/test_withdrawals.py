"""Withdrawals: paid once, to the recipient, by proof against a confirmed claim."""

from dataclasses import dataclass
from typing import Any

import pytest
from evm_engines import ENGINES, Engine, Reverted
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_bytes import Output, withdrawal_leaf, withdrawals_tree
from rollup_world import ALICE, BOB, CLAIMANT, DOLLAR, GENESIS, GENESIS_CLAIM, RIVAL, World
from trie.smt import calc_root

from contracts import calls, views
from contracts.abi import Function
from contracts.events import WithdrawalPaidLog

DUE = {
    0: (256, ALICE, 1 * DOLLAR),
    1: (256, BOB, 2 * DOLLAR),
    255: (257, ALICE, 3 * DOLLAR),
    256: (512, ALICE, 4 * DOLLAR),
    2**31: (256, ALICE, 5 * DOLLAR),
    2**32 - 1: (2**32 - 1, CLAIMANT, 6 * DOLLAR),
}
"""index -> account, recipient, micro-USDC"""
TREE = withdrawals_tree({index: withdrawal_leaf(index, *due) for index, due in DUE.items()})
TOTAL = sum(amount for _, _, amount in DUE.values())


@dataclass
class Settled:
    """A world whose first batch is confirmed, with everything of DUE due."""

    world: World
    output: Output

    def withdraw(self, due: int, /, **changes: Any) -> list[Any]:
        """Prove and ask for one withdrawal, with `changes` to the sound call."""
        account, recipient, amount = DUE[due]
        arguments: dict[str, Any] = {
            "parent_claim": GENESIS_CLAIM,
            "output": self.output.pack(),
            "index": due,
            "account": account,
            "recipient": recipient,
            "amount": amount,
            "branch": TREE.branch(due.to_bytes(4, "big")),
        }
        return self.world.logs(self.world.send(calls.withdraw(**arguments | changes), RIVAL))


@pytest.fixture
def settled(world: World) -> Settled:
    """Thirty dollars came in, and all but nine are on their way out."""
    return settle(world)


def settle(world: World) -> Settled:
    """Confirm a claim that owes all of DUE."""
    world.deposit(ALICE, 30 * DOLLAR)
    world.wait(12)
    world.post()
    output = world.output(
        1,
        withdrawals_root=TREE.root_hash,
        withdrawn=TOTAL * 1_000,
        cash=(30 * DOLLAR - TOTAL) * 1_000,
    )
    world.settle(output)
    return Settled(world, output)


def test_every_withdrawal_is_paid_to_its_recipient(settled: Settled) -> None:
    world = settled.world
    before = {who: world.balance(who) for who in (ALICE, BOB, CLAIMANT, world.rollup)}
    for index, (account, recipient, amount) in DUE.items():
        assert not world.read(views.IS_PAID, index)
        assert settled.withdraw(index) == [WithdrawalPaidLog(index, account, recipient, amount)]
        assert world.read(views.IS_PAID, index)
    gained = {who: world.balance(who) - held for who, held in before.items()}
    assert gained == {
        ALICE: 13 * DOLLAR,
        BOB: 2 * DOLLAR,
        CLAIMANT: 6 * DOLLAR,
        world.rollup: -TOTAL,
    }


def test_paying_one_marks_no_neighbour(settled: Settled) -> None:
    settled.withdraw(255)
    paid = {index: settled.world.read(views.IS_PAID, index) for index in (0, 254, 255, 256, 511)}
    assert paid == {0: False, 254: False, 255: True, 256: False, 511: False}


def test_paying_one_forgets_no_neighbour(settled: Settled) -> None:
    for index in DUE:
        settled.withdraw(index)
    for index in DUE:
        assert settled.world.read(views.IS_PAID, index)
        with pytest.raises(Reverted, match="escrow: already paid"):
            settled.withdraw(index)


@pytest.mark.parametrize("index", DUE)
def test_nothing_is_paid_twice(settled: Settled, index: int) -> None:
    settled.withdraw(index)
    with pytest.raises(Reverted, match="escrow: already paid"):
        settled.withdraw(index)


BRANCH = TREE.branch(bytes(4))


@pytest.mark.parametrize(
    "changes",
    [
        {"index": 1},
        {"index": 2},
        {"account": 257},
        {"recipient": BOB},
        {"amount": DOLLAR - 1},
        {"amount": 2**64 - 1},
        {"branch": [bytes(32)] * 32},
        {"branch": list(reversed(BRANCH))},
        {"branch": [*BRANCH[:-1], bytes(32)]},
        {"branch": [bytes(32), *BRANCH[1:]]},
        {"branch": list(TREE.branch((1).to_bytes(4, "big")))},
    ],
)
def test_a_wrong_proof_pays_nothing(settled: Settled, changes: dict[str, Any]) -> None:
    before = settled.world.balance(settled.world.rollup)
    with pytest.raises(Reverted, match="escrow: no such withdrawal"):
        settled.withdraw(0, **changes)
    assert settled.world.balance(settled.world.rollup) == before
    assert not settled.world.read(views.IS_PAID, 0)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_branch_has_exactly_32_siblings(settled: Settled, length: int) -> None:
    sound = calls.withdraw(
        parent_claim=GENESIS_CLAIM,
        output=settled.output.pack(),
        index=0,
        account=256,
        recipient=ALICE,
        amount=DOLLAR,
        branch=BRANCH,
    )
    # The branch is the last fixed part of the calldata; what follows is the output.
    siblings = list(BRANCH[:length]) + [bytes(32)] * (length - 32)
    start = 4 + 6 * 32
    fields, output = sound[:start], sound[start + 32 * 32 :]
    with pytest.raises(Reverted):
        settled.world.send(fields + b"".join(siblings) + output, RIVAL)
    assert not settled.world.read(views.IS_PAID, 0)


def test_the_state_root_does_not_serve_as_withdrawals_root(world: World) -> None:
    world.deposit(ALICE, 30 * DOLLAR)
    world.wait(12)
    world.post()
    output = world.output(1, state_root=TREE.root_hash)
    world.settle(output)
    with pytest.raises(Reverted, match="escrow: no such withdrawal"):
        Settled(world, output).withdraw(0)


def test_a_pending_claim_pays_nothing(world: World) -> None:
    world.deposit(ALICE, 30 * DOLLAR)
    world.wait(12)
    world.post()
    output = world.output(1, withdrawals_root=TREE.root_hash)
    world.claim(output)
    with pytest.raises(Reverted, match="escrow: claim is not confirmed"):
        Settled(world, output).withdraw(0)


@pytest.mark.parametrize(
    "changes", [{"parent_claim": bytes(32)}, {"output": b""}, {"output": GENESIS}]
)
def test_a_claim_that_was_never_made_pays_nothing(
    settled: Settled, changes: dict[str, bytes]
) -> None:
    with pytest.raises(Reverted, match="escrow: claim is not confirmed"):
        settled.withdraw(0, **changes)


def test_an_older_confirmed_claim_still_pays(settled: Settled) -> None:
    world = settled.world
    parent = world.read(views.CONFIRMED_HEAD).claim
    world.post(chunks=[b"chunk"], raw_hashes=[bytes(32)])
    world.settle(world.output(2), parent=parent)
    settled.withdraw(0)
    assert world.read(views.IS_PAID, 0)


def test_a_token_that_calls_back_is_paid_once(world: World) -> None:
    settled = settle(World(world.engine, "reentering_token"))
    account, recipient, amount = DUE[0]
    again = calls.withdraw(
        parent_claim=GENESIS_CLAIM,
        output=settled.output.pack(),
        index=1,
        account=256,
        recipient=BOB,
        amount=2 * DOLLAR,
        branch=TREE.branch((1).to_bytes(4, "big")),
    )
    token = settled.world.token
    settled.world.engine.send(token, Function("arm", ("bytes",)).encode(again), sender=RIVAL)
    assert settled.withdraw(0) == [WithdrawalPaidLog(0, account, recipient, amount)]
    outcome = settled.world.engine.call(token, Function("outcome").encode())
    assert int.from_bytes(outcome, "big") == 2
    assert not settled.world.read(views.IS_PAID, 1)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@settings(max_examples=15, deadline=None)
@given(
    indices=st.sets(st.integers(0, 2**32 - 1), min_size=1, max_size=5),
    amount=st.integers(1, DOLLAR),
)
def test_the_contract_and_the_library_agree_on_roots(
    engine: type[Engine], indices: set[int], amount: int
) -> None:
    world = World(engine())
    leaves = {index: withdrawal_leaf(index, 256, BOB, amount) for index in indices}
    tree = withdrawals_tree(leaves)
    world.deposit(ALICE, 5 * DOLLAR)
    world.post()
    output = world.output(1, withdrawals_root=tree.root_hash)
    world.settle(output)
    for index in indices:
        key = index.to_bytes(4, "big")
        assert calc_root(key, leaves[index], tree.branch(key)) == tree.root_hash
        before = world.balance(BOB)
        data = calls.withdraw(
            parent_claim=GENESIS_CLAIM,
            output=output.pack(),
            index=index,
            account=256,
            recipient=BOB,
            amount=amount,
            branch=tree.branch(key),
        )
        world.send(data, RIVAL)
        assert world.balance(BOB) == before + amount
