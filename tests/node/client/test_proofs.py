"""Proofs on the client's side: what is so is shown, and what was tampered with is refused."""

from dataclasses import dataclass
from typing import Any

import pytest
from builders import Venue, listing
from msgspec.structs import asdict, replace
from rpc_world import Sequencer, running
from trie.smt import calc_root

from node.client import BadProof, verify_account_proof, verify_best_order_proof
from node.rpc.rollup_results import AccountProof, BestOrderProof
from node.rpc.wire import Hash, Hex
from state.accounts import ABSENT

ALICE, NOBODY = 1 << 8, 77 << 8
SIDES = ("buy", "sell")


@dataclass
class Proved:
    """What a node proves of its state, and the root of that."""

    node: Sequencer
    root: bytes
    accounts: dict[int, AccountProof]
    orders: dict[str, BestOrderProof]


@pytest.fixture
async def proved() -> Proved:
    node = Sequencer(Venue(markets=(listing(),)))
    node.venue.open("alice", 10_000)
    node.venue.open("bob", 10_000)
    for ticks in (490_000, 491_000, 489_000):
        node.venue.buy("alice", 5, ticks)
    async with running(node) as rpc:
        accounts = {number: await rpc.client.account_proof(number) for number in (ALICE, NOBODY)}
        orders = {side: await rpc.client.best_order_proof(0, side) for side in SIDES}  # type: ignore[arg-type]
    return Proved(node, node.commitment().state_root, accounts, orders)


def test_what_is_so_is_shown(proved: Proved) -> None:
    alice = verify_account_proof(proved.accounts[ALICE], proved.root, ALICE)
    assert alice == proved.node.state.account(ALICE)
    assert verify_account_proof(proved.accounts[NOBODY], proved.root, NOBODY) == ABSENT
    best = verify_best_order_proof(proved.orders["buy"], proved.root, 0, "buy")
    assert best is not None
    assert (best.ticks, best.order.account, best.order.lots) == (491_000, ALICE, 5)
    assert verify_best_order_proof(proved.orders["sell"], proved.root, 0, "sell") is None


def test_another_library_reaches_the_same_roots(proved: Proved) -> None:
    for proof in proved.accounts.values():
        assert calc_root(proof.key, proof.leaf, proof.siblings) == proof.roots.accounts_root


def test_what_was_not_asked_for_is_no_answer(proved: Proved) -> None:
    account, order = proved.accounts[ALICE], proved.orders["buy"]
    attempts: list[tuple[Any, ...]] = [
        (verify_account_proof, account, proved.root, ALICE + 1),
        (verify_best_order_proof, order, proved.root, 1, "buy"),
        (verify_best_order_proof, order, proved.root, 0, "sell"),
        (verify_best_order_proof, replace(order, side="sell"), proved.root, 0, "sell"),
    ]
    reasons = []
    for verify, *given in attempts:
        with pytest.raises(BadProof) as refused:
            verify(*given)
        reasons.append(refused.value.reason)
    assert reasons == ["not_asked_for"] * 3 + ["wrong_root"]


def test_another_root_is_refused(proved: Proved) -> None:
    other = bytes([proved.root[0] ^ 1]) + proved.root[1:]
    with pytest.raises(BadProof, match="wrong_root: the state leads to"):
        verify_account_proof(proved.accounts[ALICE], other, ALICE)
    with pytest.raises(BadProof, match="wrong_root: the state leads to"):
        verify_best_order_proof(proved.orders["buy"], other, 0, "buy")


def tampered(struct: Any) -> list[Any]:
    """The struct with one bit of each of its byte strings, and each of its lists, changed."""
    found = []
    for name, value in asdict(struct).items():
        if name in ("account", "book_root", "state_root", "batch", "sealed", "version"):
            continue
        if isinstance(value, bytes):
            changed: list[Any] = [_flipped(value), type(value)(value + b"\0")]
        elif isinstance(value, list):
            last = [_flipped(value[-1]), value[-1][1:], value[-1] + b"\0", b""]
            changed = [value[1:], [*value, value[0]]]
            changed += [[*value[:-1], Hash(other)] for other in last]
        elif hasattr(value, "__struct_fields__"):
            changed = tampered(value)
        else:
            continue
        found += [replace(struct, **{name: other}) for other in changed]
    return found


def _flipped(value: bytes) -> bytes:
    last = value[-1] ^ 1 if value else 1
    return type(value)(value[:-1] + bytes([last]))


def test_every_part_is_bound_to_the_root(proved: Proved) -> None:
    count = 0
    for number, account in proved.accounts.items():
        for lie in tampered(account):
            with pytest.raises(BadProof):
                verify_account_proof(lie, proved.root, number)
            count += 1
    for side, order in proved.orders.items():
        for lie in tampered(order):
            with pytest.raises(BadProof):
                verify_best_order_proof(lie, proved.root, 0, side)
            count += 1
    assert count > 60


def test_a_worse_order_is_not_the_best(proved: Proved) -> None:
    """True leaves with true branches: an order that is there, and a gap behind the best one."""
    book = proved.node.commitment().book(0, 0)
    keys = sorted(key for key, _ in book)
    for key in (keys[1], keys[0] + 1):
        place = Hex(key.to_bytes(8, "big"))
        siblings = [Hash(sibling) for sibling in book.branch(key)]
        lie = replace(proved.orders["buy"], key=place, leaf=Hex(book.leaf(key)), siblings=siblings)
        with pytest.raises(BadProof, match="not_the_best"):
            verify_best_order_proof(lie, proved.root, 0, "buy")
