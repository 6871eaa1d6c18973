"""`bench`: what this machine makes of the venue, everything relative to one core's recoveries."""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from node.cli.failures import told
from node.cli.output import console, facts
from node.cli.telling import show_plain
from node.clock import SystemClock
from node.config import EMBEDDED, L1_KINDS
from node.files import write_whole

if TYPE_CHECKING:
    from node.benchmark.figures import Figure
    from node.benchmark.profile import Profile
    from node.benchmark.run import Begin, Part, Report, Tell

PARTS = (
    "primitives",
    "rules",
    "tree",
    "codec",
    "growth",
    "end-to-end",
    "contract",
    "profile",
)
"""In the order in which they are measured."""

FUNCTIONS = 3
"""Shown of each stage of a profile; the file has more."""


@click.command()
@click.option("--quick", is_flag=True, help="Under a minute, and rougher.")
@click.option(
    "--l1",
    type=click.Choice(L1_KINDS),
    default=EMBEDDED,
    show_default=True,
    help="What the venue posts to, on the same cores.",
)
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="This part; repeatable.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write everything into this file.",
)
def bench(quick: bool, l1: str, only: tuple[str, ...], json_file: Path | None) -> None:
    """Measure the venue on this machine, from its rules to orders on L1.

    Everything is told in R, what one core recovers of signatures in a second, measured again
    between all else. Aims are shown beside what was reached; the exit code judges nothing.
    """
    from node.benchmark.devnet import Setting
    from node.benchmark.results import document
    from node.benchmark.run import PARTS as MEASURED
    from node.benchmark.run import run_benchmark
    from node.benchmark.scale import FULL, QUICK

    parts = [part for part in MEASURED if not only or part.name in only]
    with told():
        screen = console()
        with _interruptible(), shown(screen, len(parts)) as (begin, tell):
            scale, setting = QUICK if quick else FULL, Setting(l1)
            running = run_benchmark(scale, setting, parts, SystemClock(), begin=begin, tell=tell)
            report = asyncio.run(running)
        show(screen, report)
        if json_file is not None:
            write_whole(json_file, msgspec.json.format(msgspec.json.encode(document(report))))


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM end a measurement that never waits too, and every process with it."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def shown(screen: Console, parts: int) -> Iterator[tuple["Begin", "Tell"]]:
    """A bar over the parts on a terminal, a line each elsewhere."""
    if not screen.is_terminal:
        yield lambda part: show_plain(screen, part.title), lambda _: None
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("", total=parts)
        begun: list[Part] = []

        def begin(part: "Part") -> None:
            progress.update(task, completed=len(begun), description=part.title)
            begun.append(part)

        def tell(what: str) -> None:
            progress.update(task, description=f"{begun[-1].title}: {what}")

        yield begin, tell


def show(screen: Console, report: "Report") -> None:
    """A table a part, and what the machine was doing."""
    machine = report.machine
    screen.print(
        facts(
            f"Benchmark, {report.scale}: {report.seconds:.0f} s",
            [
                ("R", f"{report.r.value:,.0f} recoveries/s of one core, {_spread(report.r)}"),
                ("machine", f"{machine.cores} cores, Python {machine.python}"),
                ("L1", report.l1),
                ("load", f"{machine.load_before} before, {machine.load_after} after"),
            ],
        )
    )
    for part in report.parts.values():
        screen.print()
        screen.print(_table(part))
    for profile in report.profiles:
        screen.print()
        screen.print(_stages(profile))


def _table(figures: Sequence["Figure"]) -> Table:
    """Only how it was measured is broken into lines; the figures are not."""
    made = Table(box=None)
    for name in ("", ">reached", "unit", ">ratio", "aim", ">spread"):
        right = name.startswith(">")
        made.add_column(name.lstrip(">"), justify="right" if right else "left", no_wrap=True)
    made.add_column("how", style="dim", overflow="fold")
    for figure in figures:
        made.add_row(*map(Text, _row(figure)))
    return made


def _stages(profile: "Profile") -> Group:
    """Every stage's share, and the functions that most of it is spent in."""
    made = Table(box=None)
    made.add_column("stage", no_wrap=True)
    made.add_column("share", justify="right", no_wrap=True)
    made.add_column("most of it in", style="dim", overflow="fold")
    for stage in profile.stages:
        dearest = [one for one in profile.functions if one.stage == stage.name][:FUNCTIONS]
        told = ", ".join(f"{one.name} {one.share:.1%}" for one in dearest)
        made.add_row(Text(stage.name), Text(f"{stage.share:.1%}"), Text(told))
    title = f"Profile of {profile.title}: {profile.busy:.2f} s busy"
    return Group(Text(title, style="bold"), made)


def _row(figure: "Figure") -> Sequence[str]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} {figure.ratio_of}"
    digits = 0 if figure.value >= 1_000 else 1 if figure.value >= 10 else 2
    aim = figure.aim and f"{figure.aim} {figure.ratio_of}".strip()
    spread = _spread(figure) if len(figure.samples) > 1 else ""
    return (
        figure.name,
        f"{figure.value:,.{digits}f}",
        figure.unit,
        ratio,
        aim,
        spread,
        figure.note,
    )


def _spread(figure: "Figure") -> str:
    return f"±{figure.spread * 50:.0f} %"
