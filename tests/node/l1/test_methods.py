"""Every method over a real port: what it answers, and what it does not accept."""

from typing import Any

import pytest
from eth_account import Account
from l1_world import (
    ALICE,
    BOB,
    CAROL,
    ETHER,
    GWEI,
    Rpc,
    calldata,
    compiled,
    event_topic,
    refusal,
    shown,
    words,
)

from node.l1.accounts import MNEMONIC, NAMES, dev_accounts
from node.l1.config import L1Config

RECEIVER = b"\x11" * 20
NOWHERE = "0x" + "ab" * 32
SET = event_topic("Set(address,uint256,uint256)")


# --- network, accounts ---


async def test_who_and_where(rpc: Rpc) -> None:
    assert (await rpc("web3_clientVersion")).startswith("tallystick-l1/py-evm-0.12")
    assert await rpc("net_version") == "31337"
    assert await rpc("eth_chainId") == "0x7a69"
    assert await rpc("eth_syncing") is False
    assert await rpc("net_listening") is True


async def test_ten_known_accounts_have_10_000_ether(rpc: Rpc) -> None:
    Account.enable_unaudited_hdwallet_features()
    addresses = await rpc("eth_accounts")
    assert len(addresses) == len(NAMES) == 10
    for index, account in enumerate(dev_accounts()):
        wallet = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        assert (addresses[index], account.name) == (wallet.address.lower(), NAMES[index])
        assert account.private_key == bytes(wallet.key)
        assert await rpc("eth_getBalance", addresses[index]) == hex(10_000 * ETHER)
    assert dev_accounts()[0].private_key.hex() not in repr(dev_accounts())


async def test_accounts_read_at_any_block(rpc: Rpc) -> None:
    contract = await rpc.deploy(7)
    await rpc.send(BOB, to=contract, data=calldata("set(uint256)", 9), gas=100_000, value=3)
    where = shown(contract)
    for block, number, balance in (("0x1", 7, 0), ("0x2", 9, 3), ("latest", 9, 3), (None, 9, 3)):
        assert await rpc("eth_getStorageAt", where, "0x0", block) == shown(words(number))
        assert int(await rpc("eth_getBalance", where, block), 16) == balance
    assert await rpc("eth_getCode", where, "earliest") == "0x"
    assert len(await rpc("eth_getCode", where)) > 100
    assert await rpc("eth_getStorageAt", where, shown(words(0)), "latest") == shown(words(9))
    counts = [await rpc("eth_getTransactionCount", shown(BOB.address), n) for n in ("0x1", "0x2")]
    assert counts == ["0x0", "0x1"]


async def test_a_block_that_is_not_there_has_no_state(rpc: Rpc) -> None:
    for block in ("0x1", {"blockNumber": "0x1"}, {"blockHash": NOWHERE}):
        refused = await refusal(rpc, "eth_getBalance", shown(ALICE.address), block)
        assert refused.code == -32001
        assert "header not found" in refused.message


async def test_an_unknown_method_is_said_to_be_one(rpc: Rpc) -> None:
    assert (await refusal(rpc, "eth_mystery", "0x")).code == -32601


# --- blocks, transactions, receipts ---


async def test_a_block_reads_the_same_by_number_hash_and_tag(rpc: Rpc) -> None:
    receipt = await rpc.send(ALICE, to=RECEIVER, value=5)
    by_number = await rpc("eth_getBlockByNumber", "0x1", True)
    assert by_number == await rpc("eth_getBlockByHash", receipt["blockHash"], True)
    for tag in ("latest", "safe", "finalized"):
        assert await rpc("eth_getBlockByNumber", tag, True) == by_number
    genesis = await rpc("eth_getBlockByNumber", "earliest", False)
    assert (genesis["number"], genesis["hash"]) == ("0x0", by_number["parentHash"])
    assert await rpc("eth_getBlockByNumber", "0x2", False) is None
    assert await rpc("eth_getBlockByHash", NOWHERE, False) is None
    whole = by_number["transactions"][0]
    assert whole == await rpc("eth_getTransactionByHash", receipt["transactionHash"])
    assert (whole["from"], whole["to"]) == (shown(ALICE.address), shown(RECEIVER))
    assert (whole["value"], whole["type"], whole["chainId"]) == ("0x5", "0x2", "0x7a69")
    assert await rpc("eth_getTransactionByHash", NOWHERE) is None
    assert await rpc("eth_getTransactionReceipt", NOWHERE) is None


async def test_the_pending_block_has_no_hash(rpc: Rpc) -> None:
    await rpc("evm_setAutomine", False)
    await rpc.send(ALICE, to=RECEIVER, value=5)
    pending = await rpc("eth_getBlockByNumber", "pending", True)
    assert (pending["number"], pending["hash"], pending["nonce"]) == ("0x1", None, None)
    assert pending["transactions"][0]["value"] == "0x5"
    await rpc("evm_mine")
    mined = await rpc("eth_getBlockByNumber", "0x1", True)
    assert mined["stateRoot"] == pending["stateRoot"]


