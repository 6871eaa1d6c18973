"""Branches and roots of another form or place are no proof, to the router and to Python.

The number of an id is the case of the table in docs/testing.md.
"""

from collections.abc import Callable
from typing import Any

import pytest
from attack_world import (
    Shown,
    answered,
    is_refused,
    quoted,
    with_machine_bytes,
)
from attacked_steps import BOB, over, shown, venue
from evm_engines import PyEvm
from msgspec.structs import replace

from node.parity.case import Case, Refused, case_of
from node.parity.mutations import with_leaf
from prover.witness import ProvenLeaf, ProvenRows, Witness
from state.crypto import keccak
from state.machine import decode_machine, encode_machine
from state.markets import (
    decode_market,
    encode_market,
)
from state.status import Status
from state.tree import empty_hashes


@pytest.mark.parametrize("name", ["match", "end", "price", "withdrawal"])
def test_what_is_forged_below_is_sound_as_it_stands(name: str) -> None:
    step = shown(name)
    assert answered(step.case) == answered(step.case, PyEvm) == step.answer
    w, touched = step.witness, {"match": (2, 1, 1, 1, 0), "withdrawal": (1, 0, 1, 0, 1)}
    found = tuple(map(len, (w.accounts, w.markets, w.rows.leaves, w.orders, w.withdrawals)))
    assert found == touched.get(name, found)


# --- branches ---


def forged(step: Shown, forge: Callable[[Witness], Witness]) -> Case:
    """The root stays; the witness is another."""
    witness = forge(step.witness)
    return replace(case_of(witness, step.given, step.case.facts), root=step.case.root)


def first(w: Witness, **changed: Any) -> Witness:
    return replace(w, accounts=(replace(w.accounts[0], **changed), *w.accounts[1:]))


def market(w: Witness, **changed: Any) -> Witness:
    return replace(w, markets=(replace(w.markets[0], **changed),))


def order(w: Witness, **changed: Any) -> Witness:
    return replace(w, orders=(replace(w.orders[0], **changed),))


def branch_of(w: Witness) -> tuple[bytes, ...]:
    return w.accounts[0].branch


def rows(w: Witness, leaves: dict[int, bytes]) -> Witness:
    return replace(w, rows=ProvenRows(leaves, w.rows.siblings))


def real(w: Witness) -> list[int]:
    """Where the first branch has siblings that are not empty."""
    empty = empty_hashes(32)[31::-1]
    return [at for at in range(32) if branch_of(w)[at] != empty[at]]


def exchanged(w: Witness) -> tuple[bytes, ...]:
    branch, (one, other) = list(branch_of(w)), real(w)[:2]
    branch[one], branch[other] = branch[other], branch[one]
    return tuple(branch)


def doubled(w: Witness) -> tuple[bytes, ...]:
    branch, (one, other) = list(branch_of(w)), real(w)[:2]
    branch[other] = branch[one]
    return tuple(branch)


PLACES: dict[str, Callable[[Witness], Witness]] = {
    "3 the same leaf at two indices": lambda w: replace(
        w, accounts=(w.accounts[0], replace(w.accounts[1], leaf=w.accounts[0].leaf))
    ),
    "3 the leaf of the other account": lambda w: first(w, leaf=w.accounts[1].leaf),
    "3 one account twice": lambda w: replace(w, accounts=w.accounts[:1] * 2),
    "3 the account beside it": lambda w: first(w, key=w.accounts[0].key ^ 1),
    "3 the market beside it": lambda w: market(w, key=1),
    "3 the row of another market": lambda w: rows(w, {1: w.rows.leaves[0]}),
    "3 the row of a market of no board": lambda w: rows(w, {64: w.rows.leaves[0]}),
    "3 a row twice": lambda w: rows(w, w.rows.leaves | {64: w.rows.leaves[0]}),
    "3 an order at another price": lambda w: order(w, key=w.orders[0].key + (1 << 40)),
    "3 an order of another number": lambda w: order(w, key=w.orders[0].key ^ 1),
    "3 an order of the other side": lambda w: order(w, side=1 - w.orders[0].side),
    "6 index 0": lambda w: first(w, key=0),
    "6 index 2^32 - 1": lambda w: replace(
        w, accounts=(w.accounts[0], replace(w.accounts[1], key=2**32 - 1))
    ),
    "6 index 2^16 - 1": lambda w: market(w, key=2**16 - 1),
    "6 index 255 of the board": lambda w: rows(w, {255: w.rows.leaves[0]}),
    "6 index 2^64 - 1": lambda w: order(w, key=2**64 - 1),
    "6 a sibling doubled": lambda w: first(w, branch=doubled(w)),
    "6 siblings exchanged": lambda w: first(w, branch=exchanged(w)),
    "6 a branch upside down": lambda w: first(w, branch=branch_of(w)[::-1]),
    "6 a branch of the other account": lambda w: first(w, branch=w.accounts[1].branch),
    "6 a branch of a market": lambda w: first(w, branch=w.markets[0].branch * 2),
    "6 a branch of an account for a market": lambda w: market(w, branch=branch_of(w)[:16]),
    "7 an account said to be absent": lambda w: first(w, leaf=b""),
    "7 a market said to be absent": lambda w: market(w, leaf=b""),
    "7 a row said to be absent": lambda w: rows(w, {0: b""}),
    "7 an order said to be absent": lambda w: order(w, leaf=b""),
    "8 accounts' root for that of markets": lambda w: replace(
        w, accounts_root=w.markets_root, markets_root=w.accounts_root
    ),
    "8 state root for that of accounts": lambda w: replace(w, accounts_root=w.state_root),
}


