"""Recovery and signing: one form per signature, and nobody's address for what is none."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_files import shared_json

from node.signatures import CURVE_ORDER, address_of, compact, recover, sign
from state.crypto import ZERO_ADDRESS, keccak

KEY = keccak(b"alice")


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=50)
def test_a_signature_recovers_its_signer(digest: bytes) -> None:
    signature = sign(digest, KEY)
    assert recover(digest, signature) == address_of(KEY)
    assert len(signature) == 64


@given(st.binary(min_size=64, max_size=64), st.binary(min_size=32, max_size=32))
def test_any_bytes_recover_an_address_or_nobody(signature: bytes, digest: bytes) -> None:
    assert len(recover(digest, signature)) == 20


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(64),
        bytes(63),
        (CURVE_ORDER).to_bytes(32, "big") + (1).to_bytes(32, "big"),
        (1).to_bytes(32, "big") + (CURVE_ORDER // 2 + 1).to_bytes(32, "big"),
        bytes(32) + (1).to_bytes(32, "big"),
        (1).to_bytes(32, "big") + bytes(32),
        (5).to_bytes(32, "big") + (1).to_bytes(32, "big"),
    ],
    ids=["empty", "zero", "short", "r too large", "s high", "r zero", "s zero", "no such point"],
)
def test_what_is_no_signature_is_nobodys(signature: bytes) -> None:
    assert recover(keccak(b"anything"), signature) == ZERO_ADDRESS


def test_a_wallets_65_bytes_become_64() -> None:
    digest = keccak(b"order")
    ours = sign(digest, KEY)
    packed = int.from_bytes(ours[32:], "big")
    s, parity = packed & (2**255 - 1), packed >> 255
    plain = ours[:32] + s.to_bytes(32, "big")
    for v in (parity, parity + 27):
        assert compact(plain + bytes([v])) == ours
    high = ours[:32] + (CURVE_ORDER - s).to_bytes(32, "big")
    for wrong in (plain, plain + b"\x05", plain + b"\x1d", high + bytes([28 - parity])):
        with pytest.raises(ValueError, match=r"bytes|v is|lower half|upper half"):
            compact(wrong)


def test_wycheproof_signatures_recover_the_signer_or_somebody_else_but_never_crash() -> None:
    """The P1363 file has plain r | s, as we do; its other files are DER, which we never parse."""
    vectors = shared_json(
        "vectors/wycheproof/testvectors_v1/ecdsa_secp256k1_sha256_p1363_test.json"
    )
    valid = tried = 0
    for group in vectors["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["uncompressed"])
        signer = keccak(public[1:])[12:]
        for test in group["tests"]:
            tried += 1
            digest = hashlib.sha256(bytes.fromhex(test["msg"])).digest()
            plain = bytes.fromhex(test["sig"])
            found = {recover(digest, _packed(plain, parity)) for parity in (0, 1)}
            low = len(plain) == 64 and int.from_bytes(plain[32:], "big") <= CURVE_ORDER // 2
            if test["result"] == "valid" and low:
                assert signer in found, test["tcId"]
                valid += 1
            elif test["result"] == "invalid":
                assert signer not in found, test["tcId"]
    assert tried == vectors["numberOfTests"] and valid > 50


def _packed(plain: bytes, parity: int) -> bytes:
    if len(plain) != 64 or plain[32] & 0x80:
        return plain
    return plain[:32] + bytes([plain[32] | parity << 7]) + plain[33:]
