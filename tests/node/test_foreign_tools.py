"""web3.py, cast and viem use the rollup on either L1, with nothing of ours but two ABIs."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from builders import MICRO_DOLLAR
from foreign_l1 import PURSE, ForeignVenue, foreign_venue
from l1_venue import person
from npm_packages import library, output_of, program
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.logs import DISCARD

from node.config import L1_KINDS
from state.crypto import keccak

ALICE = person("alice")
ADDRESS = "0x" + ALICE.address.hex()
KEY = "0x" + ALICE.private.hex()
STRANGER = "0x" + "55" * 20
AMOUNT = 250 * MICRO_DOLLAR
SCRIPTS = Path(__file__).parents[1] / "npm"


@pytest.fixture(params=L1_KINDS)
async def venue(request: pytest.FixtureRequest) -> AsyncIterator[ForeignVenue]:
    async with foreign_venue(request.param) as found:
        yield found


async def test_web3_moves_a_deposit_by_itself(venue: ForeignVenue) -> None:
    provider = AsyncHTTPProvider(venue.url)
    w3: Any = AsyncWeb3(provider)
    alice = w3.eth.account.from_key(KEY)
    token = w3.eth.contract(w3.to_checksum_address(venue.token), abi=venue.abi("test_usdc"))
    rollup = w3.eth.contract(w3.to_checksum_address(venue.rollup), abi=venue.abi("rollup"))

    async def send(call: Any) -> Any:
        nonce = await w3.eth.get_transaction_count(alice.address)
        transaction = await call.build_transaction({"from": alice.address, "nonce": nonce})
        raw = alice.sign_transaction(transaction).raw_transaction
        return await w3.eth.wait_for_transaction_receipt(await w3.eth.send_raw_transaction(raw))

    watching = await rollup.events.Deposited.create_filter(from_block="latest")
    await send(token.functions.approve(rollup.address, AMOUNT))
    receipt = await send(rollup.functions.deposit(AMOUNT, 3))
    (log,) = rollup.events.Deposited().process_receipt(receipt, errors=DISCARD)
    assert log["args"]["owner"] == alice.address and log["args"]["amount"] == AMOUNT
    assert log["args"]["account"] % 256 == 3
    (polled,) = await watching.get_new_entries()
    assert polled["transactionHash"] == receipt["transactionHash"]
    assert await token.functions.balanceOf(rollup.address).call() == AMOUNT
    assert await token.functions.balanceOf(alice.address).call() == PURSE - AMOUNT
    await provider.disconnect()


async def test_web3_sends_from_an_unlocked_account(venue: ForeignVenue) -> None:
    provider = AsyncHTTPProvider(venue.url)
    w3: Any = AsyncWeb3(provider)
    token = w3.eth.contract(w3.to_checksum_address(venue.token), abi=venue.abi("test_usdc"))
    alice = w3.to_checksum_address(ADDRESS)
    sent = await token.functions.transfer(STRANGER, 7).transact({"from": alice})
    assert (await w3.eth.wait_for_transaction_receipt(sent))["status"] == 1
    assert await token.functions.balanceOf(STRANGER).call() == 7
    await provider.disconnect()


async def test_cast_reads_sends_and_proves(venue: ForeignVenue) -> None:
    cast = program("cast")

    async def ask(*words: str) -> str:
        command: list[str | Path] = [cast, words[0], "--rpc-url", venue.url, *words[1:]]
        return await asyncio.to_thread(output_of, *command)

    assert await ask("chain-id") == "31337"
    assert int((await ask("balance", ADDRESS)).split()[0]) > 10**21
    assert await ask("nonce", ADDRESS) == "0"
    approve = ("approve(address,uint256)", venue.rollup, str(AMOUNT))
    deposit = ("deposit(uint64,uint8)", str(AMOUNT), "0")
    await ask("send", "--private-key", KEY, venue.token, *approve)
    assert int(await ask("estimate", "--from", ADDRESS, venue.rollup, *deposit)) > 50_000
    sent = json.loads(await ask("send", "--json", "--private-key", KEY, venue.rollup, *deposit))
    assert sent["status"] == "0x1"

    called = await ask("call", venue.token, "balanceOf(address)(uint256)", venue.rollup)
    assert int(called.split()[0]) == AMOUNT
    receipt = json.loads(await ask("receipt", "--json", sent["transactionHash"]))
    assert receipt["logs"] == sent["logs"] and len(receipt["logs"]) >= 2
    block = json.loads(await ask("block", "--json", sent["blockNumber"]))
    assert block["hash"] == sent["blockHash"]
    found = json.loads(await ask("logs", "--json", "--address", venue.rollup, "--from-block", "0"))
    assert found[-1]["transactionHash"] == sent["transactionHash"]
    proof = json.loads(await ask("proof", venue.token, "0x0"))
    assert keccak(bytes.fromhex(proof["accountProof"][0][2:])).hex() == block["stateRoot"][2:]
    unlocked = ("send", "--json", "--unlocked", "--from", ADDRESS, STRANGER, "--value", "5")
    assert json.loads(await ask(*unlocked))["status"] == "0x1"
    assert await ask("balance", STRANGER) == "5"
    with pytest.raises(AssertionError, match="nothing to deposit"):
        await ask("call", "--from", ADDRESS, venue.rollup, "deposit(uint64,uint8)", "0", "0")


async def test_viem_moves_a_deposit_by_itself(venue: ForeignVenue) -> None:
    modules = library("viem")
    command = (
        "node",
        SCRIPTS / "deposit.mjs",
        venue.url,
        venue.token,
        venue.rollup,
        str(AMOUNT),
        "9",
    )
    abis = json.dumps({name: venue.abi(name) for name in ("test_usdc", "rollup")})
    said = await asyncio.to_thread(
        output_of, *command, MODULES=str(modules), PRIVATE_KEY=KEY, ABIS=abis
    )
    found = json.loads(said)
    assert found["owner"].lower() == ADDRESS and found["account"] % 256 == 9
    assert found["amount"] == str(AMOUNT)
    assert found["refused"] == "escrow: nothing to deposit"
    assert (found["nonce"], found["proven"], found["logs"], found["chainId"]) == (2, True, 2, 31337)
