"""The rules in Python and the contracts of L1 take every step alike."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import l1_process
import msgspec
import pytest
from click.testing import CliRunner
from parity_engines import Lying, Python

from node.cli import parity as command
from node.cli.main import tallystick
from node.parity.case import Answer, Ran, Refused, agree, case_of_calldata
from node.parity.counts import Counts
from node.parity.engines import Engine, NoEngine, open_engine
from node.parity.file import NoStep, read_case, write_mismatch
from node.parity.kinds import ALL_PAIRS, StepKind
from node.parity.mutations import MUTATIONS
from node.parity.run import Comparison, Enough, Mismatch, Plan, compare
from state.status import Status

STEPS, CHANGED = 3_000, 600
"""On the fast engine, with so many mutations among them."""


def ran(
    engine: Engine, steps: int, *, seed: int = 1, mutations: int = 0, every: int = 1
) -> Comparison:
    """A whole run; every difference is told in its place."""
    found: list[str] = []
    comparison = Comparison(
        engine,
        Plan(steps=steps, seed=seed, mutations=mutations, every=every),
        on_mismatch=lambda mismatch: found.append(str(mismatch)),
    )
    comparison.run()
    assert not found, "\n".join(found[:5])
    return comparison


def test_the_contracts_take_every_step_as_the_rules_do() -> None:
    comparison = ran(open_engine("pyrevm"), STEPS, mutations=CHANGED)
    counts = comparison.counts
    assert counts.taken == STEPS and comparison.mutated == CHANGED
    assert {kind for kind, _ in counts.steps} == set(StepKind)
    assert len(counts.never()) < len(ALL_PAIRS) // 2
    assert {way for way, _ in counts.mutations} == names_of_mutations()


def test_py_evm_takes_them_alike_too() -> None:
    counts = ran(open_engine("py-evm"), 40, seed=4, mutations=8, every=100).counts
    assert counts.taken == 40 and len(counts.steps) > 30


# --- the harness itself ---


def names_of_mutations() -> set[str]:
    return {mutation.__name__.removeprefix("mutate_") for mutation in MUTATIONS}


def first_difference(engine: Engine, plan: Plan) -> Mismatch | None:
    """What ends a run that stops at the first one."""
    found: list[Mismatch] = []

    def stop(mismatch: Mismatch) -> None:
        found.append(mismatch)
        raise Enough

    Comparison(engine, plan, on_mismatch=stop).run()
    return found[0] if found else None


def test_histories_reach_what_the_protocol_allows_and_nothing_else() -> None:
    counts = ran(Python(), 3_000, seed=11).counts
    assert not counts.unforeseen()
    assert {kind for kind, _ in counts.steps} == set(StepKind)
    assert len(counts.never()) < len(ALL_PAIRS) // 5, counts.never()


def test_the_same_seed_is_the_same_history() -> None:
    calls: list[list[bytes]] = []
    for _ in range(2):
        engine = Python()
        ran(engine, 200, seed=5, mutations=50)
        calls.append(engine.calls)
    assert calls[0] == calls[1] and len(calls[0]) == 250


def test_every_way_of_mutating_is_tried() -> None:
    mutations = ran(Python(), 500, seed=2, mutations=500).counts.mutations
    assert {way for way, _ in mutations} == names_of_mutations()
    # Those that keep the proof whole meet the rules, and not only the proof's own checks.
    for way in ("leaf", "machine", "chunk"):
        assert mutations[way, "taken"] > mutations[way, "refused"] // 4
    for way in ("bytes", "length"):
        assert mutations[way, "taken"] == 0


LIES: dict[str, Callable[[Answer], Answer]] = {
    "another root": lambda _: Ran(bytes(32), 0),
    "another status": lambda answer: (
        msgspec.structs.replace(answer, status=answer.status ^ 1)
        if isinstance(answer, Ran)
        else answer
    ),
    "a refusal": lambda _: Refused("no proof"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_an_engine_that_lies_about_one_step_is_found_there(lie: Callable[[Answer], Answer]) -> None:
    found = first_difference(Lying(at=76, lie=lie), Plan(steps=200, seed=3))
    assert found is not None
    assert (found.seed, found.number, found.mutation) == (3, 77, "")
    assert found.rules == found.python != found.engine
    assert found.kind in str(found) and "step 77" in str(found)


def test_an_engine_that_takes_what_is_no_proof_is_found() -> None:
    def gullible(answer: Answer) -> Answer:
        return Ran(bytes(32), 0) if isinstance(answer, Refused) else answer

    found = first_difference(Lying(at=None, lie=gullible), Plan(steps=300, seed=3, mutations=300))
    assert found is not None and found.mutation and isinstance(found.python, Refused)


def test_a_run_that_goes_on_counts_every_difference() -> None:
    engine = Lying(at=None, lie=lambda _: Refused("never"))
    found: list[Mismatch] = []
    comparison = Comparison(engine, Plan(steps=60, seed=3), on_mismatch=found.append)
    comparison.run()
    assert comparison.mismatches == len(found) == 60


def test_a_difference_is_written_into_a_file_that_repeats_it(tmp_path: Path) -> None:
    found = first_difference(Lying(at=20, lie=LIES["another root"]), Plan(steps=50, seed=3))
    assert found is not None
    path = write_mismatch(tmp_path / "deep", found)
    assert write_mismatch(tmp_path / "deep", found) == path
    assert read_case(path) == found.case
    python, engine = compare(Python(), read_case(path))
    assert python == engine == found.python
    held = json.loads(path.read_text())
    assert held["answers"]["engine"]["outcome"] == "ran" and held["seed"] == 3


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"case": {"root": 5}}', b"\xff"])
def test_what_is_no_file_of_a_step_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(NoStep, match=r"other\.json.*--out"):
        read_case(path)


def test_of_a_slow_engine_one_step_in_many_is_compared_and_the_first_of_each() -> None:
    engine = Python()
    counts = ran(engine, 100, seed=2, every=50).counts
    assert counts.taken == len(engine.calls) == 100
    assert len(counts.steps) > 60


def test_both_refusing_agree_whatever_they_say() -> None:
    ran_to, other = Ran(b"\1" * 32, 0), Ran(b"\1" * 32, 1)
    assert agree(Refused("one"), Refused("another")) and agree(ran_to, ran_to)
    assert not agree(ran_to, other) and not agree(ran_to, Refused("no"))


def test_calldata_says_all_that_a_step_is_given() -> None:
    engine = Python()
    comparison = ran(engine, 30)
    assert comparison.counts.taken == 30
    for call in engine.calls:
        assert case_of_calldata(call).calldata() == call


def test_what_was_never_reached_is_listed() -> None:
    counts = Counts()
    assert len(counts.never()) == len(ALL_PAIRS)
    counts.steps = Counter(dict.fromkeys(ALL_PAIRS, 1))
    counts.steps[StepKind.HALT, Status.KILLED] = 1
    assert counts.never() == [] and counts.unforeseen() == [(StepKind.HALT, Status.KILLED)]
    assert counts.facts()["byKind"]["MATCH"] == {"-": 1}


# --- the command ---


@pytest.fixture
def in_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The command with the twin for an engine, in a folder of its own."""
    monkeypatch.setattr(command, "_opened", lambda *_: Python())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_tells_counts_and_what_it_never_reached(in_python: Path) -> None:
    words = ["parity", "--steps", "150", "--mutations", "30", "--seed", "2"]
    result = CliRunner().invoke(tallystick, words)
    assert result.exit_code == 0, result.output
    assert "150 steps" in result.stdout and "30 mutations" in result.stdout
    assert "never" in result.stdout and "no difference" in result.stdout
    told = json.loads(CliRunner().invoke(tallystick, [*words, "--json"]).stdout)
    assert told["steps"] == 150 and told["mismatches"] == 0
    assert sum(sum(by.values()) for by in told["byKind"].values()) == 150
    assert list(in_python.iterdir()) == []


