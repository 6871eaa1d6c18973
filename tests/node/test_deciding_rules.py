"""Every step that there can be is decided by rules of the protocol, by their ids."""

import re
from pathlib import Path

import pytest
from recorded_steps import recorded_steps

from node.parity.kinds import ALL_PAIRS, Pair, StepKind, pair_of
from node.proving.deciding_rules import deciding_rules
from state.chunks import row_at
from state.machine import decode_machine
from state.status import Status
from state.steps import Step

RULES = Path(__file__).parents[2] / "docs" / "rules.md"


def answers() -> dict[str, set[str]]:
    """What docs/rules.md says each rule answers."""
    found: dict[str, set[str]] = {}
    for line in RULES.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if re.fullmatch(r"[A-Z]+-\d+", cells[0]):
            found[cells[0]] = set(cells[2].split(", "))
    return found


ANSWERS = answers()
PAIRS = sorted(ALL_PAIRS, key=str)


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{kind}, {status}" for kind, status in PAIRS])
def test_rules_decide_every_step_and_answer_what_it_answers(pair: Pair) -> None:
    rules = deciding_rules(pair)
    assert rules and len(set(rules)) == len(rules)
    assert [rule for rule in rules if rule not in ANSWERS] == []
    status = pair[1]
    if status:
        assert any(status.name in ANSWERS[rule] for rule in rules), rules


def test_every_kind_of_step_that_ends_well_has_rules_of_what_it_writes() -> None:
    well = {kind for kind, status in ALL_PAIRS if not status}
    assert well == set(StepKind) - {StepKind.DROP, StepKind.RESTORE, StepKind.ITEM_UNKNOWN}
    assert len({deciding_rules((kind, Status.OK)) for kind in well}) > len(well) - 3


def test_what_happens_in_a_history_is_decided() -> None:
    seen = set()
    for recorded in recorded_steps(2, 250):
        before, _, _ = decode_machine(recorded.witness.machine)
        is_row = recorded.step == Step.TRANSACTION
        kind = row_at(recorded.given.chunk, before.row).kind if is_row else 0
        pair = pair_of(before, recorded.given, kind, recorded.changes)
        assert deciding_rules(pair)
        seen.add(pair)
    assert len(seen) > 40 and seen <= ALL_PAIRS


def test_what_no_step_can_be_is_decided_by_nothing() -> None:
    with pytest.raises(KeyError):
        deciding_rules((StepKind.HALT, Status.KILLED))
