"""Proofs as they are served, verified with `trie.smt.calc_root` and nothing of ours."""

from typing import Any

import pytest
from builders import DOLLAR, NOW, Venue, key
from msgspec.structs import replace
from rpc_world import Follower, Rpc, Sequencer, running
from trie.smt import calc_root

from node.view import ClaimRecord
from state.accounts import decode_account
from state.crypto import keccak
from state.markets import decode_market
from state.orders import decode_order, key_ticks
from state.transactions import Header
from state.withdrawals import decode_withdrawal

ALICE, BOB = 1 << 8, 2 << 8
EMPTY = keccak(b"")


def raw(text: str) -> bytes:
    assert text.startswith("0x")
    return bytes.fromhex(text[2:])


def root_of(proof: Any) -> bytes:
    """The root that key, leaf and siblings lead to, by the reference implementation."""
    siblings = [raw(sibling) for sibling in proof["siblings"]]
    root: bytes = calc_root(raw(proof["key"]), raw(proof["leaf"]), siblings)
    return root


def state_root_of(roots: Any) -> bytes:
    """The state root from the parts that were served beside it."""
    parts = [raw(roots[name]) for name in ("accountsRoot", "marketsRoot", "boardRoot")]
    machine = keccak(raw(roots["machine"]))
    return keccak(roots["version"].to_bytes(2, "big") + b"".join(parts) + machine)


def busy_venue() -> Venue:
    venue = Venue()
    venue.open("alice", 10_000)
    venue.open("bob", 10_000)
    for ticks in (490_000, 495_000, 495_000, 480_000):
        venue.buy("alice", 5, ticks)
    venue.sell("bob", 3, 495_000)
    venue.sell("bob", 7, 505_000)
    return venue


@pytest.mark.parametrize("number", [ALICE, BOB, 0, BOB + 1, 2**32 - 1])
async def test_an_account_or_its_absence_is_proved(number: int) -> None:
    node = Sequencer(busy_venue())
    async with running(node) as rpc:
        proof = await rpc.result("rollup_accountProof", account=number)
    assert len(proof["siblings"]) == 32
    assert root_of(proof) == raw(proof["roots"]["accountsRoot"])
    assert state_root_of(proof["roots"]) == raw(proof["roots"]["stateRoot"])
    assert raw(proof["roots"]["stateRoot"]) == node.commitment().state_root
    assert decode_account(raw(proof["leaf"])) == node.state.account(number)
    assert (proof["leaf"] == "0x") == (number not in (ALICE, BOB))
    assert (proof["roots"]["batch"], proof["roots"]["sealed"]) == (1, False)


async def test_a_proof_of_something_else_does_not_verify() -> None:
    async with running(Sequencer(busy_venue())) as rpc:
        proof = await rpc.result("rollup_accountProof", account=ALICE)
    root = raw(proof["roots"]["accountsRoot"])
    for changed in (
        {"leaf": "0x"},
        {"leaf": proof["leaf"][:-2] + "ff"},
        {"key": "0x00000101"},
        {"siblings": proof["siblings"][::-1]},
    ):
        assert root_of(proof | changed) != root


async def test_after_a_batch_the_root_is_the_batchs() -> None:
    node = Sequencer(busy_venue())
    record = node.seal()
    async with running(node) as rpc:
        proof = await rpc.result("rollup_accountProof", account=ALICE)
        batch = await rpc.result("rollup_batch", number=1)
    assert proof["roots"]["sealed"] is True
    assert proof["roots"]["stateRoot"] == batch["stateRoot"] == "0x" + record.state_root.hex()


def left_siblings(proof: Any) -> list[bytes]:
    """The siblings on the left of the path, with the empty hash of the same height beside each."""
    path = int.from_bytes(raw(proof["key"]), "big")
    depth = len(proof["siblings"])
    return [
        raw(sibling)
        for level, sibling in enumerate(proof["siblings"])
        if path >> (depth - 1 - level) & 1
    ]


def empty_hashes(depth: int) -> list[bytes]:
    hashes = [EMPTY]
    for _ in range(depth):
        hashes.append(keccak(hashes[-1] * 2))
    return hashes


async def best_order(rpc: Rpc, node: Follower, side: str) -> Any:
    """A best-order proof, after all that can be verified about it was."""
    proof = await rpc.result("rollup_bestOrderProof", market="BTC-USD-PERP", side=side)
    market = proof["market"]
    assert (len(proof["siblings"]), len(market["siblings"])) == (64, 16)
    book_root = raw(proof["bookRoot"])
    assert root_of(proof) == book_root
    assert root_of(market) == raw(proof["roots"]["marketsRoot"])
    assert state_root_of(proof["roots"]) == raw(proof["roots"]["stateRoot"])
    leaf, bids_root, asks_root = decode_market(raw(market["leaf"]))
    assert leaf == node.state.market(0)
    assert book_root == (bids_root if side == "buy" else asks_root)
    # Nothing is to the left: every sibling there is an empty subtree.
    assert set(left_siblings(proof)) <= set(empty_hashes(64))
    return proof


