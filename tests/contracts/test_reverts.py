"""Every reason to revert that the sources name is reached, on both engines."""

import re
from pathlib import Path

import dispute_refusals
import pytest
from dispute_world import DisputeWorld
from evm_engines import Engine, Reverted
from rollup_refusals import SCENARIOS
from rollup_world import World
from vyper import ast as vyper_ast

from contracts.compiler import SOURCES


@pytest.mark.parametrize("reason", SCENARIOS)
def test_the_refusal_names_its_reason(world: World, reason: str) -> None:
    with pytest.raises(Reverted) as refusal:
        SCENARIOS[reason](world)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("reason", dispute_refusals.SCENARIOS)
def test_the_refusal_of_a_dispute_names_its_reason(engine: Engine, reason: str) -> None:
    world = DisputeWorld(engine)
    with pytest.raises(Reverted) as refusal:
        dispute_refusals.SCENARIOS[reason](world)
    assert refusal.value.reason == reason


def test_every_reason_in_the_sources_is_reached_above() -> None:
    named = {
        reason
        for source in SOURCES.glob("*.vy")
        for reason in re.findall(rf'"({source.stem}: [^"]+)"', source.read_text())
    }
    assert named == {*SCENARIOS, *dispute_refusals.SCENARIOS}


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.vy")), ids=lambda path: path.stem)
def test_every_assertion_gives_a_reason_of_its_own_module(source: Path) -> None:
    assertions = vyper_ast.parse_to_ast(source.read_text()).get_descendants(vyper_ast.Assert)
    for assertion in assertions:
        assert assertion.msg is not None, f"{source.name}:{assertion.lineno}"
        assert assertion.msg.value.startswith(f"{source.stem}: ")
