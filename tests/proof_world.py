"""A rollup that takes proofs, behind the mock verifier, whose attester is a key of ours."""

from typing import Any

from builders import key
from evm_engines import Engine, Receipt
from msgspec.structs import replace
from protocol_bytes import Output
from rollup_world import CLAIMANT, DEPLOYER, GENESIS, World

from contracts import calls, mock_verifier, views
from contracts.abi import keccak
from contracts.compiler import compile_contract
from contracts.events import ProvenLog
from node.signatures import sign
from prover.mock_prover import digest, mock_proof
from prover.validity import Statement

ATTESTER, STRANGER = key("attester"), key("stranger")


def attested(statement: Statement, private_key: bytes = ATTESTER.private) -> bytes:
    """The word of a key for a statement, as a proof."""
    return mock_proof(sign(digest(statement), private_key))


class ProofWorld(World):
    """Beside what a rollup is, `verifier` and the means to prove what nobody executed."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        code = compile_contract(mock_verifier.SOURCE).creation_code
        deployment = mock_verifier.deployment(code, attester=ATTESTER.address)
        self.verifier = engine.deploy(deployment, sender=DEPLOYER)
        self.optimistic = self.rollup
        contracts = calls.ProofContracts(chunks=self.chunks, verifier=self.verifier)
        self.rollup = engine.deploy(self.deployment(proof_contracts=contracts), sender=DEPLOYER)

    def another(self) -> "ProofWorld":
        """A second rollup behind the same verifier."""
        made = object.__new__(ProofWorld)
        made.__dict__.update(self.__dict__, batches={})
        contracts = calls.ProofContracts(chunks=self.chunks, verifier=self.verifier)
        made.rollup = self.engine.deploy(
            self.deployment(proof_contracts=contracts), sender=DEPLOYER
        )
        return made

    def statement(self, output: Output, parent: bytes = GENESIS, **changes: Any) -> Statement:
        """What L1 asks a proof of where `output` is claimed behind a packed `parent`."""
        header = self.batches[output.batch].header
        stated = Statement(
            chain_id=1,
            rollup=self.rollup,
            pre_state_root=parent[42:74],
            post_state_root=output.state_root,
            batch_hash=output.batch_hash,
            inbox_accumulator=self.read(views.ACCUMULATOR, int.from_bytes(header[50:58], "big")),
            output_hash=keccak(output.pack()),
        )
        return replace(stated, **changes)

    def is_taken(self, statement: Statement, proof: bytes) -> bool:
        """What the verifier says."""
        asked = mock_verifier.VERIFY.call(fields(statement), proof)
        return mock_verifier.VERIFY.answer(self.engine.call(self.verifier, asked))

    def prove(
        self,
        output: Output,
        *,
        grandparent: bytes = bytes(32),
        parent: bytes = GENESIS,
        proof: bytes | None = None,
        header: bytes | None = None,
        packed: bytes | None = None,
        sender: bytes = CLAIMANT,
    ) -> Receipt:
        """Prove `output` behind a packed `parent`, truly but for what is given."""
        if proof is None:
            proof = attested(self.statement(output, parent))
        data = calls.prove_claim(
            grandparent=grandparent,
            parent_output=parent,
            output=output.pack() if packed is None else packed,
            header=self.batches[output.batch].header if header is None else header,
            proof=proof,
        )
        return self.send(data, sender)

    def proven(self, receipt: Receipt) -> ProvenLog:
        """The last log of a proven claim."""
        *_, log = self.logs(receipt)
        assert isinstance(log, ProvenLog)
        return log


def fields(statement: Statement) -> tuple[Any, ...]:
    """In the order of the contract's struct."""
    return tuple(getattr(statement, name) for name in Statement.__struct_fields__)
