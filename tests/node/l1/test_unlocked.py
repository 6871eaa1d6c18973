"""Signing for the test accounts: for tools that bring no wallet of their own."""

import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from l1_world import ALICE, BOB, ETHER, GWEI, Rpc, calldata, refusal, shown

STRANGER = "0x" + "55" * 20
TYPED: dict[str, Any] = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}],
        "Order": [{"name": "lots", "type": "uint64"}],
    },
    "primaryType": "Order",
    "domain": {"name": "Tallystick"},
    "message": {"lots": 5},
}


async def test_what_is_left_out_is_filled_in(rpc: Rpc) -> None:
    contract = shown(await rpc.deploy())
    request = {
        "from": shown(ALICE.address),
        "to": contract,
        "data": shown(calldata("set(uint256)", 8)),
    }
    sent = await rpc("eth_sendTransaction", request)
    receipt = await rpc("eth_getTransactionReceipt", sent)
    assert (receipt["status"], receipt["from"]) == ("0x1", shown(ALICE.address))
    transaction = await rpc("eth_getTransactionByHash", sent)
    assert (transaction["type"], transaction["nonce"]) == ("0x2", "0x1")


async def test_what_is_given_is_taken(rpc: Rpc) -> None:
    fields = {"nonce": "0x0", "gas": "0x5300", "gasPrice": hex(3 * GWEI), "value": "0x7"}
    request = {"from": shown(BOB.address), "to": STRANGER} | fields
    raw = (await rpc("eth_signTransaction", request))["raw"]
    assert Account.recover_transaction(raw).lower() == shown(BOB.address)
    sent = await rpc("eth_sendTransaction", request)
    found = await rpc("eth_getTransactionByHash", sent)
    assert {name: found[name] for name in fields} == fields
    assert await rpc("debug_getRawTransaction", sent) == raw
    assert await rpc("eth_getBalance", STRANGER) == "0x7"


async def test_messages_and_typed_data_are_signed_as_wallets_do(rpc: Rpc) -> None:
    alice = shown(ALICE.address)
    signature = await rpc("personal_sign", "0x68656c6c6f", alice)
    assert await rpc("eth_sign", alice, "0x68656c6c6f") == signature
    message = encode_defunct(text="hello")
    assert Account.recover_message(message, signature=signature).lower() == alice
    signature = await rpc("eth_signTypedData_v4", alice, TYPED)
    assert await rpc("eth_signTypedData_v4", alice, json.dumps(TYPED)) == signature
    typed = encode_typed_data(full_message=TYPED)
    assert Account.recover_message(typed, signature=signature).lower() == alice


async def test_others_are_not_signed_for(rpc: Rpc) -> None:
    for method, params in (
        ("eth_sendTransaction", [{"from": STRANGER, "to": STRANGER, "gas": "0x5208"}]),
        ("eth_sign", [STRANGER, "0x00"]),
        ("eth_signTypedData_v4", [STRANGER, TYPED]),
    ):
        refused = await refusal(rpc, method, *params)
        assert refused.code == -32000 and "only the test accounts" in refused.message


@pytest.mark.parametrize("typed", ["{", {}, {"types": 1}, [], TYPED | {"message": {"lots": -1}}])
async def test_what_is_no_typed_data_is_not_signed(rpc: Rpc, typed: Any) -> None:
    refused = await refusal(rpc, "eth_signTypedData_v4", shown(ALICE.address), typed)
    assert refused.code == -32602 and refused.message.startswith("typed data: ")


async def test_what_would_revert_is_not_sent(rpc: Rpc) -> None:
    contract = shown(await rpc.deploy())
    bad = {"from": shown(BOB.address), "to": contract, "data": shown(calldata("set(uint256)", 13))}
    refused = await refusal(rpc, "eth_sendTransaction", bad)
    assert (refused.code, refused.message) == (3, "execution reverted: unlucky")
    poor = {"from": shown(BOB.address), "to": STRANGER, "value": hex(10_001 * ETHER)}
    assert (await refusal(rpc, "eth_sendTransaction", poor)).code == 809
    assert await rpc("eth_getTransactionCount", shown(BOB.address), "pending") == "0x0"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "0x2"),
        ({"type": "0x0"}, "0x0"),
        ({"type": "0x1"}, "0x1"),
        ({"type": "0x2", "maxFeePerGas": hex(3 * GWEI)}, "0x2"),
        ({"gasPrice": hex(3 * GWEI)}, "0x0"),
        ({"gasPrice": hex(3 * GWEI), "accessList": []}, "0x1"),
        ({"accessList": [{"address": STRANGER, "storageKeys": [], "note": 1}]}, "0x2"),
    ],
)
async def test_the_type_is_the_one_that_is_named_or_implied(
    rpc: Rpc, fields: dict[str, Any], kind: str
) -> None:
    request = {"from": shown(BOB.address), "to": STRANGER, "value": "0x7", **fields}
    sent = await rpc("eth_sendTransaction", request)
    assert (await rpc("eth_getTransactionByHash", sent))["type"] == kind
    assert await rpc("eth_getBalance", STRANGER) == "0x7"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"from": None}, "from: name the account that signs"),
        ({"chainId": "0x1"}, "chainId: this is chain 31337, and the transaction says 1"),
        ({"type": "0x3"}, "type: 0x3 is not supported, expected 0x0, 0x1 or 0x2"),
        ({"gasPrice": "0x1", "maxFeePerGas": "0x1"}, "maxFeePerGas: a transaction of type 0x0"),
        ({"type": "0x2", "gasPrice": "0x1"}, "gasPrice: a transaction of type 0x2 has none"),
        (
            {"type": "0x0", "accessList": [{"address": STRANGER, "storageKeys": []}]},
            "accessList: a transaction of type 0x0 has none",
        ),
    ],
)
async def test_what_cannot_be_signed_as_it_stands_is_refused_by_name(
    rpc: Rpc, fields: dict[str, Any], said: str
) -> None:
    request = {"from": shown(BOB.address), "to": STRANGER, "value": "0x7", **fields}
    for method in ("eth_sendTransaction", "eth_signTransaction"):
        refused = await refusal(rpc, method, request)
        assert refused.code == -32602 and refused.message.startswith(said)
    assert await rpc("eth_getTransactionCount", shown(BOB.address), "pending") == "0x0"