@pytest.mark.parametrize("forge", PLACES.values(), ids=PLACES.keys())
def test_a_leaf_of_another_place_is_refused(forge: Callable[[Witness], Witness]) -> None:
    """Cases 3, 6, 7 and 8: neither under the root before, nor under one made of the forgery."""
    case = forged(shown("match"), forge)
    assert is_refused(case)
    own = forge(shown("match").witness).state_root
    assert is_refused(replace(case, root=own))


def written_out(proofs: bytes) -> bytes:
    """The first branch with the sibling at height 0, which is empty, behind its others."""
    bits = int.from_bytes(proofs[:4])
    end = 4 + 32 * bits.bit_count()
    assert bits & 1 == 0
    return (bits | 1).to_bytes(4) + proofs[4:end] + empty_hashes(1)[0] + proofs[end:]


PROOFS: dict[str, Callable[[bytes], bytes]] = {
    "1 no proof": lambda _: b"",
    "1 bitmaps alone": lambda _: bytes(4 + 4 + 2 + 2 + 8),
    "1 a byte short": lambda proofs: proofs[:-1],
    "1 a sibling short": lambda proofs: proofs[:-32],
    "1 a byte long": lambda proofs: proofs + b"\0",
    "1 a sibling long": lambda proofs: proofs + keccak(b"sibling"),
    "1 twice": lambda proofs: proofs * 2,
    "1 as long as calldata takes": lambda proofs: proofs.ljust(16_384, b"\1"),
    "1 longer than it takes": lambda proofs: proofs.ljust(16_385, b"\1"),
    "6 an empty sibling written out": written_out,
    "6 every bit set": lambda proofs: b"\xff" * 4 + proofs[4:],
    "6 one bit more": lambda proofs: (int.from_bytes(proofs[:4]) ^ 1).to_bytes(4) + proofs[4:],
}


@pytest.mark.parametrize("change", PROOFS.values(), ids=PROOFS.keys())
def test_an_empty_short_or_oversized_proof_is_refused(change: Callable[[bytes], bytes]) -> None:
    """Cases 1 and 6."""
    case = shown("match").case
    assert is_refused(replace(case, proofs=change(case.proofs)))


def climbed(number: int, leaf: bytes, branch: tuple[bytes, ...]) -> bytes:
    """The root over `leaf`, whatever its length."""
    node = keccak(leaf)
    for height, sibling in enumerate(reversed(branch)):
        node = keccak(sibling + node if number >> height & 1 else node + sibling)
    return node


def inner(branch: tuple[bytes, ...], leaf: bytes) -> bytes:
    """The 64 bytes of the node over a leaf and its sibling."""
    return keccak(leaf) + branch[-1]


def inner_account() -> Case:
    step = shown("withdrawal")
    (proven,) = step.witness.accounts
    leaf = inner(proven.branch, proven.leaf)
    root = climbed(proven.key, leaf, proven.branch)
    other = replace(step.witness, accounts_root=root, accounts=(replace(proven, leaf=leaf),))
    return case_of(other, step.given, step.case.facts)


