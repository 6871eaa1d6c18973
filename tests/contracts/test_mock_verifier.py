"""The mock verifier takes the attester's word for one statement, and nothing else for anything."""

import pytest
from evm_engines import Engine, Reverted
from msgspec.structs import replace
from proof_world import ATTESTER, STRANGER, ProofWorld, attested

from contracts import mock_verifier
from contracts.compiler import compile_contract
from node.signatures import CURVE_ORDER, sign
from prover.mock_prover import MAGIC, PROOF_SYSTEM, digest, mock_proof
from prover.validity import Statement

STATED = Statement(
    chain_id=1,
    rollup=b"\x01" * 20,
    pre_state_root=b"\x02" * 32,
    post_state_root=b"\x03" * 32,
    batch_hash=b"\x04" * 32,
    inbox_accumulator=b"\x05" * 32,
    output_hash=b"\x06" * 32,
)
OTHER = {
    "chain_id": 2,
    "rollup": b"\x09" * 20,
    "pre_state_root": b"\x09" * 32,
    "post_state_root": b"\x09" * 32,
    "batch_hash": b"\x09" * 32,
    "inbox_accumulator": b"\x09" * 32,
    "output_hash": b"\x09" * 32,
}


@pytest.fixture
def world(engine: Engine) -> ProofWorld:
    return ProofWorld(engine)


def test_it_says_that_it_is_a_mock_and_whose_word_it_takes(world: ProofWorld) -> None:
    def ask(data: bytes) -> bytes:
        return world.engine.call(world.verifier, data)

    view = mock_verifier.PROOF_SYSTEM
    assert view.answer(ask(view.call())) == PROOF_SYSTEM == mock_verifier.PROOF_SYSTEM_NAME
    assert "MOCK" in PROOF_SYSTEM and b"MOCK" in MAGIC and b"MOCK" in attested(STATED)
    attester = mock_verifier.ATTESTER
    assert attester.answer(ask(attester.call())) == ATTESTER.address


def test_the_attesters_word_is_taken(world: ProofWorld) -> None:
    assert world.is_taken(STATED, attested(STATED))


def test_every_field_of_a_statement_can_be_changed() -> None:
    assert set(OTHER) == set(Statement.__struct_fields__)


@pytest.mark.parametrize("field", OTHER)
def test_a_proof_is_of_one_statement_field_by_field(world: ProofWorld, field: str) -> None:
    other = replace(STATED, **{field: OTHER[field]})
    assert not world.is_taken(other, attested(STATED))
    assert not world.is_taken(STATED, attested(other))
    assert world.is_taken(other, attested(other))


def high_s(signature: bytes) -> bytes:
    """The other form of a signature: s below the order, but in its upper half, parity flipped."""
    parity, s = signature[32] >> 7, int.from_bytes(signature[32:], "big") & 2**255 - 1
    return signature[:32] + (CURVE_ORDER - s & 2**255 - 1 | (1 - parity) << 255).to_bytes(32, "big")


SIGNATURE = attested(STATED)[len(MAGIC) :]
NOT_PROOFS = {
    "nothing": b"",
    "the magic alone": MAGIC,
    "a signature alone": SIGNATURE,
    "a byte short": attested(STATED)[:-1],
    "a byte long": attested(STATED) + b"\0",
    "a magic of another version": MAGIC[:-1] + b"2" + SIGNATURE,
    "a magic of zeros": bytes(len(MAGIC)) + SIGNATURE,
    "the word of somebody else": attested(STATED, STRANGER.private),
    "a signature of zeros": mock_proof(bytes(64)),
    "r of zero": mock_proof(bytes(32) + SIGNATURE[32:]),
    "s of zero": mock_proof(SIGNATURE[:32] + bytes(32)),
    "r of the order": mock_proof(CURVE_ORDER.to_bytes(32, "big") + SIGNATURE[32:]),
    "s in the upper half": mock_proof(high_s(SIGNATURE)),
    "the other parity": mock_proof(SIGNATURE[:32] + bytes([SIGNATURE[32] ^ 128]) + SIGNATURE[33:]),
    "a signature of 65 bytes": mock_proof(SIGNATURE + b"\x1b"),
    "a signature of the bare digest of nothing": mock_proof(sign(bytes(32), ATTESTER.private)),
    "as many bytes as a rollup passes on": bytes(32_768),
}


@pytest.mark.parametrize("proof", NOT_PROOFS.values(), ids=NOT_PROOFS)
def test_anything_else_is_no_proof_and_reverts_nothing(world: ProofWorld, proof: bytes) -> None:
    assert not world.is_taken(STATED, proof)


def test_a_digest_that_was_signed_for_something_else_is_no_proof(world: ProofWorld) -> None:
    """The bare statement, or one in the domain of traders, is not what an attester signs."""
    assert digest(STATED) != digest(replace(STATED, chain_id=2))
    for signed in (digest(STATED)[::-1], STATED.output_hash):
        assert not world.is_taken(STATED, mock_proof(sign(signed, ATTESTER.private)))


def test_nobody_is_no_attester(engine: Engine) -> None:
    code = compile_contract(mock_verifier.SOURCE).creation_code
    with pytest.raises(Reverted, match="mock_verifier: no attester"):
        engine.deploy(mock_verifier.deployment(code, attester=bytes(20)), sender=STRANGER.address)
