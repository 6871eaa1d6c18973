"""Third-party vectors for JSON, JSON-RPC and EIP-712: each file is run, or is explained.

A file that turns up in these folders and is in neither table fails here.
"""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from shared_files import shared_json, shared_path

from node.l1 import jsonrpc as l1_errors
from node.l1.envelopes import decode
from node.l1.jsonrpc import NotJson, parse
from node.l1.rules import EXECUTION_REVERTED
from node.rpc.errors import Code
from node.signatures import address_of, compact, recover
from state.crypto import keccak

RUN = {
    "JSONTestSuite/test_parsing/*.json": "here, and over sockets in test_json_rpc and test_jsonrpc",
    "jsonrpc2/spec_examples.json": "in tests/node/rpc/test_json_rpc and tests/node/l1/test_jsonrpc",
    "ethers/testcases/typed-data.json.gz": "here",
    "ethers/testcases/hashes.json.gz": "here: keccak256",
    "ethers/testcases/accounts.json.gz": "here",
    "ethers/testcases/transactions.json.gz": "here: every signed envelope that the devnet knows",
    "eth-account/tests/eip712_messages/valid_*.json": "here",
    "eth-account/tests/eip712_messages/invalid.json": "here",
    "eth-account/tests/fixtures/*.json": "here",
    "execution-apis/src/error-groups/rpc-standard-errors.yaml": "here",
    "execution-apis/src/error-groups/execution-errors.yaml": "here: code 3",
}

EXPLAINED = {
    "*/LICENSE*": "no vectors",
    "ethers/testcases/rlp.json.gz": "RLP is the library rlp's; its use is in the transactions",
    "ethers/testcases/create.json.gz": "addresses of contracts are computed by py-evm, not by us",
    "ethers/testcases/create2.json.gz": "as create",
    "ethers/testcases/wallets.json.gz": "keystores and mnemonics: the command line takes raw keys",
    "eth-account/tests/eip712_messages/one_arg_invalid.json": "valid as one JSON and invalid as "
    "three arguments: a question of eth-account's own interface",
    "execution-apis/src/error-groups/README.md": "about the catalogue",
    "execution-apis/src/error-groups/rpc-non-standard-errors.yaml": "EIP-1474 for eth_ methods; "
    "the venue's codes from -32001 on are those of docs/json-rpc.md, section 4",
    "execution-apis/src/error-groups/gas-errors.yaml": "a proposal that no client speaks: geth's "
    "-32000 with geth's text is what tools read",
    "execution-apis/src/error-groups/txpool-errors.yaml": "as gas-errors",
    "execution-apis/src/error-groups/zk-execution-errors.yaml": "there are no proofs of execution",
}
FOLDERS = ("JSONTestSuite", "jsonrpc2", "ethers", "eth-account", "execution-apis/src")


def test_every_file_is_run_or_explained() -> None:
    root = shared_path("vectors")
    files = [file for name in FOLDERS for file in (root / name).rglob("*") if file.is_file()]
    unknown = [
        str(path)
        for path in (file.relative_to(root) for file in files)
        if not any(path.match(pattern) for pattern in RUN | EXPLAINED)
    ]
    assert unknown == []
    for pattern in RUN | EXPLAINED:
        assert any(file.relative_to(root).match(pattern) for file in files), f"{pattern}: no file"


def ethers(name: str) -> Any:
    return json.loads(gzip.decompress(shared_path(f"vectors/ethers/testcases/{name}").read_bytes()))


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def test_the_parser_takes_what_is_json_and_nothing_else() -> None:
    for file in sorted(shared_path("vectors/JSONTestSuite/test_parsing").glob("*.json")):
        try:
            parse(file.read_bytes())
            verdict = "y"
        except NotJson:
            verdict = "n"
        assert file.name[0] in (verdict, "i"), file.name


# --- hashes, keys, signatures ---


def test_hashes_and_addresses_are_those_of_ethers() -> None:
    hashes, accounts = ethers("hashes.json.gz"), ethers("accounts.json.gz")
    assert (len(hashes), len(accounts)) == (257, 259)
    for case in hashes:
        assert keccak(raw(case["data"])) == raw(case["keccak256"]), case["name"]
    for case in (case for case in accounts if case["privateKey"]):
        assert address_of(raw(case["privateKey"])) == raw(case["address"]), case["name"]


def digest_of(message: SignableMessage) -> bytes:
    return keccak(b"\x19" + message.version + message.header + message.body)


