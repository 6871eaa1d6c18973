"""eth_getProof: what it shows holds against the state root in the block's header."""

from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from l1_world import ALICE, BOB, Rpc, calldata, refusal, shown, words
from trie import HexaryTrie
from trie.exceptions import BadTrieProof

from state.crypto import keccak


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def proven(root: str, key: bytes, nodes: list[str]) -> bytes:
    """What the nodes show to stand at keccak(key), or nothing; another voice than the node's."""
    steps = [rlp.decode(raw(node)) for node in nodes]
    return bytes(HexaryTrie.get_from_proof(raw(root), keccak(key), steps))


def check(root: str, proof: dict[str, Any]) -> None:
    """The account, and every slot, as the proof says."""
    account = rlp.decode(proven(root, raw(proof["address"]), proof["accountProof"]))
    numbers = [int(proof["nonce"], 16), int(proof["balance"], 16)]
    assert [int.from_bytes(field) for field in account[:2]] == numbers
    assert account[2:] == [raw(proof["storageHash"]), raw(proof["codeHash"])]
    for slot in proof["storageProof"]:
        key = int(slot["key"], 16).to_bytes(32)
        found = proven(proof["storageHash"], key, slot["proof"])
        assert (int.from_bytes(rlp.decode(found)) if found else 0) == int(slot["value"], 16)


async def test_an_account_and_its_slots_are_proven_at_any_block(rpc: Rpc) -> None:
    contract = await rpc.deploy(7)
    many = calldata("write(uint256,uint256,uint256)", 0, 40, 5)
    await rpc.send(BOB, to=contract, data=many, gas=2_000_000)
    await rpc.send(BOB, to=contract, data=calldata("set(uint256)", 9), gas=100_000)
    for number, value in (("0x1", 7), ("0x2", 7), ("0x3", 9), ("latest", 9), ("pending", 9)):
        root = (await rpc("eth_getBlockByNumber", "latest" if number == "pending" else number))[
            "stateRoot"
        ]
        slots = ["0x0", shown(words(1)), "0xdead"]
        proof = await rpc("eth_getProof", shown(contract), slots, number)
        check(root, proof)
        assert [slot["key"] for slot in proof["storageProof"]] == slots
        assert int(proof["storageProof"][0]["value"], 16) == value
        assert keccak(raw(await rpc("eth_getCode", shown(contract)))) == raw(proof["codeHash"])
        check(root, await rpc("eth_getProof", shown(ALICE.address), [], number))


async def test_an_account_that_is_not_there_is_proven_absent(rpc: Rpc) -> None:
    root = (await rpc("eth_getBlockByNumber", "latest"))["stateRoot"]
    proof = await rpc("eth_getProof", "0x" + "77" * 20, ["0x0"])
    assert proven(root, b"\x77" * 20, proof["accountProof"]) == b""
    assert (proof["nonce"], proof["balance"]) == ("0x0", "0x0")
    assert proof["storageProof"] == [{"key": "0x0", "value": "0x0", "proof": []}]
    assert proof["codeHash"] == shown(keccak(b""))


async def test_a_proof_that_was_touched_proves_nothing(rpc: Rpc) -> None:
    root = (await rpc("eth_getBlockByNumber", "latest"))["stateRoot"]
    proof = await rpc("eth_getProof", shown(ALICE.address), [])
    proof["accountProof"][-1] = proof["accountProof"][-1][:-2] + "00"
    with pytest.raises((BadTrieProof, rlp.exceptions.RLPException)):
        check(root, proof)


async def test_slots_have_their_limits(rpc: Rpc) -> None:
    for slots, said in ((["0x0"] * 1_025, "at most 1024"), (["x"], "slot:"), ({}, "a list")):
        refused = await refusal(rpc, "eth_getProof", shown(ALICE.address), slots)
        assert refused.code == -32602 and said in refused.message
    assert (await refusal(rpc, "eth_getProof", shown(ALICE.address), [], "0x9")).code == -32001
