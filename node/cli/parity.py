"""`parity`: every step by the rules in Python and by the contracts of L1, and compared."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Group
from rich.text import Text

from node.cli.bars import bar
from node.cli.failures import Failure, WronglyPut, told
from node.cli.options import ADDRESS, KEY_FILE, URL, json_option
from node.cli.output import console, good, print_json, table

if TYPE_CHECKING:
    from node.parity.counts import Counts
    from node.parity.engines import Engine
    from node.parity.run import Comparison, Mismatch, Plan

PYREVM, PY_EVM = "pyrevm", "py-evm"
SHOWN = 20
"""Differences that are printed in full; files are written of every one."""


class EngineName(click.ParamType[str]):
    """pyrevm, py-evm, or the URL of an L1."""

    name = "engine"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        return str(value) if value in (PYREVM, PY_EVM) else URL.convert(value, param, ctx)


ENGINE = EngineName()


@click.command()
@click.option("--steps", type=click.IntRange(1), default=3_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--engine",
    type=ENGINE,
    metavar="pyrevm|py-evm|URL",
    default=PYREVM,
    show_default=True,
    help="What runs the contracts: an EVM in this process, or an L1 that answers eth_call.",
)
@click.option(
    "--mutations",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Steps that are one bit or one leaf off, spread over the others.",
)
@click.option(
    "--every",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Compare one step in so many, and the first of each kind and status: for slow engines.",
)
@click.option("--contract", type=ADDRESS, help="The router on that L1; else one is deployed there.")
@click.option(
    "--key-file",
    type=KEY_FILE,
    help="Whoever deploys on that L1; else the first account of every devnet.",
)
@click.option("--keep-going", is_flag=True, help="Count differences instead of stopping at one.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="parity",
    show_default=True,
    help="Where a file goes for each step on which the sides differ.",
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Run the step in such a file again, and nothing else.",
)
@json_option
def parity(
    steps: int,
    seed: int,
    engine: str,
    mutations: int,
    every: int,
    contract: bytes | None,
    key_file: Path | None,
    keep_going: bool,
    out: Path,
    replay: Path | None,
    as_json: bool,
) -> None:
    """Run random and adversarial histories by the rules in Python and by the contracts of L1.

    After every step the root and the status must be the same on both sides. Of a mutated
    step both must refuse the proof, or give the same answer.
    """
    from node.parity.run import Plan

    with told(), _opened(engine, contract, key_file) as opened:
        if replay is not None:
            _replay(opened, replay, as_json)
            return
        plan = Plan(steps=steps, seed=seed, mutations=mutations, every=every)
        comparison = _compare(opened, plan, out, keep_going)
    if as_json:
        document = {"seed": seed, "engine": opened.name, "mismatches": comparison.mismatches}
        print_json(document | comparison.counts.facts())
    else:
        console().print(_summary(comparison.counts, comparison.mismatches))
    if comparison.mismatches:
        raise Failure(
            f"the sides differed {comparison.mismatches:,} times; tallystick parity --replay FILE "
            f"runs a step in {out} again"
        )


def _opened(name: str, contract: bytes | None, key_file: Path | None) -> "Engine":
    from node.cli.signer import signer
    from node.parity.deployment import TooLarge
    from node.parity.engines import NoEngine, open_engine

    if name in (PYREVM, PY_EVM) and (contract is not None or key_file is not None):
        raise WronglyPut("--contract and --key-file are for an --engine that is a URL")
    private_key = signer(None, key_file).private_key if key_file is not None else None
    try:
        return open_engine(name, router=contract, private_key=private_key)
    except (NoEngine, TooLarge) as error:
        raise Failure(str(error)) from error


def _compare(engine: "Engine", plan: "Plan", out: Path, keep_going: bool) -> "Comparison":
    """Differences are told as they are found; the first ends it unless they are to be counted."""
    from node.parity.file import write_mismatch
    from node.parity.run import Comparison, Enough

    def found(mismatch: "Mismatch") -> None:
        path = write_mismatch(out, mismatch)
        if comparison.mismatches <= SHOWN:
            click.echo(f"{mismatch}\n  written to {path}", err=True)
        if not keep_going:
            raise Enough

    with bar(f"parity on {engine.name}", plan.steps) as done:
        comparison = Comparison(engine, plan, on_mismatch=found, on_progress=done)
        comparison.run()
    return comparison


def _replay(engine: "Engine", path: Path, as_json: bool) -> None:
    from node.parity.case import agree
    from node.parity.file import NoStep, read_case
    from node.parity.run import compare, told_answer

    try:
        case = read_case(path)
    except NoStep as error:
        raise WronglyPut(str(error)) from error
    python, answered = compare(engine, case)
    same = agree(python, answered)
    words = {"python": told_answer(python), "engine": told_answer(answered)}
    if as_json:
        print_json({"file": str(path), "engine": engine.name, "same": same} | words)
    else:
        for side, answer in words.items():
            click.echo(f"{side}: {answer}")
    if not same:
        raise Failure(f"the sides differ on the step in {path}")


def _summary(counts: "Counts", mismatches: int) -> Group:
    from node.parity.counts import ordered, status_name
    from node.parity.kinds import ALL_PAIRS

    pairs = ordered(ALL_PAIRS | counts.steps.keys())
    rows = [(pair[0].value, status_name(pair), _count(counts.steps[pair])) for pair in pairs]
    steps = table(f"{counts.taken:,} steps", ("kind", "status", ">steps"), rows)
    ways = [(way, outcome, f"{n:,}") for (way, outcome), n in sorted(counts.mutations.items())]
    parts: list[Group | Text] = [steps, Text()]
    if ways:
        title = f"{counts.mutations.total():,} mutations"
        parts += [table(title, ("of", "both sides", ">times"), ways), Text()]
    never = len(counts.never())
    parts.append(Text(f"{len(ALL_PAIRS)} pairs of kind and status, {never} never reached"))
    parts.append(good(not mismatches, "no difference", f"{mismatches:,} differences"))
    return Group(*parts)


def _count(steps: int) -> Text:
    return Text(f"{steps:,}") if steps else Text("never", style="yellow")
