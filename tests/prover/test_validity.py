"""A prover proves what a batch comes to, and nothing else; the mock's proofs say what they are."""

from functools import cache
from typing import Any

import pytest
from builders import DOMAIN, VERIFIER, key
from eth_account.messages import _hash_eip191_message, encode_typed_data
from msgspec.structs import replace
from recorded_batches import LoggedBatch, recorded_batches

from node.signatures import recover, sign
from prover.derivation import Cursor, derive_batch, genesis_cursor
from prover.mock_prover import MAGIC, PROOF_SYSTEM, MockProver, digest
from prover.replay import Replayer
from prover.validity import (
    ProofFault,
    ProofRefused,
    ProvableBatch,
    Prover,
    Statement,
    execute,
    statement,
)
from state.authentication import Verifier
from state.batch import output_hash
from state.crypto import keccak
from state.eip712 import domain
from state.memory import MemoryState

ATTESTER = key("attester")


def attester(digest: bytes) -> bytes:
    return sign(digest, ATTESTER.private)


@cache
def history() -> tuple[LoggedBatch, ...]:
    """Some batches, the later ones with trades in them."""
    return tuple(recorded_batches(3, 160))


class Executed:
    """A venue as it stands before one of the batches, and what executing that came to."""

    def __init__(self, number: int) -> None:
        replayer = Replayer(VERIFIER)
        self.after = genesis_cursor(DOMAIN)
        for batch in history()[: number - 1]:
            self._apply(replayer, batch)
        self.before, self.logged = replayer.state.snapshot(), history()[number - 1]
        self.pre_state_root = replayer.commitment().state_root
        self.cursor = self.after
        self.output = self._apply(replayer, self.logged)
        self.statement = statement(
            VERIFIER,
            pre_state_root=self.pre_state_root,
            output=self.output,
            accumulator=self.after.accumulator,
        )

    def _apply(self, replayer: Replayer, batch: LoggedBatch) -> Any:
        derived = derive_batch(
            batch.header,
            batch.payload,
            batch.items,
            after=self.after,
            batch_hash=batch.batch_hash,
        )
        self.after = derived.cursor
        return replayer.apply(derived).output

    def batch(self, **changes: Any) -> ProvableBatch:
        fields: dict[str, Any] = {
            "state": self.before.snapshot(),
            "header": self.logged.header,
            "payload": self.logged.payload,
            "items": self.logged.items,
            "after": self.cursor,
        }
        return ProvableBatch(**fields | changes)


@pytest.fixture(scope="module")
def last() -> Executed:
    return Executed(len(history()))


def test_the_statement_says_what_was_executed(last: Executed) -> None:
    assert execute(last.batch(), VERIFIER) == last.statement
    assert last.statement == Statement(
        chain_id=DOMAIN.chain_id,
        rollup=DOMAIN.rollup,
        pre_state_root=last.pre_state_root,
        post_state_root=last.output.state_root,
        batch_hash=keccak(last.logged.header),
        inbox_accumulator=last.after.accumulator,
        output_hash=output_hash(last.output),
    )


@pytest.mark.parametrize("number", [1, 2])
def test_the_first_batches_can_be_proven_too(number: int) -> None:
    executed = Executed(number)
    prover: Prover = MockProver(VERIFIER, attester)
    assert prover.prove(executed.statement, executed.batch()).startswith(MAGIC)


def test_a_proof_says_mock_and_carries_the_attesters_signature(last: Executed) -> None:
    proof = MockProver(VERIFIER, attester).prove(last.statement, last.batch())
    assert proof[:23] == MAGIC == b"TALLYSTICK-MOCK-PROOF-1" and len(proof) == 87
    assert recover(digest(last.statement), proof[23:]) == ATTESTER.address
    assert "MOCK" in PROOF_SYSTEM == MockProver(VERIFIER, attester).proof_system


