"""Profiles: own times, by stage."""

import time
from pathlib import Path

import pytest

from node.benchmark import profile as profiles
from node.benchmark.profile import profiled, stage_of
from node.benchmark.profiling import profile_rules
from node.benchmark.scale import TINY

ROOT = Path(profiles.__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        ("state/matching.py", "rules"),
        ("sequencer/sequencer.py", "rules"),
        ("state/tree.py", "tree"),
        ("state/commitment.py", "tree"),
        ("state/chunks.py", "codec"),
        ("state/eip712.py", "hashing"),
        ("node/signatures.py", "recovery"),
        ("node/signers/frames.py", "recovery"),
        ("node/rpc/submission.py", "JSON"),
        ("node/journal.py", "journal"),
        ("node/sequencing/engine.py", "sequencing"),
        ("node/l1/client.py", "L1"),
    ],
)
def test_every_file_that_takes_time_belongs_to_a_stage(file: str, stage: str) -> None:
    assert (ROOT / file).is_file()
    assert stage_of(str(ROOT / file)) == stage


def test_what_is_nobodys_is_told_as_such() -> None:
    assert stage_of("/usr/lib/python3/heapq.py") == "other"


def test_waiting_is_not_work() -> None:
    profile = profiled("nothing", lambda: time.sleep(0.2))
    assert profile.busy < 0.1


def test_the_rules_are_most_of_the_rules() -> None:
    profile = profile_rules(accounts=TINY.accounts, messages=TINY.messages)
    assert sum(stage.share for stage in profile.stages) == pytest.approx(1, abs=0.01)
    assert profile.stages[0].name == "rules"
    assert {one.stage for one in profile.functions} == {stage.name for stage in profile.stages}