async def test_nothing_comes_before_the_best_order() -> None:
    node = Sequencer(busy_venue())
    async with running(node) as rpc:
        bid, ask = await best_order(rpc, node, "buy"), await best_order(rpc, node, "sell")
    assert key_ticks(0, int(bid["key"], 16)) == 495_000
    order = decode_order(raw(bid["leaf"]))
    # Of two at the best price, the earlier one: what Bob's sale left of it.
    assert (order.account, order.sequence, order.lots) == (ALICE, 2, 2)
    assert decode_order(raw(ask["leaf"])).account == BOB
    assert (bid["empty"], ask["empty"]) == (False, False)
    assert bid["side"] == "buy"


async def test_an_empty_side_is_proved_empty() -> None:
    node = Sequencer()
    async with running(node) as rpc:
        proof = await best_order(rpc, node, "sell")
    assert (proof["empty"], proof["leaf"], proof["key"]) == (True, "0x", "0x" + "ff" * 8)
    # At the last key every sibling is on the left, so all are empty and so is the leaf.
    assert [raw(s) for s in proof["siblings"]] == empty_hashes(64)[:64][::-1]
    assert raw(proof["bookRoot"]) == empty_hashes(64)[64]


# --- withdrawals ---


def paying_node() -> Sequencer:
    """Five withdrawals over three batches and one in progress: 2, 0, 2 and 1."""
    node = Sequencer()
    node.venue.open("alice", 10_000)
    for batch, count in ((1, 2), (2, 0), (3, 2)):
        for micro in range(1, count + 1):
            node.venue.withdraw("alice", 100 * batch + micro)
        node.seal()
        node.venue.boot()
        node.venue.run(Header(NOW + batch))
    node.venue.withdraw("alice", 7)
    return node


async def withdrawal_proof(rpc: Rpc, index: int, **batch: int) -> Any:
    proof = await rpc.result("rollup_withdrawalProof", index=index, **batch)
    assert len(proof["siblings"]) == 32
    assert root_of(proof) == raw(proof["withdrawalsRoot"])
    assert decode_withdrawal(raw(proof["leaf"])).index == index == int(proof["key"], 16)
    return proof


async def test_a_withdrawal_is_proved_against_the_root_of_a_batch() -> None:
    node = paying_node()
    roots = {n: "0x" + record.withdrawals_root.hex() for n, record in node.records.items()}
    async with running(node) as rpc:
        for index, batch in ((0, 1), (1, 1), (1, 2), (1, 3), (3, 3)):
            proof = await withdrawal_proof(rpc, index, batch=batch)
            assert proof["withdrawalsRoot"] == roots[batch]
            assert (proof["batch"], proof["confirmed"]) == (batch, False)


async def test_the_batch_to_prove_against_is_the_last_confirmed_if_that_will_do() -> None:
    node = paying_node()
    async with running(node) as rpc:
        assert [(await withdrawal_proof(rpc, n))["batch"] for n in range(5)] == [1, 1, 3, 3, None]
        node.heads = replace(node.heads, confirmed=2)
        proofs = [await withdrawal_proof(rpc, index) for index in range(5)]
        assert [p["batch"] for p in proofs] == [2, 2, 3, 3, None]
        assert [p["confirmed"] for p in proofs] == [True, True, False, False, False]


async def test_a_claimed_batch_brings_what_l1_asks_for() -> None:
    node = paying_node()
    node.heads = replace(node.heads, confirmed=3)
    node.claims[3] = ClaimRecord(batch=3, claim=b"\x03" * 32, parent=b"\x02" * 32, output=b"out")
    async with running(node) as rpc:
        proof = await withdrawal_proof(rpc, 2)
        assert (proof["parentClaim"], proof["output"]) == ("0x" + "02" * 32, "0x6f7574")
        proof = await withdrawal_proof(rpc, 0, batch=1)
        assert (proof["parentClaim"], proof["output"]) == (None, None)


async def test_a_batch_before_the_withdrawal_cannot_prove_it() -> None:
    async with running(paying_node()) as rpc:
        error = await rpc.error("rollup_withdrawalProof", index=2, batch=2)
        assert (error["code"], error["data"]["reason"]) == (2001, "withdrawal_not_in_batch")
        error = await rpc.error("rollup_withdrawalProof", index=2, batch=9)
        assert error["data"]["reason"] == "unknown_batch"
        for method in ("rollup_withdrawalProof", "rollup_withdrawal"):
            error = await rpc.error(method, index=5)
            assert error["data"]["reason"] == "unknown_withdrawal"
            assert "there are 5" in error["message"]


def test_the_amounts_are_the_ones_withdrawn() -> None:
    """The world of these tests is what it says: 201 + 203 micro-USDC and so on left alice."""
    node = paying_node()
    amounts = [w.amount for w in node.state.withdrawals]
    assert amounts == [101, 102, 301, 302, 7]
    cash = node.state.account(ALICE).cash
    assert cash == 10_000 * DOLLAR - 1_000 * sum(amounts)
    assert node.state.withdrawals[0].recipient == key("alice").address
