"""A foreign client: web3.py finds in the devnet what it expects of a node."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from eth_account import Account
from l1_world import ALICE, CONTRACT, ETHER
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError

from node.l1.server import L1Server

RECEIVER = "0x1111111111111111111111111111111111111111"


@pytest.fixture
async def w3(server: L1Server) -> AsyncIterator[Any]:
    provider = AsyncHTTPProvider(server.url)
    yield AsyncWeb3(provider)
    await provider.disconnect()


@pytest.fixture
def alice() -> Any:
    return Account.from_key(ALICE.private_key)


async def send(w3: Any, account: Any, transaction: dict[str, Any]) -> Any:
    signed = account.sign_transaction(transaction)
    sent = await w3.eth.send_raw_transaction(signed.raw_transaction)
    return await w3.eth.wait_for_transaction_receipt(sent)


@pytest.fixture
async def contract(w3: Any, alice: Any) -> Any:
    """Deployed as anyone would, gas and fees filled in by web3 from our answers."""
    from vyper import compile_code

    compiled = compile_code(CONTRACT, output_formats=["abi", "bytecode"])
    factory = w3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
    transaction = await factory.constructor(7).build_transaction(
        {"from": alice.address, "nonce": await w3.eth.get_transaction_count(alice.address)}
    )
    receipt = await send(w3, alice, transaction)
    assert receipt["status"] == 1
    return w3.eth.contract(address=receipt["contractAddress"], abi=compiled["abi"])


async def test_it_connects_and_reads(w3: Any, alice: Any) -> None:
    assert await w3.is_connected()
    assert await w3.eth.chain_id == 31_337
    assert (await w3.eth.accounts)[0] == alice.address
    assert await w3.eth.get_balance(alice.address) == 10_000 * ETHER
    block = await w3.eth.get_block("latest", full_transactions=True)
    assert block["number"] == 0
    assert (await w3.eth.get_block("pending"))["number"] == 1
    assert len((await w3.eth.fee_history(1, "latest", [50]))["baseFeePerGas"]) == 2
    with pytest.raises(TransactionNotFound):
        await w3.eth.get_transaction("0x" + "ab" * 32)


async def test_it_sends_ether(w3: Any, alice: Any) -> None:
    gas = await w3.eth.estimate_gas({"from": alice.address, "to": RECEIVER, "value": ETHER})
    assert gas == 21_000
    receipt = await send(
        w3,
        alice,
        {
            "to": RECEIVER,
            "value": ETHER,
            "gas": gas,
            "gasPrice": await w3.eth.gas_price,
            "nonce": await w3.eth.get_transaction_count(alice.address),
            "chainId": await w3.eth.chain_id,
        },
    )
    assert receipt["status"] == 1
    assert await w3.eth.get_balance(RECEIVER) == ETHER
    sent = await w3.eth.get_transaction(receipt["transactionHash"])
    assert (sent["from"], sent["value"]) == (alice.address, ETHER)


async def test_it_calls_sends_and_finds_events(w3: Any, alice: Any, contract: Any) -> None:
    assert await contract.functions.number().call() == 7
    transaction = await contract.functions.set(42).build_transaction(
        {"from": alice.address, "nonce": await w3.eth.get_transaction_count(alice.address)}
    )
    receipt = await send(w3, alice, transaction)
    assert await contract.functions.number().call() == 42
    assert await contract.functions.number().call(block_identifier=1) == 7
    (event,) = contract.events.Set().process_receipt(receipt)
    assert dict(event["args"]) == {"who": alice.address, "value": 42, "note": 2}
    (found,) = await contract.events.Set().get_logs(
        from_block=0, argument_filters={"who": alice.address, "value": [1, 42]}
    )
    assert found["transactionHash"] == receipt["transactionHash"]
    assert await contract.events.Set().get_logs(from_block=0, argument_filters={"value": 1}) == []


async def test_it_reads_the_reason_of_a_revert(alice: Any, contract: Any) -> None:
    with pytest.raises(ContractLogicError, match="execution reverted: unlucky"):
        await contract.functions.set(13).call()
    with pytest.raises(ContractLogicError, match="unlucky"):
        await contract.functions.set(13).estimate_gas({"from": alice.address})


async def test_it_is_told_what_is_wrong_with_a_transaction(w3: Any, alice: Any) -> None:
    fine = {
        "to": RECEIVER,
        "value": 1,
        "gas": 21_000,
        "gasPrice": 2 * 10**9,
        "nonce": 0,
        "chainId": 31_337,
    }
    for change, said in (
        ({"chainId": 1}, "invalid chain id for signer"),
        ({"nonce": 3}, "nonce too high"),
        ({"gas": 2**24 + 1}, "transaction gas limit too high"),
    ):
        signed = alice.sign_transaction(fine | change)
        with pytest.raises(Web3RPCError, match=said):
            await w3.eth.send_raw_transaction(signed.raw_transaction)
    assert (await send(w3, alice, fine))["status"] == 1
