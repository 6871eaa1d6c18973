"""The contracts of one step, deployed, and the question that a proof asks of them."""

from collections.abc import Collection

from evm_engines import NOBODY, Engine
from recorded_steps import RecordedStep

from contracts.compiler import compile_contract
from contracts.step import ROUTER, RULES, StepFacts, StepResult, router, source, step, step_result
from prover.facts import Facts
from prover.witness import Witness

ROOT_BYTES = 32


class StepContracts:
    """One of each on `engine`, or of those that a test needs: in the place of another one stands
    a contract that cannot be asked for a step.
    """

    def __init__(self, engine: Engine, needed: Collection[str] = RULES) -> None:
        self.engine = engine
        leaves = self._deploy(compiled("leaves"))
        self.rules = dict.fromkeys(RULES, leaves) | {
            name: self._deploy(compiled(name)) for name in RULES if name in needed
        }
        self.router = self._deploy(router(compiled(ROUTER), self.rules))

    def _deploy(self, code: bytes) -> bytes:
        return self.engine.deploy(code, sender=NOBODY)

    def step(self, root: bytes, witness: Witness, given: bytes, facts: Facts) -> StepResult:
        """What L1 says; Reverted where the proof is none."""
        return self.parts(
            root, witness.machine, witness.roots, witness.leaves, witness.proofs, given, facts
        )

    def parts(
        self,
        root: bytes,
        machine: bytes,
        roots: bytes,
        leaves: bytes,
        proofs: bytes,
        given: bytes,
        facts: Facts,
    ) -> StepResult:
        """The same of a witness in parts, which need not be one."""
        data = calldata(root, machine, roots, leaves, proofs, given, facts)
        return step_result(self.engine.call(self.router, data))

    def gas(self, recorded: RecordedStep) -> int:
        """What the transaction costs that shows a recorded step to the router itself."""
        w, given = recorded.witness, recorded.given.encode()
        data = calldata(
            recorded.root_before, w.machine, w.roots, w.leaves, w.proofs, given, recorded.facts
        )
        return self.engine.send(self.router, data, sender=NOBODY).gas_used

    def check(self, recorded: RecordedStep) -> None:
        """L1 comes to the root and status that the whole state has after this step."""
        given = recorded.given.encode()
        result = self.step(recorded.root_before, recorded.witness, given, recorded.facts)
        assert result.status == recorded.changes.machine.status
        assert result.root.hex() == recorded.root_after.hex()


def compiled(name: str) -> bytes:
    return compile_contract(source(name)).creation_code


def calldata(
    root: bytes,
    machine: bytes,
    roots: bytes,
    leaves: bytes,
    proofs: bytes,
    given: bytes,
    facts: Facts,
) -> bytes:
    return step(
        root,
        machine=machine,
        roots=[roots[at : at + ROOT_BYTES] for at in range(0, len(roots), ROOT_BYTES)],
        leaves=leaves,
        proofs=proofs,
        given=given,
        facts=StepFacts(
            separator=facts.separator,
            batch_hash=facts.batch_hash,
            is_void=facts.void,
            accumulator=facts.accumulator,
            next_accumulator=facts.next_accumulator,
        ),
    )
