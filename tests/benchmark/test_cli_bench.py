"""`tallystick bench`: which parts there are, what it prints, and the file it writes."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from node.benchmark import run, scale
from node.benchmark.figures import Figure, Sample, single
from node.benchmark.run import Machine, Report
from node.cli import bench as command
from node.cli.main import tallystick
from node.cli.output import console


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(tallystick, ["bench", *arguments], prog_name="tallystick")


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "QUICK", scale.TINY)
    monkeypatch.setattr(scale, "FULL", scale.TINY)


def test_the_command_knows_every_part_in_its_order() -> None:
    assert tuple(part.name for part in run.PARTS) == command.PARTS


def test_only_the_parts_that_were_asked_for_are_measured(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench("--quick", "--only", "rules", "--only", "codec", "--json", str(file))
    assert done.exit_code == 0, done.output
    assert "rules alone" in done.output and "bytes of an order" in done.output
    found: dict[str, Any] = json.loads(file.read_text())
    assert list(found["parts"]) == ["rules", "codec"]
    assert found["r"]["value"] > 0 and len(found["r"]["samples"]) >= 2
    assert found["machine"]["cores"] >= 1
    rules = found["parts"]["rules"][0]
    assert rules["name"] == "rules alone" and rules["aim"] == ">= 2" and rules["ratioOf"] == "R"
    assert rules["ratio"] == pytest.approx(
        rules["samples"][0]["value"] / rules["samples"][0]["r"], 0.01
    )


def test_a_part_that_does_not_exist_is_refused_with_those_that_do() -> None:
    done = bench("--only", "everything")
    assert done.exit_code == 2
    assert all(name in done.output for name in command.PARTS)


def test_an_aim_that_was_missed_is_shown_and_judged_by_nobody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missed = Figure(
        name="rules alone",
        unit="orders/s",
        samples=(Sample(1_000.0, 10_000.0), Sample(1_200.0, 10_000.0)),
        ratio=0.11,
        ratio_of="R",
        aim=">= 2",
    )
    report = Report(
        scale="quick",
        l1="embedded",
        machine=Machine(cores=2, python="3.11", load_before=0.5, load_after=1.5),
        seconds=3.0,
        r=single("R", 10_000.0, "recoveries/s"),
        parts={"rules": [missed, single("bytes", 70.25, "bytes")]},
        profiles=[],
    )
    command.show(console(), report)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["rules", "alone", "1,100", "orders/s", "0.11", "R", ">=", "2", "R", "±9", "%"] in rows
    assert ["bytes", "70.2", "bytes"] in rows
    assert ["load", "0.5", "before,", "1.5", "after"] in rows


def test_the_page_explains_every_part_with_its_aims() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmark.md").read_text()
    for part in command.PARTS:
        assert f"| `{part}` |" in page
    for aim in ("rules >= 2 R", "<= 1.5 times", ">= 0.4 R", "follower >= 1.5 times"):
        assert aim in page


def test_a_terminal_sees_a_bar_and_a_pipe_a_line_a_part() -> None:
    screens = [Console(file=StringIO(), force_terminal=tty, width=120) for tty in (True, False)]
    for screen in screens:
        with command.shown(screen, parts=len(run.PARTS)) as (begin, tell):
            for part in run.PARTS:
                begin(part)
                tell("something of it")
    terminal, pipe = (screen.file.getvalue() for screen in screens)  # type: ignore[attr-defined]
    assert pipe.splitlines() == [part.title for part in run.PARTS]
    assert f"{len(run.PARTS) - 1}/{len(run.PARTS)}" in terminal
    assert f"{run.PARTS[-1].title}: something of it" in terminal
