"""ethers' own transactions: signed by another library, read and attributed alike here."""

import gzip
import json
from typing import Any

from eth_account import Account
from shared_files import shared_path

from node.deploy import created_address
from node.l1.envelopes import decode

KINDS = {"signedLegacy": 0, "signedEip155": 0, "signedBerlin": 1, "signedLondon": 2}
EACH = 8
"""Every so many is taken: the whole file says the same and takes long."""


def vectors(name: str) -> list[dict[str, Any]]:
    path = shared_path(f"vectors/ethers/testcases/{name}.json.gz")
    found: list[dict[str, Any]] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def number(text: Any) -> int:
    return int(text, 0) if isinstance(text, str) else int(text or 0)


def test_their_signed_transactions_have_the_sender_that_signed() -> None:
    checked = dict.fromkeys(KINDS, 0)
    for case in vectors("transactions")[::EACH]:
        told, sender = case["transaction"], Account.from_key(case["privateKey"]).address
        for name, kind in KINDS.items():
            if name == "signedEip155" and not number(told.get("chainId")):
                continue  # Without a chain id there is nothing that EIP-155 could sign.
            found = decode(bytes.fromhex(case[name][2:]))
            assert "0x" + found.sender.hex() == sender.lower(), case["name"]
            assert (found.kind, found.nonce) == (kind, number(told.get("nonce"))), case["name"]
            assert found.value == number(told.get("value")), case["name"]
            assert found.gas == number(told.get("gasLimit")), case["name"]
            assert "0x" + found.data.hex() == told.get("data", "0x"), case["name"]
            if name != "signedLegacy":
                assert found.chain_id == number(told.get("chainId")), case["name"]
            checked[name] += 1
    assert min(checked.values()) > 200, checked


def test_contracts_get_the_addresses_that_they_work_out() -> None:
    checked = 0
    for case in vectors("create"):
        sender = bytes.fromhex(case["sender"][2:])
        for made in case["creates"]:
            found = created_address(sender, number(made["nonce"]))
            assert "0x" + found.hex() == made["address"].lower(), made["name"]
            checked += 1
    assert checked > 100
