"""The rules WTN-1 to WTN-8: which bytes are a witness, and of which state."""

from collections.abc import Callable
from functools import cache

import pytest
from builders import VERIFIER
from msgspec.structs import replace
from recorded_steps import RecordedStep, recorded_steps

from prover.one_step import prove_step
from prover.refusal import WitnessRefused
from prover.witness import MACHINE_BYTES, ProvenLeaf, ProvenRows, Witness
from prover.witness_reader import (
    STEP_ACCOUNTS_MAX,
    STEP_MARKETS_MAX,
    STEP_ORDERS_MAX,
    STEP_ROWS_MAX,
    STEP_WITHDRAWALS_MAX,
    decode_witness,
)
from prover.witness_state import WitnessState
from state.steps import Step
from state.tree import calc_root, empty_hashes

SEED = 1


@cache
def match() -> RecordedStep:
    """Two accounts, a market, rows and orders: a step that trades."""
    steps = recorded_steps(SEED, 150)
    return next(r for r in steps if r.changes.events and len(r.witness.rows.leaves) > 1)


@cache
def withdrawal() -> RecordedStep:
    return next(r for r in recorded_steps(SEED, 300) if r.changes.withdrawals)


def prove(recorded: RecordedStep, witness: bytes) -> tuple[bytes, int]:
    return prove_step(
        recorded.root_before, witness, recorded.given.encode(), recorded.facts, VERIFIER
    )


def test_the_parts_make_the_whole() -> None:
    w = match().witness
    assert w.machine + w.roots + w.leaves + w.proofs == w.encode()
    assert w.roots == w.accounts_root + w.markets_root + w.board_root
    assert len(w.machine) == MACHINE_BYTES == w.sizes()["machine"]
    assert sum(w.sizes().values()) == len(w.encode())
    assert decode_witness(w.encode()) == w


def test_every_step_of_a_history_is_proven_from_bytes() -> None:
    for recorded in recorded_steps(SEED, 120):
        root, status = prove(recorded, recorded.witness.encode())
        assert (root, status) == (recorded.root_after, recorded.changes.machine.status)


def more(p: ProvenLeaf, count: int) -> tuple[ProvenLeaf, ...]:
    return tuple(ProvenLeaf(p.key + at, p.leaf, p.branch) for at in range(count))


def unordered(w: Witness) -> Witness:
    return replace(w, accounts=w.accounts[::-1])


def repeated(w: Witness) -> Witness:
    return replace(w, accounts=w.accounts[:1] * 2)


def third_account(w: Witness) -> Witness:
    return replace(w, accounts=more(w.accounts[0], STEP_ACCOUNTS_MAX + 1))


def second_market(w: Witness) -> Witness:
    return replace(w, markets=more(w.markets[0], STEP_MARKETS_MAX + 1))


def row_33(w: Witness) -> Witness:
    leaves = dict.fromkeys(range(STEP_ROWS_MAX + 1), b"row")
    return replace(w, rows=ProvenRows(leaves, ()))


def third_order(w: Witness) -> Witness:
    first = w.orders[0]
    orders = tuple(replace(first, key=at) for at in range(STEP_ORDERS_MAX + 1))
    return replace(w, orders=orders)


def second_withdrawal(w: Witness) -> Witness:
    empty = empty_hashes(32)[31::-1]
    proven = tuple(ProvenLeaf(at, b"", empty) for at in range(STEP_WITHDRAWALS_MAX + 1))
    return replace(w, withdrawals=proven)


def third_side(w: Witness) -> Witness:
    return replace(w, orders=(replace(w.orders[0], side=2),))


def siblings_of_nothing(w: Witness) -> Witness:
    return replace(w, rows=ProvenRows({}, w.rows.siblings or (bytes(32),)))


def sibling_too_many(w: Witness) -> Witness:
    return replace(w, rows=ProvenRows(w.rows.leaves, (*w.rows.siblings, bytes(32))))


def sibling_too_few(w: Witness) -> Witness:
    return replace(w, rows=ProvenRows(w.rows.leaves, w.rows.siblings[:-1]))


def other_machine(w: Witness) -> Witness:
    return replace(w, machine=w.machine[:-1] + b"\1")


def other_account(w: Witness) -> Witness:
    return replace(w, accounts=(replace(w.accounts[0], key=7), *w.accounts[1:]))


def other_row(w: Witness) -> Witness:
    forged = {key: leaf[:-1] + b"\7" for key, leaf in w.rows.leaves.items()}
    return replace(w, rows=ProvenRows(forged, w.rows.siblings))


def order_of_another_key(w: Witness) -> Witness:
    return replace(w, orders=(replace(w.orders[0], key=7),))


def order_without_market(w: Witness) -> Witness:
    return replace(w, markets=())


def order_of_another_market(w: Witness) -> Witness:
    moved = tuple(replace(p, market=p.market + 1) for p in w.orders)
    return replace(w, orders=moved)


def nothing(w: Witness) -> Witness:
    return replace(w, accounts=(), markets=(), rows=ProvenRows({}, ()), orders=())


