"""Polling filters: what is new is told once, what was taken back too, and little is kept."""

from typing import Any

import pytest
from fake_clock import FakeClock
from l1_world import ALICE, BOB, Rpc, calldata, event_topic, refusal, shown, words

from node.l1.methods import filters
from node.l1.recent import RECENT_MAX, Recent

SET = event_topic("Set(address,uint256,uint256)")


async def set_number(rpc: Rpc, contract: bytes, number: int) -> dict[str, Any]:
    return await rpc.send(BOB, to=contract, data=calldata("set(uint256)", number), gas=100_000)


def numbers(logs: list[dict[str, Any]]) -> list[tuple[int, bool]]:
    return [
        (int(log["topics"][2], 16) if len(log["topics"]) > 2 else -1, log["removed"])
        for log in logs
    ]


async def test_logs_are_told_once(rpc: Rpc) -> None:
    contract = await rpc.deploy()
    await set_number(rpc, contract, 1)
    query = {"address": shown(contract), "topics": [shown(SET)], "fromBlock": "0x0"}
    identity = await rpc("eth_newFilter", query)
    assert await rpc("eth_getFilterChanges", identity) == []
    receipts = [await set_number(rpc, contract, number) for number in (2, 3)]
    changes = await rpc("eth_getFilterChanges", identity)
    assert changes == [log for receipt in receipts for log in receipt["logs"]]
    assert await rpc("eth_getFilterChanges", identity) == []
    assert len(await rpc("eth_getFilterLogs", identity)) == 3


async def test_logs_that_are_taken_back_are_told_as_removed(rpc: Rpc) -> None:
    contract = await rpc.deploy()
    identity = await rpc("eth_newFilter", {"address": shown(contract)})
    snapshot = await rpc("evm_snapshot")
    gone = [(await set_number(rpc, contract, number))["logs"][0] for number in (1, 2)]
    assert await rpc("eth_getFilterChanges", identity) == gone
    unseen = await set_number(rpc, contract, 3)
    await rpc("evm_revert", snapshot)
    kept = await set_number(rpc, contract, 4)
    changes = await rpc("eth_getFilterChanges", identity)
    assert [log for log in changes if log["removed"]] == [
        log | {"removed": True} for log in reversed(gone)
    ]
    assert [log for log in changes if not log["removed"]] == kept["logs"]
    assert unseen["logs"][0]["transactionHash"] not in str(changes)


async def test_only_logs_of_the_query_are_told(rpc: Rpc) -> None:
    contract, other = await rpc.deploy(), await rpc.deploy()
    head = await rpc.number()
    who = shown(BOB.address.rjust(32, b"\0"))
    bounded = {"address": shown(contract), "toBlock": hex(head + 1)}
    identities = [
        await rpc("eth_newFilter", query)
        for query in ({"topics": [shown(SET), who, shown(words(2))]}, bounded, {})
    ]
    for where, number in ((contract, 1), (other, 2), (contract, 2)):
        await set_number(rpc, where, number)
    found = [await rpc("eth_getFilterChanges", identity) for identity in identities]
    assert [len(logs) for logs in found] == [2, 1, 3]


async def test_blocks_and_transactions_are_told_once(rpc: Rpc) -> None:
    blocks = await rpc("eth_newBlockFilter")
    waiting = await rpc("eth_newPendingTransactionFilter")
    receipt = await rpc.send(ALICE, to=BOB.address, value=1)
    await rpc("evm_setAutomine", False)
    await rpc.send(ALICE, to=BOB.address, value=2)
    content = (await rpc("txpool_content"))["pending"][shown(ALICE.address)]
    assert await rpc("eth_getFilterChanges", blocks) == [receipt["blockHash"]]
    assert await rpc("eth_getFilterChanges", waiting) == [
        receipt["transactionHash"],
        content["1"]["hash"],
    ]
    assert await rpc("eth_getFilterChanges", blocks) == []
    assert await rpc("eth_getFilterChanges", waiting) == []
    await rpc("anvil_reorg", 1, [])
    (replaced,) = await rpc("eth_getFilterChanges", blocks)
    assert replaced == (await rpc("eth_getBlockByNumber", "latest"))["hash"]


async def test_a_filter_ends_when_it_is_told_to_or_not_used(rpc: Rpc, clock: FakeClock) -> None:
    ended, unused, used = [await rpc("eth_newBlockFilter") for _ in range(3)]
    assert await rpc("eth_uninstallFilter", ended) is True
    assert await rpc("eth_uninstallFilter", ended) is False
    for _ in range(2):
        clock.advance(200)
        await rpc("eth_getFilterChanges", used)
    for gone in (ended, unused, "0x99"):
        refused = await refusal(rpc, "eth_getFilterChanges", gone)
        assert refused.code == -32000 and "filter not found" in refused.message
    assert "not of logs" in (await refusal(rpc, "eth_getFilterLogs", used)).message


async def test_there_are_not_too_many(rpc: Rpc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "FILTERS_MAX", 2)
    for _ in range(2):
        await rpc("eth_newBlockFilter")
    assert (await refusal(rpc, "eth_newBlockFilter")).code == -32005


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ([], "expected an object"),
        ({"block": "0x1"}, "unknown field"),
        ({"blockHash": "0x" + "11" * 32}, "ask eth_getLogs"),
        ({"fromBlock": "newest"}, "unknown tag"),
        ({"topics": ["0x12"]}, "topics: expected 32 bytes"),
    ],
)
async def test_a_bad_query_makes_no_filter(rpc: Rpc, query: Any, said: str) -> None:
    refused = await refusal(rpc, "eth_newFilter", query)
    assert refused.code == -32602 and said in refused.message


def test_what_is_remembered_is_bounded() -> None:
    recent: Recent[int] = Recent()
    for number in range(RECENT_MAX + 10):
        recent.append(number)
    assert recent.since(recent.count - 3) == [RECENT_MAX + 7, RECENT_MAX + 8, RECENT_MAX + 9]
    assert recent.since(recent.count) == []
    assert recent.since(0) == list(range(10, RECENT_MAX + 10))
