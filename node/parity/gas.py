"""What steps cost on L1 where they are at their worst, and the bounds on it."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from msgspec import Struct

from contracts.abi import Function
from contracts.compiler import RUNTIME_BYTES_MAX
from contracts.step import CHUNKS
from node.parity.blocks import worst_blocks
from node.parity.case import agree, twin
from node.parity.counts import status_name
from node.parity.deployment import sizes
from node.parity.engines import LOCAL, LocalEngine
from node.parity.kinds import StepKind
from node.parity.stress import FullestVenue
from node.parity.world import VERIFIER, Prepared
from node.parity.worst import SCENES, FullWorld, Scene
from state.crypto import keccak
from state.limits import CHUNK_BYTES_MAX
from state.lz4_block import CodecError, decode

WITNESS_BYTES_MAX = 28 * 1024
WITH_CHUNK_BYTES_MAX = 40 * 1024
STEP_GAS_MAX = 4_000_000
MALFORMED_GAS_MAX = 12_000_000
CALL_GAS = 21_000
CALLDATA_GAS = 64
"""A byte, whatever it is: more than any L1 asks for today."""

MALFORMED = Function("malformed", ("bytes", "bytes32"), ("uint256",))


class StepCost(Struct, frozen=True):
    """One kind of step at its worst. `chunk` is 0 where the step reads none."""

    name: str
    status: str
    scene: str
    witness: int
    chunk: int
    calldata: int
    execution: int

    @property
    def gas(self) -> int:
        """21,000, the execution, and 64 for each byte of the call."""
        return CALL_GAS + self.execution + CALLDATA_GAS * self.calldata


class ChunkCost(Struct, frozen=True):
    """A block that is decoded on L1 to show that it is none."""

    name: str
    calldata: int
    execution: int

    @property
    def gas(self) -> int:
        """As of a step."""
        return CALL_GAS + self.execution + CALLDATA_GAS * self.calldata


class Bound(Struct, frozen=True):
    """A promise, and how near it is."""

    what: str
    reached: int
    at_most: int

    @property
    def is_held(self) -> bool:
        return self.reached <= self.at_most

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "of": self.what,
            "reached": self.reached,
            "bound": self.at_most,
            "held": self.is_held,
        }


def broken(bounds: Sequence[Bound]) -> list[str]:
    """In words: what is larger than it may be."""
    return [
        f"{bound.reached:,} {bound.what}, at most {bound.at_most:,}"
        for bound in bounds
        if not bound.is_held
    ]


class Report(Struct, frozen=True):
    """Everything that was measured."""

    engine: str
    steps: tuple[StepCost, ...]
    chunks: tuple[ChunkCost, ...]
    contracts: dict[str, int]

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """In the order of the page on steps; of what was not measured there is none."""
        largest = max(self.contracts, key=self.contracts.__getitem__)
        reached = (
            ("bytes of a witness", [step.witness for step in self.steps], WITNESS_BYTES_MAX),
            (
                "bytes of a witness and its chunk",
                [step.witness + step.chunk for step in self.steps],
                WITH_CHUNK_BYTES_MAX,
            ),
            ("gas of a step", [step.gas for step in self.steps], STEP_GAS_MAX),
            ("gas of a chunk", [one.gas for one in self.chunks], MALFORMED_GAS_MAX),
            (f"bytes of a contract ({largest})", [self.contracts[largest]], RUNTIME_BYTES_MAX),
        )
        return tuple(Bound(what, max(found), most) for what, found, most in reached if found)

    @property
    def broken(self) -> list[str]:
        """In words: what is larger than it may be."""
        return broken(self.bounds)

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "engine": self.engine,
            "steps": [
                {
                    "step": step.name,
                    "status": step.status,
                    "scene": step.scene,
                    "witnessBytes": step.witness,
                    "chunkBytes": step.chunk,
                    "calldataBytes": step.calldata,
                    "executionGas": step.execution,
                    "gas": step.gas,
                }
                for step in self.steps
            ],
            "chunks": [
                {"chunk": one.name, "calldataBytes": one.calldata, "gas": one.gas}
                for one in self.chunks
            ],
            "contracts": self.contracts,
            "bounds": [bound.facts() for bound in self.bounds],
        }


class Measuring:
    """Watches scenes: keeps each kind of step where it cost the most, refusals apart."""

    def __init__(self, engine: LocalEngine) -> None:
        self.engine = engine
        self.scene = ""
        self.worst: dict[tuple[StepKind, str], StepCost] = {}

    def before(self, step: Prepared) -> None:
        """Nothing is measured before a step is taken."""

    def after(self, step: Prepared, root: bytes, status: int) -> None:
        if not self.scene:
            return
        case = step.case
        answered = self.engine.answer(case)
        assert agree(answered, twin(case, VERIFIER)), f"{step.pair}: {answered}"
        assert answered.root == root and answered.status == status  # type: ignore[union-attr]
        calldata = case.calldata()
        cost = StepCost(
            name=step.pair[0].value,
            status=status_name(step.pair),
            scene=self.scene,
            witness=len(case.witness),
            chunk=len(step.given.chunk),
            calldata=len(calldata),
            execution=self.engine.gas(self.engine.router, calldata),
        )
        place = step.pair[0], cost.status
        if place not in self.worst or cost.gas > self.worst[place].gas:
            self.worst[place] = cost


def scenes() -> tuple[Scene, ...]:
    """What is played for a report."""
    return SCENES


def measure(name: str, *, on_progress: Callable[[int], None] = lambda _: None) -> Report:
    """Every scene on the engine of that name; none where a contract cannot be deployed."""
    contracts = sizes()
    if max(contracts.values()) > RUNTIME_BYTES_MAX:
        return Report(name, (), (), contracts)
    engine = LOCAL[name]()
    watcher = Measuring(engine)
    world = FullWorld(Random(1), watcher, FullestVenue().state)  # noqa: S311  (the same each time)
    world.by_hand = False
    for played, scene in enumerate(SCENES, 1):
        watcher.scene = scene.__name__.replace("_", " ")
        scene(world)
        _take_back(world, watcher)
        on_progress(played)
    kinds = list(StepKind)
    order = sorted(watcher.worst, key=lambda place: (kinds.index(place[0]), place[1]))
    return Report(
        engine=engine.name,
        steps=tuple(watcher.worst[place] for place in order),
        chunks=tuple(_chunk_costs(engine)),
        contracts=contracts,
    )


def _take_back(world: FullWorld, watcher: Measuring) -> None:
    """The venue as it was before the scene, in a batch that has just begun."""
    watcher.scene = ""
    world.state.undo(world.state.cut())
    if world.machine.batch_hash == bytes(32):
        world.boot()
        world.state.cut()


def _chunk_costs(engine: LocalEngine) -> list[ChunkCost]:
    """Of the worst blocks; each that is sound with its right hash, so that all is checked."""
    chunks = engine.contracts[CHUNKS]
    costs = []
    for name, block in worst_blocks().items():
        try:
            raw_hash = keccak(decode(block, CHUNK_BYTES_MAX))
        except CodecError:
            raw_hash = keccak(b"")
        calldata = MALFORMED.encode(block, raw_hash)
        costs.append(ChunkCost(name, len(calldata), engine.gas(chunks, calldata)))
    return costs