FORGED: list[tuple[str, Callable[[Witness], Witness], str]] = [
    ("WTN-1", unordered, "FORM: .*accounts are not strictly ascending"),
    ("WTN-1", repeated, "FORM: .*accounts are not strictly ascending"),
    ("WTN-1", third_account, "FORM: .*3 accounts, and no step needs more than 2"),
    ("WTN-1", second_market, "FORM: .*2 markets, and no step needs more than 1"),
    ("WTN-1", row_33, "FORM: .*33 rows, and no step needs more than 32"),
    ("WTN-1", third_order, "FORM: .*3 orders, and no step needs more than 2"),
    ("WTN-1", second_withdrawal, "FORM: .*2 withdrawals, and no step needs more than 1"),
    ("WTN-1", third_side, "FORM: .*a side is 0 or 1"),
    ("WTN-3", siblings_of_nothing, "FORM: .*siblings of no row"),
    ("WTN-3", sibling_too_many, "FORM: .*siblings were listed"),
    ("WTN-3", sibling_too_few, "FORM: .*a sibling is missing"),
    ("WTN-4", other_machine, "ROOT: the witness is of the state"),
    ("WTN-5", other_account, "ROOT: the branch of account 7"),
    ("WTN-5", other_row, "ROOT: the rows do not lead"),
    ("WTN-5", order_of_another_key, "ROOT: the branch of order"),
    ("WTN-5", order_without_market, "MISSING: the step needs market"),
    ("WTN-5", order_of_another_market, "MISSING: the step needs market"),
    ("WTN-8", nothing, "MISSING: the step needs"),
]


@pytest.mark.parametrize(
    ("forge", "refusal"),
    [row[1:] for row in FORGED],
    ids=[f"{rule} {forge.__name__}" for rule, forge, _ in FORGED],
)
def test_what_is_no_proof_is_refused(forge: Callable[[Witness], Witness], refusal: str) -> None:
    recorded = match()
    with pytest.raises(WitnessRefused, match=f"^{refusal}"):
        prove(recorded, forge(recorded.witness).encode())


def test_a_branch_has_one_encoding() -> None:
    """WTN-2: a sibling that is empty is left out; and there is no bit beyond the depth."""
    recorded = withdrawal()
    w = recorded.witness
    (proven,) = w.withdrawals
    empties = empty_hashes(32)[31::-1]
    # The branch of the first withdrawal is empty throughout: no bit of its bitmap is set.
    assert proven.branch == empties and w.proofs.endswith(bytes(4))
    written_out = w.encode()[:-4] + (1).to_bytes(4) + empties[31]
    with pytest.raises(WitnessRefused, match=r"FORM: .*height 0 is empty and must be left out"):
        prove(recorded, written_out)
    assert prove(recorded, w.encode())[0] == recorded.root_after


def test_a_withdrawal_that_is_there_is_not_written_again() -> None:
    """WTN-5: its leaf is absent, so the branch of one that is there leads elsewhere."""
    steps = [r for r in recorded_steps(SEED, 400) if r.changes.withdrawals]
    first, later = steps[0], steps[-1]
    assert first is not later
    (proven,) = later.witness.withdrawals
    forged = replace(later.witness, withdrawals=(replace(proven, key=0),))
    with pytest.raises(WitnessRefused, match="ROOT: the branch of withdrawal 0"):
        prove(later, forged.encode())


@pytest.mark.parametrize("extra", [b"\0", bytes(32)])
def test_nothing_follows_the_proofs(extra: bytes) -> None:
    """WTN-7."""
    recorded = match()
    with pytest.raises(WitnessRefused, match=r"^FORM"):
        prove(recorded, recorded.witness.encode() + extra)


@pytest.mark.parametrize("cut", [1, 40, 5_000])
def test_a_witness_that_ends_early_is_none(cut: int) -> None:
    recorded = match()
    with pytest.raises(WitnessRefused, match=r"^FORM"):
        prove(recorded, recorded.witness.encode()[:-cut])


def test_a_leaf_that_is_none_is_refused_though_nobody_reads_it() -> None:
    """WTN-6, of an order: the leaf stands in its book, and no order ever has that form."""
    recorded = match()
    w, order = recorded.witness, recorded.witness.orders[0]
    for leaf in (b"no order", order.leaf + b"\0", b"\5" + order.leaf[1:]):
        book = calc_root(64, order.key, leaf, order.branch)
        market = w.markets[0]
        held = calc_root(64, order.key, order.leaf, order.branch)
        assert market.leaf.count(held) == 1
        forged = market.leaf.replace(held, book)
        root = calc_root(16, market.key, forged, market.branch)
        other = replace(
            w,
            markets_root=root,
            markets=(replace(market, leaf=forged),),
            orders=(replace(order, leaf=leaf),),
        )
        with pytest.raises(WitnessRefused, match=r"^FORM: a leaf is not one"):
            WitnessState(other, other.state_root)


def test_a_machine_that_is_none_is_refused() -> None:
    """WTN-6, of the machine."""
    recorded = next(r for r in recorded_steps(SEED, 60) if r.step == Step.OPEN)
    other = replace(recorded.witness, machine=b"\5" + recorded.witness.machine[1:])
    with pytest.raises(WitnessRefused, match=r"^FORM: a leaf is not one: not a machine"):
        WitnessState(other, other.state_root)
