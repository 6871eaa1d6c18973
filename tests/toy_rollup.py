"""The rollup that the contract of disputes asks, of which a test says what it answers."""

from pathlib import Path

from evm_engines import Engine
from protocol_bytes import claim_hash
from rollup_world import DEPLOYER, person
from toy_machine import REST, ToyBatch, ToyTrace, honest

from contracts.abi import Function, keccak
from contracts.compiler import compile_contract

ROOT = Path(__file__).resolve().parents[1]
ZERO = bytes(32)
PENDING, CONFIRMED, REJECTED = 1, 2, 3
CLAIMANT = person("claimant")

SET_DISPUTES = Function("set_disputes", ("address",))
SET_CLAIM = Function("set_claim", ("bytes32", "uint32", "uint8", "address"))
SET_CONTESTED = Function("set_contested", ("bytes32", "uint64"))
SET_HEAD = Function("set_head", ("uint64", "bytes32"))
SET_BATCH = Function("set_batch", ("uint256", "bytes32", "uint256", "bool"))
FORFEIT = Function("forfeit", ("bytes32", "uint64", "address"))


class ToyRollup:
    """Genesis is confirmed and contested, and a batch posted behind it; `open` goes elsewhere."""

    def __init__(self, engine: Engine, batch: ToyBatch) -> None:
        self.engine = engine
        code = compile_contract("tests/contracts/mocks/toy_rollup", ROOT).creation_code
        self.rollup = engine.deploy(code, sender=DEPLOYER)
        self.open(batch, ToyTrace((REST,), ToyBatch(batch.number - 1)))

    def tell(self, function: Function, *values: object) -> None:
        """Set what it answers."""
        self.engine.send(self.rollup, function.encode(*values), sender=DEPLOYER)

    def open(
        self,
        batch: ToyBatch,
        parent: ToyTrace,
        grandparent: bytes = ZERO,
        status: int = CONFIRMED,
    ) -> None:
        """The claim of what `parent` ends in is there and contested, with `batch` behind it."""
        self.batch, self.before = batch, parent.last
        self.grandparent, self.parent_output = grandparent, parent.output
        self.parent = claim_hash(grandparent, parent.output)
        self.post(batch)
        self.tell(SET_CLAIM, self.parent, batch.number - 1, status, CLAIMANT)
        if status == CONFIRMED:
            self.set_head(batch.number - 1, self.parent)
        self.contest()

    def post(self, batch: ToyBatch) -> None:
        """L1 knows the batch, and whether it is void."""
        self.tell(SET_BATCH, batch.number, batch.batch_hash, batch.steps, batch.is_void)

    def contest(self) -> None:
        """The parent is contested from now on; also what `reopen` does."""
        self.contested_at = self.engine.time
        self.tell(SET_CONTESTED, self.parent, self.contested_at)

    def claim(self, trace: ToyTrace, status: int = PENDING) -> bytes:
        """The claim of the output of a trace, made known."""
        claim = trace.claim(self.parent)
        self.tell(SET_CLAIM, claim, self.batch.number, status, CLAIMANT)
        return claim

    def confirm(self, claim: bytes) -> None:
        """It is confirmed, and the head."""
        self.tell(SET_CLAIM, claim, self.batch.number, CONFIRMED, CLAIMANT)
        self.set_head(self.batch.number, claim)

    def set_head(self, batch: int, claim: bytes) -> None:
        """The last confirmed claim is this one, of this batch."""
        self.tell(SET_HEAD, batch, claim)

    def honest(self) -> ToyTrace:
        """What the batch really leads to."""
        return honest(self.batch, self.before)

    @property
    def dispute(self) -> bytes:
        """keccak(parent claim | u256 contested at)"""
        return keccak(self.parent + self.contested_at.to_bytes(32, "big"))
