"""One step as bytes: what the twin in Python and the contracts on L1 are both given."""

from eth_abi.abi import decode
from msgspec import Struct

from contracts.abi import UnexpectedAnswer
from contracts.step import STEP, StepFacts, step, step_result
from contracts.step import prove_step as prove_step_on_l1
from prover.facts import Facts
from prover.one_step import prove_step
from prover.refusal import WitnessRefused
from prover.step import StepInput
from prover.witness import HASH_BYTES, Witness
from state.authentication import Verifier


class Refused(Struct, frozen=True):
    """The step was not run: its proof is none. Why is for people; sides are free to differ."""

    reason: str


class Ran(Struct, frozen=True):
    """The state root after the step, and the status that it left."""

    root: bytes
    status: int


Answer = Ran | Refused


def agree(one: Answer, other: Answer) -> bool:
    """Whether both ran to the same end, or both refused, for whatever reason."""
    if isinstance(one, Refused) or isinstance(other, Refused):
        return isinstance(one, Refused) and isinstance(other, Refused)
    return one == other


class Case(Struct, frozen=True):
    """What is handed in: the root before, the four parts of a witness, the input, the facts."""

    root: bytes
    machine: bytes
    roots: bytes
    leaves: bytes
    proofs: bytes
    given: bytes
    facts: Facts

    @property
    def witness(self) -> bytes:
        """The four parts end to end, as they are stored and sent elsewhere."""
        return self.machine + self.roots + self.leaves + self.proofs

    def calldata(self) -> bytes:
        """The call of `step` that the router on L1 takes."""
        return step(
            self.root,
            machine=self.machine,
            roots=self._roots(),
            leaves=self.leaves,
            proofs=self.proofs,
            given=self.given,
            facts=StepFacts(
                separator=self.facts.separator,
                batch_hash=self.facts.batch_hash,
                is_void=self.facts.void,
                accumulator=self.facts.accumulator,
                next_accumulator=self.facts.next_accumulator,
            ),
        )

    def proof_calldata(self) -> bytes:
        """The call of `prove_step` that a rollup takes: it knows the facts itself."""
        return prove_step_on_l1(
            self.root,
            machine=self.machine,
            roots=self._roots(),
            leaves=self.leaves,
            proofs=self.proofs,
            given=self.given,
        )

    def _roots(self) -> list[bytes]:
        return [self.roots[at : at + HASH_BYTES] for at in range(0, 3 * HASH_BYTES, HASH_BYTES)]


def case_of(witness: Witness, given: StepInput, facts: Facts) -> Case:
    """The step that `witness` is of."""
    return Case(
        root=witness.state_root,
        machine=witness.machine,
        roots=witness.roots,
        leaves=witness.leaves,
        proofs=witness.proofs,
        given=given.encode(),
        facts=facts,
    )


def case_of_calldata(data: bytes) -> Case:
    """What `calldata` had been made of."""
    root, machine, roots, leaves, proofs, given, facts = decode(STEP.inputs, data[4:])
    return Case(root, machine, b"".join(roots), leaves, proofs, given, Facts(*facts))


def answer_of(data: bytes) -> Answer:
    """What the router returned."""
    try:
        found = step_result(data)
    except UnexpectedAnswer as error:
        return Refused(str(error))
    return Ran(found.root, found.status)


def twin(case: Case, verifier: Verifier) -> Answer:
    """The answer in Python, from the same bytes."""
    try:
        return Ran(*prove_step(case.root, case.witness, case.given, case.facts, verifier))
    except WitnessRefused as refusal:
        return Refused(str(refusal))