@pytest.mark.parametrize("kind", [0, 1, 2])
async def test_a_receipt_says_what_was_paid(rpc: Rpc, kind: int) -> None:
    fees: dict[str, Any] = {"type": kind, "gasPrice": 3 * GWEI}
    if kind == 0:
        fees["type"] = None
    if kind == 2:
        fees = {"maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI}
    before = int(await rpc("eth_getBalance", shown(ALICE.address)), 16)
    receipt = await rpc.send(ALICE, to=RECEIVER, value=5, **fees)
    after = int(await rpc("eth_getBalance", shown(ALICE.address)), 16)
    base_fee = int((await rpc("eth_getBlockByNumber", "0x1", False))["baseFeePerGas"], 16)
    price = base_fee + GWEI if kind == 2 else 3 * GWEI
    assert (int(receipt["effectiveGasPrice"], 16), receipt["type"]) == (price, hex(kind))
    assert before - after == 5 + 21_000 * price
    assert receipt["contractAddress"] is None


async def test_a_failed_transaction_is_mined_with_status_zero(rpc: Rpc) -> None:
    contract = await rpc.deploy()
    receipt = await rpc.send(BOB, to=contract, data=calldata("set(uint256)", 13), gas=100_000)
    assert (receipt["status"], receipt["logs"]) == ("0x0", [])
    receipt = await rpc.send(BOB, gas=100_000, data=b"\xfe")
    assert receipt["status"] == "0x0"
    assert await rpc("eth_getCode", receipt["contractAddress"]) == "0x"


async def test_logs_are_numbered_through_the_block(rpc: Rpc) -> None:
    contract = await rpc.deploy()
    await rpc("evm_setAutomine", False)
    for account, number in ((ALICE, 1), (BOB, 2), (CAROL, 3)):
        await rpc.send(account, to=contract, data=calldata("set(uint256)", number), gas=100_000)
    await rpc("evm_mine")
    receipts = await rpc("eth_getBlockReceipts", "latest")
    logs = [receipt["logs"][0] for receipt in receipts]
    assert [log["logIndex"] for log in logs] == ["0x0", "0x1", "0x2"]
    assert [log["transactionIndex"] for log in logs] == ["0x0", "0x1", "0x2"]
    gas = [int(receipt["gasUsed"], 16) for receipt in receipts]
    assert int(receipts[2]["cumulativeGasUsed"], 16) == sum(gas)
    block = await rpc("eth_getBlockByNumber", "latest", False)
    assert int(block["gasUsed"], 16) == sum(gas)
    assert await rpc("eth_getBlockReceipts", block["hash"]) == receipts
    assert await rpc("eth_getBlockReceipts", NOWHERE) is None
    assert await rpc("eth_getBlockReceipts", "earliest") == []
    for receipt in receipts:
        assert await rpc("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt
    assert logs == await rpc("eth_getLogs", {"blockHash": block["hash"]})


# --- calls ---


async def test_a_revert_is_code_3_with_its_reason_and_data(rpc: Rpc) -> None:
    contract = shown(await rpc.deploy())
    for method in ("eth_call", "eth_estimateGas"):
        request = {"to": contract, "data": shown(calldata("set(uint256)", 13))}
        refused = await refusal(rpc, method, request)
        assert (refused.code, refused.message) == (3, "execution reverted: unlucky")
        assert refused.data.startswith("0x08c379a0") and b"unlucky".hex() in refused.data
        refused = await refusal(rpc, method, {"to": contract, "data": shown(calldata("fail()"))})
        assert (refused.code, refused.message, refused.data) == (3, "execution reverted", "0x")


async def test_calls_that_break_say_how(rpc: Rpc) -> None:
    contract = shown(await rpc.deploy())
    burn = {"to": contract, "data": shown(calldata("burn()")), "gas": hex(100_000)}
    assert (await refusal(rpc, "eth_call", burn)).code == 801
    assert (await refusal(rpc, "eth_call", {"data": "0xfe"})).code == 4
    assert (await refusal(rpc, "eth_call", {"to": contract, "gas": "0x5207"})).code == 800
    poor = {"from": shown(RECEIVER), "to": contract, "value": "0x1"}
    for method in ("eth_call", "eth_estimateGas"):
        refused = await refusal(rpc, method, poor)
        assert (refused.code, refused.message) == (
            809,
            "insufficient funds for transfer: balance 0, value 1",
        )


async def test_a_call_sees_its_block_and_pending_the_next(rpc: Rpc) -> None:
    contract = await rpc.deploy()
    await rpc("evm_mine")
    data = calldata("now()")
    latest = await rpc("eth_getBlockByNumber", "latest", False)
    found = await rpc.call(contract, data)
    assert found == words(2, int(latest["timestamp"], 16))
    assert await rpc.call(contract, data, {"blockHash": latest["hash"]}) == found
    await rpc("evm_increaseTime", 1_000)
    assert await rpc.call(contract, data) == found
    pending = await rpc.call(contract, data, "pending")
    assert pending == words(3, int(latest["timestamp"], 16) + 1_000)


async def test_an_estimate_is_made_where_it_would_be_mined(rpc: Rpc) -> None:
    contract = shown(await rpc.deploy())
    soon = int((await rpc("eth_getBlockByNumber", "latest", False))["timestamp"], 16) + 500
    request = {"to": contract, "data": shown(calldata("set_at(uint256)", soon))}
    assert "too early" in (await refusal(rpc, "eth_estimateGas", request)).message
    await rpc("evm_increaseTime", 500)
    assert "too early" in (await refusal(rpc, "eth_estimateGas", request, "latest")).message
    gas = int(await rpc("eth_estimateGas", request), 16)
    target, data = bytes.fromhex(contract[2:]), calldata("set_at(uint256)", soon)
    receipt = await rpc.send(BOB, to=target, data=data, gas=gas)
    assert receipt["status"] == "0x1"


async def test_a_call_takes_what_wallets_send_along(rpc: Rpc) -> None:
    contract = await rpc.deploy(7)
    request = {
        "from": shown(ALICE.address),
        "to": shown(contract),
        "input": shown(calldata("number()")),
        "data": shown(calldata("number()")),
        "gas": "0x100000",
        "maxFeePerGas": hex(10 * GWEI),
        "maxPriorityFeePerGas": hex(GWEI),
        "value": None,
        "nonce": "0x5",
        "type": "0x2",
        "chainId": "0x7a69",
        "accessList": [{"address": shown(contract), "storageKeys": [shown(words(0))]}],
    }
    assert await rpc("eth_call", request) == shown(words(7))
    created = await rpc("eth_call", {"data": shown(compiled() + words(1))})
    assert len(created) > 200


# --- fees ---


async def test_fees_suggest_what_the_next_block_takes(rpc: Rpc) -> None:
    tip = int(await rpc("eth_maxPriorityFeePerGas"), 16)
    price = int(await rpc("eth_gasPrice"), 16)
    receipt = await rpc.send(ALICE, to=RECEIVER, gasPrice=price)
    block = await rpc("eth_getBlockByNumber", receipt["blockNumber"], False)
    assert price == int(block["baseFeePerGas"], 16) + tip


async def test_the_fee_history_covers_blocks_and_the_one_after(rpc: Rpc) -> None:
    for tip in (1, 2, 3):
        await rpc.send(ALICE, to=RECEIVER, maxPriorityFeePerGas=tip * GWEI)
    history = await rpc("eth_feeHistory", "0x2", "latest", [0, 50, 100])
    blocks = [await rpc("eth_getBlockByNumber", number, False) for number in ("0x2", "0x3")]
    assert history["oldestBlock"] == "0x2"
    assert history["baseFeePerGas"][:2] == [block["baseFeePerGas"] for block in blocks]
    assert history["gasUsedRatio"] == [21_000 / 60_000_000] * 2
    assert history["reward"] == [[hex(2 * GWEI)] * 3, [hex(3 * GWEI)] * 3]
    await rpc("evm_mine")
    block = await rpc("eth_getBlockByNumber", "latest", False)
    assert block["baseFeePerGas"] == history["baseFeePerGas"][2]
    longer = await rpc("eth_feeHistory", 100, "latest")
    assert (longer["oldestBlock"], len(longer["gasUsedRatio"])) == ("0x0", 5)
    assert "reward" not in longer


async def test_rewards_are_weighed_by_gas(rpc: Rpc) -> None:
    contract = await rpc.deploy()
    await rpc("evm_setAutomine", False)
    await rpc.send(ALICE, to=RECEIVER, maxPriorityFeePerGas=GWEI)
    heavy = calldata("write(uint256,uint256,uint256)", 0, 20, 1)
    await rpc.send(BOB, to=contract, data=heavy, gas=1_000_000, maxPriorityFeePerGas=2 * GWEI)
    await rpc("evm_mine")
    history = await rpc("eth_feeHistory", 1, "latest", [1, 50, 99])
    assert history["reward"] == [[hex(GWEI), hex(2 * GWEI), hex(2 * GWEI)]]


class TestDepths:
    @pytest.fixture
    def config(self) -> L1Config:
        return L1Config(port=0, safe_depth=1, finalized_depth=3)

    async def test_safe_and_finalized_lie_behind_the_latest(self, rpc: Rpc) -> None:
        seen = []
        for _ in range(5):
            blocks = [
                await rpc("eth_getBlockByNumber", tag, False)
                for tag in ("latest", "safe", "finalized")
            ]
            seen.append([int(block["number"], 16) for block in blocks])
            await rpc("evm_mine")
        assert seen == [[0, 0, 0], [1, 0, 0], [2, 1, 0], [3, 2, 0], [4, 3, 1]]
