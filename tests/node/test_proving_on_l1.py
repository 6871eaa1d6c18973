"""A step that was executed here is run by the contracts of L1, by a call, from its proof alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from l1_venue import GOVERNOR
from msgspec.structs import replace
from proving_world import BUSY, TRADING, VOID, ProvingWorld, proving_world

from contracts.abi import View
from node.parity.case import Ran, Refused
from node.parity.deployment import ROUTER, deploy_steps
from node.proving.history import RollupHistory, read_history
from node.proving.on_l1 import STEP, AnswerOnL1, step_on_l1
from node.proving.steps import shown_step
from node.proving.venue import RebuiltVenue
from node.rollup import RollupReader
from prover.walk import ShownStep
from prover.witness import Witness


class NamesStep(RollupReader):
    """The rollup, naming the contract that re-executes a step."""

    def __init__(self, reader: RollupReader, step: bytes) -> None:
        super().__init__(reader.client, reader.address)
        self.step = step

    async def read(self, view: View[Any], *values: Any, block: Any = "latest") -> Any:
        return self.step if view is STEP else await super().read(view, *values, block=block)


class OnL1:
    """A venue with the step contracts beside it on the same L1."""

    def __init__(self, world: ProvingWorld) -> None:
        self.world, venue = world, world.venue
        self.history: RollupHistory = world.background.run(read_history(venue.reader))
        addresses = deploy_steps(self._deploy)
        self.reader = NamesStep(venue.reader, addresses[ROUTER])

    def _deploy(self, code: bytes) -> bytes:
        receipt = self.world.background.run(self.world.venue.senders[GOVERNOR].send(None, code))
        assert receipt.contract is not None
        return receipt.contract

    def show(self, batch: int, step: int) -> ShownStep:
        venue = RebuiltVenue(self.history)
        while venue.number < batch - 1:
            venue.advance()
        return shown_step(venue, step)

    def ask(self, shown: ShownStep) -> AnswerOnL1:
        separator = self.world.venue.domain.separator
        return self.world.background.run(step_on_l1(self.reader, shown, separator))


@pytest.fixture(scope="module")
def on_l1() -> Iterator[OnL1]:
    with proving_world() as world:
        yield OnL1(world)


ASKED = [
    (TRADING, 1, "BOOT"),
    (TRADING, 2, "an item"),
    (BUSY, 3, "OPEN"),
    (BUSY, 9, "an order"),
    (BUSY, 10, "SAVE"),
    (BUSY, 11, "MATCH"),
    (BUSY, 12, "RESTORE"),
    (BUSY, 17, "a signature of somebody else"),
    (BUSY, 20, "a withdrawal"),
    (BUSY, 21, "HALT"),
    (VOID, 2, "HALT of a void batch"),
]


@pytest.mark.parametrize(
    ("batch", "step"), [row[:2] for row in ASKED], ids=[row[2] for row in ASKED]
)
def test_l1_comes_to_the_root_that_was_executed_here(on_l1: OnL1, batch: int, step: int) -> None:
    shown = on_l1.show(batch, step)
    found = on_l1.ask(shown)
    assert found.answer == Ran(shown.root_after, shown.taken.changes.machine.status)
    assert found.facts == shown.facts


def test_l1_boots_a_batch_whole_until_it_is_proven_void(on_l1: OnL1) -> None:
    shown = on_l1.show(VOID, 1)
    found = on_l1.ask(shown)
    assert shown.facts.void and not found.facts.void
    assert isinstance(found.answer, Ran) and found.answer.root != shown.root_after


def without_accounts(w: Witness) -> Witness:
    return replace(w, accounts=())


def test_l1_refuses_a_witness_that_lacks_a_leaf(on_l1: OnL1) -> None:
    shown = on_l1.show(BUSY, 9)
    found = on_l1.ask(replace(shown, witness=without_accounts(shown.witness)))
    assert isinstance(found.answer, Refused) and found.answer.reason
