"""Heads, batches, the deployment, and what a withdrawal waits for."""

from typing import Any

import pytest
from builders import DOMAIN, MICRO_DOLLAR, NOW, key
from msgspec.structs import replace
from rpc_world import Follower, Sequencer, running

from node.view import BatchRecord, ClaimRecord, Heads, PaymentRecord

ALICE = 1 << 8


async def test_the_status_tells_heads_and_problems() -> None:
    node = Sequencer()
    node.heads = Heads(unsafe=9, safe=7, finalized=5, confirmed=3, l1_block=77)
    node.troubles = ["L1 does not answer; check that it runs"]
    async with running(node) as rpc:
        assert await rpc.result("rollup_syncStatus") == {
            "role": "sequencer",
            "batch": 1,
            "time": NOW,
            "sealed": False,
            "unsafe": 9,
            "safe": 7,
            "finalized": 5,
            "confirmed": 3,
            "l1Block": 77,
            "problems": ["L1 does not answer; check that it runs"],
        }
        node.seal()
        assert (await rpc.result("rollup_syncStatus"))["sealed"] is True


async def test_the_deployment_is_told() -> None:
    async with running(Follower()) as rpc:
        found = await rpc.result("rollup_config")
    rollup = "0x" + DOMAIN.rollup.hex()
    assert found == {
        "role": "follower",
        "version": 1,
        "chainId": 31337,
        "rollup": rollup,
        "token": "0x" + "77" * 20,
        "genesisHash": "0x" + DOMAIN.genesis_hash.hex(),
        "mode": "optimistic",
        "proofSystem": None,
        "domain": {
            "name": "Tallystick",
            "version": "1",
            "chainId": 31337,
            "verifyingContract": rollup,
            "separator": "0x" + DOMAIN.separator.hex(),
        },
    }


@pytest.mark.parametrize(
    ("proof_system", "mode"), [("MOCK-ATTESTED", "validity-mock"), ("ANOTHER", "validity")]
)
async def test_a_venue_that_takes_proofs_says_of_which_kind(proof_system: str, mode: str) -> None:
    node = node_with_batches(4)
    node.proof_system = proof_system
    async with running(node) as rpc:
        terms = await rpc.result("rollup_config")
        assert (terms["mode"], terms["proofSystem"]) == (mode, proof_system)
        told = [batch["settlement"] for batch in await rpc.result("rollup_batches")]
        assert told == [f"proven ({proof_system})", None, None, None]


def record(number: int, **changed: Any) -> BatchRecord:
    fields: dict[str, Any] = {"number": number, "state_root": bytes([number]) * 32}
    fields |= {"withdrawals_root": b"\x0a" * 32, "steps": 12, "transactions": 4, "orders": 3}
    fields |= {"fills": 2, "items": 1, "raw_bytes": 90, "time_min": NOW, "time_max": NOW + 9}
    return BatchRecord(**(fields | changed))


def node_with_batches(last: int) -> Follower:
    node = Follower()
    node.records = {number: record(number) for number in range(1, last + 1)}
    node.heads = Heads(unsafe=last, safe=last - 1, finalized=last - 2, confirmed=last - 3)
    return node


async def test_a_batch_is_told_with_how_certain_it_is() -> None:
    node = node_with_batches(4)
    posted = {"batch_hash": b"\x0b" * 32, "posted_block": 8, "posted_transaction": b"\x0c" * 32}
    node.records[1] = record(1, void="CHUNK_HASH", compressed_bytes=50, withdrawals=6, **posted)
    async with running(node) as rpc:
        assert await rpc.result("rollup_batch", 1) == {
            "number": 1,
            "certainty": "confirmed",
            "settlement": "claimed",
            "batchHash": "0x" + "0b" * 32,
            "stateRoot": "0x" + "01" * 32,
            "withdrawalsRoot": "0x" + "0a" * 32,
            "withdrawals": 6,
            "steps": 12,
            "transactions": 4,
            "orders": 3,
            "fills": 2,
            "items": 1,
            "rawBytes": 90,
            "compressedBytes": 50,
            "timeMin": NOW,
            "timeMax": NOW + 9,
            "void": "CHUNK_HASH",
            "postedBlock": 8,
            "postedTransaction": "0x" + "0c" * 32,
            "conservation": None,
        }
        plain = await rpc.result("rollup_batch", number="0x4")
        assert (plain["void"], plain["postedBlock"], plain["batchHash"]) == (None, None, None)
        batches = await rpc.result("rollup_batches")
    assert [b["certainty"] for b in batches] == ["confirmed", "finalized", "safe", "unsafe"]


@pytest.mark.parametrize("number", [0, 5, 2**64 - 1])
async def test_a_batch_that_is_not_there_is_told_so(number: int) -> None:
    async with running(node_with_batches(4)) as rpc:
        error = await rpc.error("rollup_batch", number=number)
    assert (error["code"], error["data"]["reason"]) == (2001, "unknown_batch")
    assert error["data"]["expected"] == "1 to 4"