def test_what_is_signed_is_eip_712(last: Executed) -> None:
    """A second implementation comes to the same digest."""
    stated = last.statement
    types = [
        ("chainId", "uint256"),
        ("rollup", "address"),
        *((name, "bytes32") for name in ("preStateRoot", "postStateRoot", "batchHash")),
        *((name, "bytes32") for name in ("inboxAccumulator", "outputHash")),
    ]
    values = [getattr(stated, name) for name in Statement.__struct_fields__]
    message = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
            ],
            "Statement": [{"name": name, "type": kind} for name, kind in types],
        },
        "primaryType": "Statement",
        "domain": {"name": "Tallystick MOCK-ATTESTED proof", "version": "1"},
        "message": {
            name: "0x" + value.hex() if kind == "address" else value
            for (name, kind), value in zip(types, values, strict=True)
        },
    }
    signable = encode_typed_data(full_message=message)
    assert digest(stated) == _hash_eip191_message(signable)


@pytest.mark.parametrize("field", Statement.__struct_fields__)
def test_nothing_is_attested_that_the_batch_did_not_come_to(last: Executed, field: str) -> None:
    value = getattr(last.statement, field)
    wrong = value + 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
    lie = replace(last.statement, **{field: wrong})
    with pytest.raises(ProofRefused, match=r"is asserted, .* was found") as refusal:
        MockProver(VERIFIER, never).prove(lie, last.batch())
    assert refusal.value.fault == ProofFault[field.upper()]


def never(_: bytes) -> bytes:
    raise AssertionError("the attester was asked to sign a lie")


def test_a_lie_about_money_is_refused_though_the_root_is_right(last: Executed) -> None:
    lie = replace(last.output, cash=last.output.cash - 1, fees=last.output.fees + 1)
    stated = replace(last.statement, output_hash=output_hash(lie))
    with pytest.raises(ProofRefused) as refusal:
        MockProver(VERIFIER, never).prove(stated, last.batch())
    assert refusal.value.fault == ProofFault.OUTPUT_HASH


def test_another_state_before_is_noticed(last: Executed) -> None:
    number, account = next(iter(last.before.accounts.items()))
    state = last.before.snapshot()
    state.accounts[number] = replace(account, cash=account.cash + 1)
    with pytest.raises(ProofRefused) as refusal:
        MockProver(VERIFIER, never).prove(last.statement, last.batch(state=state))
    # Its own sums are wrong then, which is told before anything is compared.
    assert refusal.value.fault == ProofFault.RULES
    with pytest.raises(ProofRefused) as refusal:
        MockProver(VERIFIER, never).prove(last.statement, last.batch(state=MemoryState()))
    assert refusal.value.fault in (ProofFault.PRE_STATE_ROOT, ProofFault.RULES)


def test_a_prover_of_another_deployment_refuses(last: Executed) -> None:
    """Its signatures are of nobody there, and its statement names another rollup."""
    other = Verifier(domain(DOMAIN.chain_id, b"\x07" * 20), recover)
    with pytest.raises(ProofRefused) as refusal:
        MockProver(other, never).prove(last.statement, last.batch())
    assert refusal.value.fault == ProofFault.ROLLUP


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def test_a_batch_that_l1_cannot_have_posted_is_refused(last: Executed) -> None:
    cursor = last.cursor
    for changes in (
        {"payload": flipped(last.logged.payload)},
        {"payload": b""},
        {"payload": last.logged.payload + b"\0"},
        {"header": last.logged.header + b"\0"},
        {"header": b""},
        {"after": Cursor(cursor.number + 1, cursor.batch_hash, cursor.inbox, cursor.accumulator)},
        {"after": Cursor(cursor.number, bytes(32), cursor.inbox, cursor.accumulator)},
    ):
        with pytest.raises(ProofRefused) as refusal:
            MockProver(VERIFIER, never).prove(last.statement, last.batch(**changes))
        assert refusal.value.fault == ProofFault.DERIVATION, changes