@pytest.mark.parametrize("keeps_going", [False, True])
def test_the_command_fails_where_the_sides_differ(
    in_python: Path, monkeypatch: pytest.MonkeyPatch, keeps_going: bool
) -> None:
    def opened(*_: object) -> Engine:
        return Lying(at=9, lie=LIES["another root"])

    monkeypatch.setattr(command, "_opened", opened)
    words = ["parity", "--steps", "40", *(["--keep-going"] if keeps_going else [])]
    result = CliRunner().invoke(tallystick, words)
    assert result.exit_code == 1
    assert "step 10 of history 1, seed 1" in result.stderr and "differed 1 times" in result.stderr
    (path,) = (in_python / "parity").iterdir()
    # The file names no engine: on one that is honest the sides agree.
    monkeypatch.setattr(command, "_opened", lambda *_: Python())
    again = CliRunner().invoke(tallystick, ["parity", "--replay", str(path)])
    assert again.exit_code == 0 and "status" in again.stdout
    monkeypatch.setattr(command, "_opened", lambda *_: Lying(at=0, lie=LIES["a refusal"]))
    again = CliRunner().invoke(tallystick, ["parity", "--replay", str(path), "--json"])
    assert again.exit_code == 1 and not json.loads(again.stdout)["same"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--engine", "geth"], "write http://host:port"),
        (["--engine", "py-evm", "--contract", "0x" + "11" * 20], "for an --engine that is a URL"),
        (["--steps", "0"], "--steps"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused(words: list[str], told: str) -> None:
    result = CliRunner().invoke(tallystick, ["parity", *words])
    assert result.exit_code == 2 and told in result.stderr


def test_an_engine_that_is_not_installed_is_told_with_the_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyrevm", None)
    with pytest.raises(NoEngine, match="make setup"):
        open_engine("pyrevm")
    result = CliRunner().invoke(tallystick, ["parity", "--steps", "1"])
    assert result.exit_code == 1 and "--engine py-evm" in result.stderr


# --- an L1 over HTTP ---


@pytest.fixture(scope="module")
def l1_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded L1 in a process of its own."""
    words = [sys.executable, str(Path(l1_process.__file__)), str(tmp_path_factory.mktemp("l1"))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def test_contracts_on_an_l1_take_steps_alike_and_stand_for_the_next_run(l1_url: str) -> None:
    with open_engine(l1_url) as engine:
        counts = ran(engine, 12, seed=4, mutations=6, every=100).counts
        assert counts.taken == 12 and counts.mutations.total() == 6
        router = engine.router
    with open_engine(l1_url, router=router) as engine:
        assert ran(engine, 2).counts.taken == 2


def test_an_address_without_a_contract_is_no_engine(l1_url: str) -> None:
    with pytest.raises(NoEngine, match="has no contract at 0x1111"):
        open_engine(l1_url, router=b"\x11" * 20)
    words = ["parity", "--engine", l1_url, "--contract", "0x" + "11" * 20]
    result = CliRunner().invoke(tallystick, words)
    assert result.exit_code == 1 and "has no contract" in result.stderr
