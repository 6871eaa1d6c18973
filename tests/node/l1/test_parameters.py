"""Parameters that no method accepts, each named in its refusal."""

from typing import Any

import pytest
from l1_world import Rpc, refusal

NOWHERE = "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("method", "params", "said"),
    [
        ("eth_getBalance", [], "missing a required argument: 'address'"),
        ("eth_getBalance", ["0x1234"], "address: expected 20 bytes, got 2"),
        ("eth_getBalance", ["0x" + "zz" * 20], "address: expected 0x-prefixed hex"),
        ("eth_getBalance", [1], "address: expected 0x-prefixed hex"),
        ("eth_getBalance", ["0x" + "11" * 20, "newest"], "unknown tag 'newest', expected one of"),
        ("eth_getBalance", ["0x" + "11" * 20, "0x01"], "expected a hex quantity"),
        ("eth_getBalance", ["0x" + "11" * 20, "0x"], "expected a hex quantity"),
        ("eth_getBalance", ["0x" + "11" * 20, 1], "expected a hex quantity"),
        ("eth_getBalance", ["0x" + "11" * 20, {}], "either blockNumber or blockHash"),
        ("eth_getBalance", ["0x" + "11" * 20, "latest", 1], "too many positional arguments"),
        ("eth_getStorageAt", ["0x" + "11" * 20, "0x" + "1" * 65], "slot: does not fit 256 bits"),
        ("eth_getStorageAt", ["0x" + "11" * 20, "0x"], "slot: expected"),
        ("eth_getStorageAt", ["0x" + "11" * 20, "0xgg"], "slot: expected"),
        ("eth_getBlockByNumber", ["latest", "yes"], "full: expected true or false"),
        ("eth_getBlockByHash", ["0x12", False], "block hash: expected 32 bytes"),
        ("eth_getTransactionByHash", [None], "transaction hash: expected"),
        ("eth_sendRawTransaction", ["0x123"], "transaction: expected 0x-prefixed hex of whole"),
        ("eth_sendRawTransaction", ["0x12 34"], "transaction: expected 0x-prefixed hex of whole"),
        ("eth_sendRawTransaction", ["12345678"], "transaction: expected 0x-prefixed hex of whole"),
        ("eth_sendRawTransaction", ["0x\u0661\u0662"], "expected 0x-prefixed hex of whole"),
        ("eth_call", ["0x"], "transaction: expected an object"),
        ("eth_call", [{"to": "0x12"}], "to: expected 20 bytes"),
        ("eth_call", [{"value": "1"}], "value: expected a hex quantity"),
        ("eth_call", [{"value": "0x1" + "0" * 64}], "value: does not fit 256 bits"),
        ("eth_call", [{"blobs": []}], "unknown field 'blobs'"),
        ("eth_call", [{"data": "0x01", "input": "0x02"}], "data and input differ"),
        ("eth_call", [{"accessList": [{}]}], "accessList: an entry"),
        ("eth_call", [{"accessList": {}}], "accessList: expected a list"),
        ("eth_call", [{"gasPrice": "high"}], "gasPrice: expected a hex quantity"),
        ("eth_call", [{}, "latest", {"0x" + "11" * 20: {}}], "state overrides: not offered"),
        ("eth_estimateGas", [{}, "latest", [1]], "state overrides: not offered"),
        ("eth_call", [{}, "latest", {}, {}], "too many positional arguments"),
        ("eth_feeHistory", ["0x1", "latest", [50, 10]], "ascending"),
        ("eth_feeHistory", ["0x1", "latest", [101]], "0 to 100"),
        ("eth_feeHistory", ["many", "latest"], "block count"),
        ("eth_feeHistory", ["0x1", "0x99"], "newest block: above the head"),
        ("eth_getLogs", [[]], "filter: expected an object"),
        ("eth_getLogs", [{"block": "0x1"}], "unknown field 'block'"),
        ("eth_getLogs", [{"topics": ["0x12"]}], "topics: expected 32 bytes"),
        ("eth_getLogs", [{"topics": [None] * 5}], "a list of at most 4"),
        ("eth_getLogs", [{"topics": "0x12"}], "a list of at most 4"),
        ("eth_getLogs", [{"address": "0x12"}], "address: expected 20 bytes"),
        ("eth_getLogs", [{"fromBlock": "0x2", "toBlock": "0x1"}], "2 lies above toBlock 1"),
        ("eth_getLogs", [{"blockHash": NOWHERE, "toBlock": "0x1"}], "excludes fromBlock"),
        ("evm_mine", ["soon"], "timestamp: expected a hex quantity"),
        ("evm_mine", [{"blocks": 1_001}], "blocks: at most 1000"),
        ("evm_increaseTime", [-1], "seconds: expected 0 .."),
        ("evm_increaseTime", [2**50], "seconds: at most"),
        ("evm_setAutomine", [1], "automine: expected true or false"),
        ("evm_setIntervalMining", ["x"], "seconds: expected"),
        ("evm_revert", ["one"], "snapshot: expected"),
    ],
)
async def test_a_bad_parameter_is_named(
    rpc: Rpc, method: str, params: list[Any], said: str
) -> None:
    refused = await refusal(rpc, method, *params)
    assert refused.code == -32602
    assert said in refused.message