def test_a_signature_by_ethers_is_its_signers_here() -> None:
    cases, signed = ethers("typed-data.json.gz"), 0
    assert len(cases) == 130
    for case in cases:
        types = {name: fields for name, fields in case["types"].items() if name != "EIP712Domain"}
        digest = digest_of(encode_typed_data(case["domain"], types, case["data"]))
        assert digest == raw(case["digest"]), case["name"]
        if "privateKey" in case:
            signer = recover(digest, compact(raw(case["signature"])))
            assert signer == address_of(raw(case["privateKey"])), case["name"]
            signed += 1
    assert signed == 1, "ethers signed one of them; the others have their digest alone"


SIGNED = ("signedEip155", "signedBerlin", "signedLondon")


def test_transactions_signed_by_ethers_are_their_signers() -> None:
    cases, checked = ethers("transactions.json.gz"), 0
    assert len(cases) == 3_200
    for case in cases[::8]:
        if int(case["transaction"].get("chainId") or "0x0", 16) == 0:
            continue  # what is signed for no chain, the devnet refuses
        for name in SIGNED:
            found = decode(raw(case[name]))
            assert found.sender == address_of(raw(case["privateKey"])), (case["name"], name)
            checked += 1
    assert checked > 600


# --- EIP-712 messages that wallets disagree on ---


def messages(pattern: str) -> dict[str, Any]:
    folder = shared_path("vectors/eth-account/tests")
    return {
        f"{file.stem}/{name}": case
        for file in sorted(folder.glob(pattern))
        for name, case in json.loads(file.read_text()).items()
    }


def test_a_valid_message_has_one_signer() -> None:
    """Signed by eth-account over the vectors' JSON, recovered here from the digest of it."""
    private = keccak(b"a wallet")
    cases = messages("eip712_messages/valid_*.json")
    assert len(cases) == 17
    for name, case in cases.items():
        digest = digest_of(encode_typed_data(full_message=case))
        signature = bytes(Account.sign_typed_data(private, full_message=case).signature)
        assert recover(digest, compact(signature)) == address_of(private), name


def test_an_invalid_message_is_not_signed() -> None:
    cases = messages("eip712_messages/invalid.json")
    assert len(cases) == 8
    for name, case in cases.items():
        with pytest.raises(Exception) as refused:
            encode_typed_data(full_message=case)
        assert refused.type is not AssertionError, name


LENIENT = {
    "invalid_message_unequal_1d_array_lengths": "eth-account 0.14 does not count fixed arrays",
    "invalid_message_value_type_mismatch_type": "eth-account 0.14 hashes what it can convert",
}
"""What this wallet signs though it should not. No message of ours has a fixed array, and the node
hashes what it has read itself: a value of another type is refused before."""


def test_fixtures_are_signed_or_refused_as_they_are_named() -> None:
    files = sorted(shared_path("vectors/eth-account/tests/fixtures").glob("*.json"))
    assert len(files) == 11
    for file in files:
        expected = file.name.startswith("valid_") or file.stem in LENIENT
        assert _is_signed(file) is expected, file.name


def _is_signed(file: Path) -> bool:
    try:
        encode_typed_data(full_message=json.loads(file.read_text()))
    except Exception:
        return False
    return True


# --- codes ---


def catalogue(name: str) -> dict[int, str]:
    text = shared_path(f"vectors/execution-apis/src/error-groups/{name}.yaml").read_text()
    return {
        int(code): message
        for code, message in re.findall(r'code: (-?\d+)\s+message: "([^"]*)"', text)
    }


def test_standard_codes_are_those_of_the_catalogue() -> None:
    standard = catalogue("rpc-standard-errors")
    ours = {int(code): code.name.lower().replace("_", " ") for code in Code if code <= -32_600}
    assert ours == {code: message.lower() for code, message in standard.items()}
    names = ("PARSE_ERROR", "INVALID_REQUEST", "METHOD_NOT_FOUND", "INVALID_PARAMS")
    for name in (*names, "INTERNAL_ERROR"):
        assert getattr(l1_errors, name) == Code[name]


def test_a_revert_has_the_code_that_clients_know() -> None:
    assert catalogue("execution-errors")[3] == "Execution reverted"
    assert EXECUTION_REVERTED == 3


def test_the_specifications_examples_are_all_there() -> None:
    assert len(shared_json("vectors/jsonrpc2/spec_examples.json")["cases"]) == 15