def inner_market() -> Case:
    step = shown("price")
    (proven,) = step.witness.markets
    leaf = inner(proven.branch, proven.leaf)
    root = climbed(proven.key, leaf, proven.branch)
    other = replace(step.witness, markets_root=root, markets=(replace(proven, leaf=leaf),))
    return case_of(other, step.given, step.case.facts)


def inner_row() -> Case:
    step = shown("withdrawal")
    siblings = step.witness.rows.siblings
    leaf = inner(siblings[::-1], step.witness.rows.leaves[0])
    root = climbed(0, leaf, siblings[::-1])
    rows = ProvenRows({0: leaf}, siblings)
    other = replace(step.witness, board_root=root, rows=rows)
    return case_of(other, step.given, step.case.facts)


def inner_order() -> Case:
    step = shown("match")
    (proven,), (market,) = step.witness.orders, step.witness.markets
    leaf = inner(proven.branch, proven.leaf)
    found, bids, _ = decode_market(market.leaf)
    book = climbed(proven.key, leaf, proven.branch)
    holder = ProvenLeaf(0, encode_market(found, bids, book), market.branch)
    other = replace(
        step.witness,
        markets_root=climbed(0, holder.leaf, holder.branch),
        markets=(holder,),
        orders=(replace(proven, leaf=leaf),),
    )
    return case_of(other, step.given, step.case.facts)


@pytest.mark.parametrize("forge", [inner_account, inner_market, inner_row, inner_order])
def test_an_inner_node_given_as_a_leaf_is_refused(forge: Callable[[], Case]) -> None:
    """Case 2: its bytes lead to the root of the claim, and are no leaf of any tree."""
    said = answered(forge())
    assert isinstance(said, Refused) and "root" not in said.reason.split("output")[0].lower()


@pytest.mark.parametrize("name", ["match", "end", "price", "withdrawal"])
def test_the_leaf_of_an_order_a_row_or_a_market_is_no_account(name: str) -> None:
    """Case 2: a leaf of one tree put into another, its root made anew, is told by its domain."""
    step = shown("withdrawal")
    other = shown(name).witness
    leaves = [*(p.leaf for p in other.markets), *(p.leaf for p in other.orders)]
    for leaf in [*leaves, *other.rows.leaves.values()]:
        assert is_refused(over(step, with_leaf(step.trees, ("accounts", BOB), leaf)))


@pytest.mark.parametrize("named", ["state", "accounts", "none", "other"])
def test_another_root_in_the_place_of_the_withdrawals_is_refused(named: str) -> None:
    """Case 8, inside of a step: the leaf to come must be absent under the machine's own root."""
    step = shown("withdrawal")
    w = step.witness
    roots = {"state": w.state_root, "accounts": w.accounts_root, "none": bytes(32)}
    root = roots.get(named, keccak(b"other"))
    machine, _, saved = decode_machine(w.machine)
    assert is_refused(with_machine_bytes(step.case, encode_machine(machine, root, saved)))


def test_a_withdrawal_that_is_there_cannot_be_written_over() -> None:
    """Case 3: the second of them under the number of the first."""
    step = shown("withdrawal")
    (proven,) = step.witness.withdrawals
    assert proven.key == 1
    machine, root, saved = decode_machine(step.case.machine)
    earlier = encode_machine(replace(machine, withdrawals=0), root, saved)
    forged_case = with_machine_bytes(step.case, earlier)
    assert is_refused(forged_case)
    branch = venue().shown[-2].witness.withdrawals[0].branch
    witness = replace(step.witness, machine=earlier, withdrawals=(ProvenLeaf(0, b"", branch),))
    assert is_refused(case_of(witness, step.given, step.case.facts))


def test_an_account_that_is_absent_has_a_proof_and_opens_for_its_owner_alone() -> None:
    """Case 7: the empty leaf is nobody's account, and nothing comes of a signature for it."""
    venue = quoted()
    venue.numbers["nobody"] = 77
    venue.withdraw("nobody", 1)
    assert [p.leaf for p in venue.shown[-1].witness.accounts] == [b""]
    assert answered(venue.shown[-1].case) == venue.shown[-1].answer
    assert venue.machine.status == Status.UNKNOWN_ACCOUNT
