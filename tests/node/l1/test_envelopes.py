"""Transactions from bytes: two libraries' and a thousand strangers' opinions."""

import json

import pytest
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from l1_world import ALICE, CHAIN_ID, shown, signed
from shared_files import shared_path

from node.l1 import rules
from node.l1.envelopes import NotATransaction, decode
from node.l1.jsonrpc import RpcError

ADDRESSES = st.binary(min_size=20, max_size=20)
KEYS = st.binary(min_size=32, max_size=32).map(shown)
U64, U96 = st.integers(0, 2**63), st.integers(0, 2**96)
ACCESS = st.lists(
    st.fixed_dictionaries({"address": ADDRESSES, "storageKeys": st.lists(KEYS, max_size=3)}),
    max_size=3,
)
COMMON = {
    "nonce": U64,
    "gas": U64,
    "value": U96,
    "data": st.binary(max_size=100),
    "to": st.none() | ADDRESSES,
    "chainId": st.integers(1, 2**31),
}
LEGACY = st.fixed_dictionaries(COMMON | {"gasPrice": U96})
TYPE_1 = st.fixed_dictionaries(COMMON | {"gasPrice": U96, "type": st.just(1), "accessList": ACCESS})
TYPE_2 = st.fixed_dictionaries(
    COMMON
    | {"maxFeePerGas": U96, "maxPriorityFeePerGas": U96, "type": st.just(2), "accessList": ACCESS}
)


@settings(max_examples=60, deadline=None)
@given(LEGACY | TYPE_1 | TYPE_2)
def test_what_a_wallet_signed_reads_back(fields: dict) -> None:  # type: ignore[type-arg]
    raw = signed(ALICE, **fields)
    found = decode(raw)
    assert found.sender == ALICE.address
    assert found.raw == raw
    for name in ("nonce", "gas", "value", "data", "to"):
        assert getattr(found, name) == fields[name], name
    assert found.chain_id == fields["chainId"]
    assert found.kind == fields.get("type", 0)
    assert found.max_fee == fields.get("maxFeePerGas", fields.get("gasPrice"))
    assert found.priority_fee == fields.get("maxPriorityFeePerGas", fields.get("gasPrice"))
    assert found.access_list == tuple(
        (entry["address"], tuple(int(key, 16) for key in entry["storageKeys"]))
        for entry in fields.get("accessList", [])
    )


@settings(max_examples=60, deadline=None)
@given(LEGACY | TYPE_1 | TYPE_2)
def test_the_engine_reads_the_same_transaction(fields: dict) -> None:  # type: ignore[type-arg]
    raw = signed(ALICE, **fields)
    ours, theirs = decode(raw), PragueTransactionBuilder.decode(raw)
    assert (ours.hash, ours.sender) == (theirs.hash, theirs.sender)
    assert (ours.max_fee, ours.priority_fee) == (
        theirs.max_fee_per_gas,
        theirs.max_priority_fee_per_gas,
    )


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_any_bytes_are_a_transaction_or_a_refusal(noise: bytes, place: int, byte: int) -> None:
    spoiled = bytearray(signed(ALICE, to=b"\x11" * 20, data=noise))
    spoiled[place % len(spoiled)] = byte
    for raw in (noise, bytes(spoiled)):
        try:
            assert decode(raw).raw == raw
        except NotATransaction as refusal:
            assert str(refusal)


def test_deep_nesting_is_refused() -> None:
    nested = b"\xc0"
    for _ in range(3_000):
        size = len(nested)
        if size < 56:
            nested = bytes([0xC0 + size]) + nested
        else:
            digits = size.to_bytes((size.bit_length() + 7) // 8)
            nested = bytes([0xF7 + len(digits)]) + digits + nested
    with pytest.raises(NotATransaction, match="rlp"):
        decode(nested)


@pytest.mark.parametrize("kind", [3, 4, 5, 0x7F, 0x80, 0xBF])
def test_a_type_we_do_not_take_is_named(kind: int) -> None:
    with pytest.raises(NotATransaction, match=f"type not supported: {kind:#x}"):
        decode(bytes([kind]) + b"\xc0")


def test_the_upper_half_of_s_is_refused() -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    low = decode(signed(ALICE, to=b"\x11" * 20))
    flipped = low.raw.replace(low.s.to_bytes(32), (order - low.s).to_bytes(32))
    high = decode(flipped)
    assert high.s > rules.SIGNATURE_S_MAX >= low.s
    rules.check_form(low)
    with pytest.raises(RpcError, match="invalid sender") as refused:
        rules.check_form(high)
    assert refused.value.code == rules.INVALID_SENDER


# --- ethereum/tests: TransactionTests, as of its newest fork there, Cancun ---


def _verdict(raw: bytes, chain_id: int) -> str | None:
    """The sender, or None if the transaction is refused."""
    try:
        transaction = decode(raw)
        if transaction.chain_id is not None:
            # Without a chain id Cancun takes them; the devnet refuses them, tested elsewhere.
            rules.check_chain(transaction, chain_id)
        rules.check_form(transaction)
    except (NotATransaction, RpcError):
        return None
    return "0x" + transaction.sender.hex()


def test_the_official_transaction_tests_agree() -> None:
    """Applied: decoding, signature, chain id 1, ranges, intrinsic gas.

    Not applied: results of forks before the newest in each file, whose rules are gone;
    EIP-7623's floor and EIP-7825's cap, which are younger than the files.
    """
    folder = shared_path("vectors/ethereum-tests/TransactionTests")
    checked = 0
    differing: list[str] = []
    for path in sorted(folder.glob("*/*.json")):
        for name, case in json.loads(path.read_text()).items():
            results = case["result"]
            newest = next(results[fork] for fork in ("Cancun", "Istanbul") if fork in results)
            expected = None if "exception" in newest else newest["sender"]
            raw = bytes.fromhex(case["txbytes"].removeprefix("0x"))
            if _verdict(raw, chain_id=1) != expected:
                differing.append(f"{path.parent.name}/{name}: expected {newest}")
            checked += 1
    assert differing == []
    assert checked == 206


def test_a_wallet_signs_for_the_chain_it_was_told() -> None:
    raw = bytes(
        Account.sign_transaction(
            {
                "chainId": 5,
                "nonce": 0,
                "gas": 21_000,
                "gasPrice": 1,
                "to": b"\x11" * 20,
                "value": 0,
            },
            ALICE.private_key,
        ).raw_transaction
    )
    with pytest.raises(RpcError, match=f"have 5 want {CHAIN_ID}"):
        rules.check_chain(decode(raw), CHAIN_ID)
