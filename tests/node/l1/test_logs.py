"""Finding logs: filters, ranges, and where the server says enough."""

from typing import Any

import pytest
from l1_world import ALICE, BOB, Rpc, calldata, event_topic, refusal, shown, words

from node.l1.config import L1Config

NOWHERE = "0x" + "ab" * 32
SET = event_topic("Set(address,uint256,uint256)")


@pytest.fixture
async def contracts(rpc: Rpc) -> list[str]:
    """Two contracts; blocks 3 to 6 hold one event each."""
    first, second = await rpc.deploy(), await rpc.deploy()
    for account, contract, number in (
        (ALICE, first, 1),
        (BOB, first, 2),
        (ALICE, second, 1),
        (BOB, second, 2),
    ):
        await rpc.send(account, to=contract, data=calldata("set(uint256)", number), gas=100_000)
    return [shown(first), shown(second)]


@pytest.mark.parametrize(
    ("addresses", "topics", "blocks"),
    [
        ([], [], [3, 4, 5, 6]),
        ([0], [], [3, 4]),
        ([0, 1], [], [3, 4, 5, 6]),
        ([], ["set"], [3, 4, 5, 6]),
        ([], [None, "alice"], [3, 5]),
        ([], ["set", None, 2], [4, 6]),
        ([], ["set", ["alice", "bob"], [1, 2]], [3, 4, 5, 6]),
        ([], [["set", None], "bob"], [4, 6]),
        ([1], ["set", "bob", [2]], [6]),
        ([], ["alice"], []),
        ([], ["set", None, None, None], []),
    ],
)
async def test_filters(
    rpc: Rpc,
    contracts: list[str],
    addresses: list[int],
    topics: list[Any],
    blocks: list[int],
) -> None:
    named = {
        "set": shown(SET),
        "alice": shown(ALICE.address.rjust(32, b"\0")),
        "bob": shown(BOB.address.rjust(32, b"\0")),
        1: shown(words(1)),
        2: shown(words(2)),
        None: None,
    }

    def topic(item: Any) -> Any:
        return [named[choice] for choice in item] if isinstance(item, list) else named[item]

    query: dict[str, Any] = {"fromBlock": "earliest", "toBlock": "latest"}
    query["topics"] = [topic(item) for item in topics]
    if addresses:
        query["address"] = [contracts[index] for index in addresses]
    found = await rpc("eth_getLogs", query)
    assert [int(log["blockNumber"], 16) for log in found] == blocks


async def test_ranges(rpc: Rpc, contracts: list[str]) -> None:
    for first, last, blocks in (
        (None, None, [6]),
        ("0x4", "0x5", [4, 5]),
        ("0x5", None, [5, 6]),
        ("0x5", "0xff", [5, 6]),
        ("0x7", "0xff", []),
        ("latest", "pending", [6]),
    ):
        query = {"address": contracts, "fromBlock": first, "toBlock": last}
        found = await rpc("eth_getLogs", query)
        assert [int(log["blockNumber"], 16) for log in found] == blocks, query


async def test_what_a_log_tells(rpc: Rpc, contracts: list[str]) -> None:
    (found,) = await rpc("eth_getLogs", {"address": contracts[1], "fromBlock": "0x6"})
    block = await rpc("eth_getBlockByNumber", "0x6", False)
    assert found == {
        "address": contracts[1],
        "topics": [shown(SET), shown(BOB.address.rjust(32, b"\0")), shown(words(2))],
        "data": shown(words(6)),
        "blockNumber": "0x6",
        "blockHash": block["hash"],
        "blockTimestamp": block["timestamp"],
        "transactionHash": block["transactions"][0],
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }


async def test_an_unknown_block_is_not_an_empty_one(rpc: Rpc) -> None:
    assert (await refusal(rpc, "eth_getLogs", {"blockHash": NOWHERE})).code == -32001


async def test_a_range_that_is_too_large_is_refused(rpc: Rpc, config: L1Config) -> None:
    await rpc("evm_mine", {"blocks": config.log_blocks_max})
    refused = await refusal(rpc, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
    assert refused.code == -32005
    assert refused.message == "block range too large: 51 blocks, at most 50"
    assert await rpc("eth_getLogs", {"fromBlock": "0x1", "toBlock": "latest"}) == []


async def test_too_many_results_are_refused(
    rpc: Rpc, config: L1Config, contracts: list[str]
) -> None:
    target = bytes.fromhex(contracts[0][2:])
    for number in range(100, 100 + config.log_results_max - 4):
        await rpc.send(BOB, to=target, data=calldata("set(uint256)", number), gas=100_000)
    assert len(await rpc("eth_getLogs", {"fromBlock": "0x0"})) == config.log_results_max
    await rpc.send(BOB, to=target, data=calldata("set(uint256)", 1), gas=100_000)
    refused = await refusal(rpc, "eth_getLogs", {"fromBlock": "0x0"})
    assert (refused.code, "more than 20 logs" in refused.message) == (-32005, True)
