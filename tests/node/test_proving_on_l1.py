"""A step that was executed here is run by the contracts of L1, by a call, from its proof alone."""

import os
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from proving_world import BUSY, TRADING, VOID, ProvingWorld, proving_world

from node.artifacts import cache_directory, cached_artifact
from node.deploy import Contracts
from node.parity.case import Ran, Refused
from node.proving.history import RollupHistory, read_history
from node.proving.on_l1 import AnswerOnL1, step_on_l1
from node.proving.steps import shown_step
from node.proving.venue import RebuiltVenue
from prover.walk import ShownStep
from prover.witness import Witness


class OnL1:
    """A venue whose rollup names the contracts that run a step."""

    def __init__(self, world: ProvingWorld) -> None:
        self.world = world
        reader = world.venue.reader
        self.history: RollupHistory = world.background.run(read_history(reader))

    def show(self, batch: int, step: int) -> ShownStep:
        venue = RebuiltVenue(self.history)
        while venue.number < batch - 1:
            venue.advance()
        return shown_step(venue, step)

    def ask(self, shown: ShownStep) -> AnswerOnL1:
        venue = self.world.venue
        work = step_on_l1(venue.reader, shown, venue.domain.separator)
        return self.world.background.run(work)


@pytest.fixture(scope="module")
def on_l1() -> Iterator[OnL1]:
    directory = cache_directory(os.environ)
    contracts = Contracts.proving(lambda name: cached_artifact(name, directory))
    with proving_world(contracts) as world:
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
    said = on_l1.world.run("prove", str(VOID), "--step", "1", "--on-l1", code=1).stderr
    assert "otherwise than on L1; L1 has no proof yet that batch 2 is void" in said


def test_the_command_shows_both_answers(on_l1: OnL1) -> None:
    found = on_l1.world.json("prove", str(BUSY), "--step", "9", "--on-l1")
    assert found["onL1"] == found["alone"] == {"root": found["rootAfter"], "status": "OK"}
    assert "on L1" in on_l1.world.run("prove", str(BUSY), "--step", "9", "--on-l1").stdout


def without_accounts(w: Witness) -> Witness:
    return replace(w, accounts=())


def test_l1_refuses_a_witness_that_lacks_a_leaf(on_l1: OnL1) -> None:
    shown = on_l1.show(BUSY, 9)
    found = on_l1.ask(replace(shown, witness=without_accounts(shown.witness)))
    assert isinstance(found.answer, Refused) and found.answer.reason
