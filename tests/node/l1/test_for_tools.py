"""What wallets and command-line tools ask of a devnet beside the everyday methods."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
import rlp  # type: ignore[import-untyped]
from fake_clock import FakeClock
from l1_world import ALICE, BOB, ETHER, Rpc, calldata, refusal, shown, signed, words

from node.l1.config import L1Config
from node.l1.server import L1Server
from state.crypto import keccak

STRANGER = b"\x55" * 20
NOWHERE = "0x" + "ab" * 32


async def test_a_transaction_is_found_by_its_place(rpc: Rpc) -> None:
    await rpc("evm_setAutomine", False)
    for account in (ALICE, BOB):
        await rpc.send(account, to=STRANGER, value=1)
    assert await rpc("eth_getBlockTransactionCountByNumber", "pending") == "0x2"
    await rpc("evm_mine")
    block = await rpc("eth_getBlockByNumber", "latest", True)
    for index, transaction in enumerate(block["transactions"]):
        place = hex(index)
        found = await rpc("eth_getTransactionByBlockNumberAndIndex", "0x1", place)
        assert found == transaction
        assert found == await rpc("eth_getTransactionByBlockHashAndIndex", block["hash"], place)
    assert await rpc("eth_getTransactionByBlockNumberAndIndex", "latest", "0x2") is None
    assert await rpc("eth_getTransactionByBlockHashAndIndex", NOWHERE, "0x0") is None
    assert await rpc("eth_getBlockTransactionCountByHash", block["hash"]) == "0x2"
    assert await rpc("eth_getBlockTransactionCountByHash", NOWHERE) is None
    assert await rpc("eth_getBlockTransactionCountByNumber", "0x9") is None


async def test_no_block_has_uncles(rpc: Rpc) -> None:
    genesis = (await rpc("eth_getBlockByNumber", "0x0"))["hash"]
    assert await rpc("eth_getUncleCountByBlockNumber", "latest") == "0x0"
    assert await rpc("eth_getUncleCountByBlockHash", genesis) == "0x0"
    assert await rpc("eth_getUncleCountByBlockHash", NOWHERE) is None
    assert await rpc("eth_getUncleByBlockNumberAndIndex", "latest", "0x0") is None
    assert await rpc("eth_getUncleByBlockHashAndIndex", genesis, "0x0") is None


async def test_small_facts(rpc: Rpc) -> None:
    assert await rpc("net_peerCount") == "0x0"
    assert await rpc("web3_sha3", "0x") == shown(keccak(b""))
    assert await rpc("eth_blobBaseFee") == "0x1"
    base_fee = await rpc("eth_baseFee")
    await rpc("evm_mine")
    assert (await rpc("eth_getBlockByNumber", "latest"))["baseFeePerGas"] == base_fee


async def test_raw_bytes_hash_to_what_they_are(rpc: Rpc) -> None:
    receipt = await rpc.send(ALICE, to=STRANGER, value=1)
    block = await rpc("eth_getBlockByNumber", "latest")
    header = await rpc("debug_getRawHeader", "latest")
    assert shown(keccak(bytes.fromhex(header[2:]))) == block["hash"]
    whole = await rpc("debug_getRawBlock", "0x1")
    assert len(whole) // 2 - 1 == int(block["size"], 16)
    body = rlp.decode(bytes.fromhex(whole[2:]))
    assert shown(rlp.encode(body[0])) == header
    raw = await rpc("debug_getRawTransaction", receipt["transactionHash"])
    assert body[1] == [bytes.fromhex(raw[2:])]
    assert len(await rpc("debug_getRawReceipts", "0x1")) == 1
    assert await rpc("debug_getRawTransaction", NOWHERE) == "0x"
    assert (await refusal(rpc, "debug_getRawHeader", "0x9")).code == -32001


async def test_an_access_list_names_what_a_call_touches(rpc: Rpc) -> None:
    contract = await rpc.deploy()
    call = {
        "to": shown(contract),
        "data": shown(calldata("write(uint256,uint256,uint256)", 0, 3, 1)),
    }
    found = await rpc("eth_createAccessList", call)
    (entry,) = found["accessList"]
    assert entry["address"] == shown(contract) and len(entry["storageKeys"]) == 3
    plain = int(await rpc("eth_estimateGas", call), 16)
    declared = int(await rpc("eth_estimateGas", call | {"accessList": found["accessList"]}), 16)
    assert declared == int(found["gasUsed"], 16)
    assert declared - plain == 2_400 + 3 * 1_900 - 3 * 2_100
    nothing = await rpc("eth_createAccessList", {"to": shown(STRANGER)})
    assert nothing == {"accessList": [], "gasUsed": hex(21_000)}
    bad = {"to": shown(contract), "data": shown(calldata("set(uint256)", 13))}
    assert (await rpc("eth_createAccessList", bad))["error"] == "execution reverted: unlucky"


async def test_a_receipt_comes_with_the_sending(rpc: Rpc) -> None:
    raw = shown(signed(ALICE, to=STRANGER, value=1))
    receipt = await rpc("eth_sendRawTransactionSync", raw)
    assert receipt == await rpc("eth_getTransactionReceipt", receipt["transactionHash"])
    refused = await refusal(rpc, "eth_sendRawTransactionSync", raw)
    assert refused.code == 1000


async def test_a_receipt_that_does_not_come_in_time_is_an_error_with_the_hash(rpc: Rpc) -> None:
    await rpc("evm_setAutomine", False)
    raw = signed(ALICE, to=STRANGER, value=1)
    refused = await refusal(rpc, "eth_sendRawTransactionSync", shown(raw), 50)
    assert (refused.code, refused.data) == (4, shown(keccak(raw)))
    assert (await rpc("txpool_status"))["pending"] == "0x1"


async def test_others_are_served_while_a_receipt_is_waited_for(rpc: Rpc) -> None:
    await rpc("evm_setAutomine", False)
    raw = shown(signed(ALICE, to=STRANGER, value=1))
    waiting = asyncio.create_task(rpc("eth_sendRawTransactionSync", raw, 60_000))
    while (await rpc("txpool_status"))["pending"] == "0x0":
        await asyncio.sleep(0)
    await rpc("anvil_mine")
    assert (await waiting)["blockNumber"] == "0x1"


async def test_the_pool_shows_what_waits(rpc: Rpc) -> None:
    await rpc("evm_setAutomine", False)
    for nonce in range(2):
        await rpc.send(ALICE, to=STRANGER, value=nonce + 1)
    alice = shown(ALICE.address)
    pending = (await rpc("txpool_content"))["pending"]
    assert {nonce: found["value"] for nonce, found in pending[alice].items()} == {
        "0": "0x1",
        "1": "0x2",
    }
    assert (await rpc("txpool_contentFrom", alice))["pending"] == pending[alice]
    assert (await rpc("txpool_contentFrom", shown(BOB.address)))["pending"] == {}
    assert await rpc("anvil_dropTransaction", pending[alice]["0"]["hash"])
    assert await rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    assert await rpc("anvil_dropTransaction", NOWHERE) is None


@pytest.mark.parametrize("tool", ["anvil", "hardhat"])
async def test_accounts_are_changed_by_decree(rpc: Rpc, tool: str) -> None:
    contract, stranger = await rpc.deploy(7), shown(STRANGER)
    code = await rpc("eth_getCode", shown(contract))
    assert await rpc(f"{tool}_setBalance", stranger, hex(3 * ETHER)) is True
    await rpc(f"{tool}_setCode", stranger, code)
    await rpc(f"{tool}_setNonce", stranger, 9)
    await rpc(f"{tool}_setStorageAt", stranger, "0x0", shown(words(42)))
    assert await rpc("eth_getBalance", stranger) == hex(3 * ETHER)
    assert await rpc("eth_getTransactionCount", stranger) == "0x9"
    assert await rpc.call(STRANGER, calldata("number()")) == words(42)
    assert await rpc.call(contract, calldata("number()")) == words(7)
    assert (await refusal(rpc, f"{tool}_setNonce", stranger, 8)).code == -32602
    assert (await refusal(rpc, f"{tool}_setCode", stranger, "0x" + "00" * 24_577)).code == -32602


async def test_a_decree_outlives_the_process(tmp_path: Path, clock: FakeClock) -> None:
    config = L1Config(port=0, data_directory=tmp_path)
    async with L1Server(config, clock) as server, Rpc(server.url) as rpc:
        await rpc("anvil_setBalance", shown(STRANGER), 5)
        await rpc("anvil_mine", 3, 60)
        await rpc("anvil_rollback", 2)
        before = await rpc("eth_getBlockByNumber", "latest")
    async with L1Server(config, clock) as server, Rpc(server.url) as rpc:
        assert await rpc("eth_getBalance", shown(STRANGER)) == "0x5"
        assert await rpc("eth_getBlockByNumber", "latest") == before
        await rpc.send(ALICE, to=STRANGER, value=1)
        assert await rpc("eth_getBalance", shown(STRANGER)) == "0x6"


async def test_the_past_is_replaced(rpc: Rpc) -> None:
    sent = [await rpc.send(ALICE, to=STRANGER, value=1) for _ in range(3)]
    lost = await rpc("evm_snapshot")
    await rpc("anvil_reorg", 2, [])
    assert await rpc.number() == 3
    assert await rpc("eth_getTransactionReceipt", sent[0]["transactionHash"]) == sent[0]
    for gone in sent[1:]:
        assert await rpc("eth_getTransactionReceipt", gone["transactionHash"]) is None
    assert await rpc("eth_getBalance", shown(STRANGER)) == "0x1"
    assert await rpc("evm_revert", lost) is False, "a snapshot of what is no more"
    for depth in (4, 1_001):
        refused = await refusal(rpc, "anvil_reorg", depth, [])
        assert refused.code == -32000 and "at most 3 of 3 blocks" in refused.message
    assert (await refusal(rpc, "anvil_reorg", 1, [["0x00", 0]])).code == -32602


async def test_many_blocks_at_once_at_their_distance(rpc: Rpc) -> None:
    await rpc("hardhat_mine", "0x3", "0x3c")
    times = [int((await rpc("eth_getBlockByNumber", hex(n)))["timestamp"], 16) for n in (1, 2, 3)]
    assert [later - earlier for earlier, later in pairwise(times)] == [60, 60]
    assert await rpc("anvil_getAutomine") is True
    assert (await refusal(rpc, "anvil_mine", 1_001)).code == -32602


async def test_a_state_is_found_by_the_bare_hash_of_its_block(rpc: Rpc) -> None:
    await rpc.send(ALICE, to=STRANGER, value=1)
    before = (await rpc("eth_getBlockByNumber", "0x1"))["hash"]
    await rpc.send(ALICE, to=STRANGER, value=1)
    assert await rpc("eth_getBalance", shown(STRANGER), before) == "0x1"
    assert await rpc("eth_getBlockReceipts", before) == await rpc("eth_getBlockReceipts", "0x1")
    refused = await refusal(rpc, "eth_getBalance", shown(STRANGER), NOWHERE)
    assert (refused.code, "header not found" in refused.message) == (-32001, True)


async def test_an_empty_state_override_changes_nothing(rpc: Rpc) -> None:
    request = {"to": shown(await rpc.deploy()), "data": shown(calldata("now()"))}
    for method in ("eth_call", "eth_estimateGas"):
        plain = await rpc(method, request, "latest")
        assert plain == await rpc(method, request, "latest", {})
        assert plain == await rpc(method, request, "latest", None)