@pytest.mark.parametrize(
    ("params", "numbers"),
    [
        ({}, range(111, 131)),
        ({"count": 3}, range(128, 131)),
        ({"from": 1, "count": 2}, range(1, 3)),
        ({"from": 129}, range(129, 131)),
        ({"from": 0, "count": 2}, range(1, 2)),
        ({"from": 131}, range(0)),
        ({"from": 2**64 - 1, "count": 100}, range(0)),
        ({"count": 100}, range(31, 131)),
    ],
)
async def test_batches_come_in_pages(params: dict[str, int], numbers: range) -> None:
    async with running(node_with_batches(130)) as rpc:
        found = await rpc.result("rollup_batches", **params)
    assert [batch["number"] for batch in found] == list(numbers)


@pytest.mark.parametrize("count", [0, 101])
async def test_a_page_of_batches_is_bounded(count: int) -> None:
    async with running(node_with_batches(4)) as rpc:
        error = await rpc.error("rollup_batches", count=count)
    assert (error["code"], error["data"]["reason"]) == (-32602, "count_out_of_range")


async def test_a_fresh_node_has_no_batches() -> None:
    async with running(Follower()) as rpc:
        assert await rpc.result("rollup_batches") == []


# --- withdrawals ---

CLAIM = ClaimRecord(
    batch=1, claim=b"\x0d" * 32, claimed_block=20, claimed_at=NOW, confirmable_at=NOW + 60
)


def withdrawing() -> Sequencer:
    node = Sequencer()
    node.venue.open("alice", 10)
    node.venue.withdraw("alice", MICRO_DOLLAR)
    return node


async def test_a_withdrawal_says_at_every_stage_what_it_waits_for() -> None:
    node = withdrawing()
    told = []
    async with running(node) as rpc:

        async def stage() -> Any:
            found = await rpc.result("rollup_withdrawal", index=0)
            told.append((found["status"], found["waitsFor"]))
            return found

        assert await stage() == {
            "index": 0,
            "account": ALICE,
            "recipient": "0x" + key("alice").address.hex(),
            "amount": "1",
            "micro": "1000000",
            "status": "sequenced",
            "waitsFor": "the sequencer, to seal the batch in progress",
            "batch": None,
            "claim": None,
            "payment": None,
        }
        node.seal()
        assert (await stage())["batch"] == 1
        node.heads = replace(node.heads, safe=1)
        await stage()
        node.claims[1] = CLAIM
        assert (await stage())["claim"] == {
            "batch": 1,
            "claim": "0x" + "0d" * 32,
            "claimedBlock": 20,
            "claimedAt": NOW,
            "confirmableAt": NOW + 60,
            "confirmedBlock": None,
        }
        node.heads = replace(node.heads, confirmed=1)
        await stage()
        node.payments[0] = PaymentRecord(index=0, block=31, transaction=b"\x0e" * 32)
        paid = await stage()
        assert paid["payment"] == {"block": 31, "transaction": "0x" + "0e" * 32}
    assert [status for status, _ in told] == [
        *("sequenced", "sealed", "posted", "claimed", "confirmed", "paid")
    ]
    assert [waits for _, waits in told[1:]] == [
        "the sequencer, to post batch 1 to L1",
        "a claimant, to claim the output of batch 1",
        f"the end of the window of the claim on batch 1 (L1 time {NOW + 60})",
        "anyone, to call the rollup's withdraw with rollup_withdrawalProof",
        None,
    ]


async def test_where_claims_are_proven_a_withdrawal_waits_for_a_proof() -> None:
    node = withdrawing()
    node.proof_system = "MOCK-ATTESTED"
    node.seal()
    node.heads = replace(node.heads, safe=1)
    async with running(node) as rpc:
        found = await rpc.result("rollup_withdrawal", index=0)
    assert found["status"] == "posted"
    assert found["waitsFor"] == "a claimant, to prove the output of batch 1 (MOCK-ATTESTED)"


async def test_a_node_that_follows_no_claims_still_tells_what_it_knows() -> None:
    writer = withdrawing()
    node = Follower(writer.venue)
    record = node.seal()
    node.heads = replace(node.heads, safe=1)
    async with running(node) as rpc:
        found = await rpc.result("rollup_withdrawal", index=0)
        proof = await rpc.result("rollup_withdrawalProof", index=0)
    assert (found["status"], found["claim"], found["payment"]) == ("posted", None, None)
    assert proof["withdrawalsRoot"] == "0x" + record.withdrawals_root.hex()


async def test_the_first_batch_that_has_a_withdrawal_is_found_among_many() -> None:
    node = withdrawing()
    node.records = {
        number: record(number, withdrawals=int(number >= 37)) for number in range(1, 91)
    }
    node.heads = Heads(unsafe=90)
    async with running(node) as rpc:
        assert (await rpc.result("rollup_withdrawal", index=0))["batch"] == 37
