"""`games`: whole disputes on a toy machine, an honest player against liars, from seeds."""

from typing import TYPE_CHECKING

import click
from rich.console import Group

from node.cli.bars import bar
from node.cli.failures import Failure
from node.cli.options import json_option
from node.cli.output import console, facts, print_json

if TYPE_CHECKING:
    from prover.games.report import Report


@click.command()
@click.option("--games", "count", type=click.IntRange(1), default=100, show_default=True)
@click.option("--from", "first", type=click.IntRange(0), default=1, show_default=True)
@json_option
def games(count: int, first: int, as_json: bool) -> None:
    """Play disputes by the rules of L1, with everything drawn from a seed.

    Up to 16 liars enter wrong traces of every kind and play in every manner; the honest player
    restarts, its calls are delayed, L1 reorganises. It must win, within the stated time and gas.
    A game that breaks a promise is told with the command that repeats it.
    """
    from random import Random

    from prover.games.play import play
    from prover.games.report import Report, told

    report = Report()
    with bar("playing", count) as done:
        for played, seed in enumerate(range(first, first + count), 1):
            draw = Random(seed).randrange  # noqa: S311  (a seed must repeat a game)
            report.add(seed, play(draw))
            if seed in report.broken:
                click.echo(told(seed, report.broken[seed]), err=True)
            done(played)
    if as_json:
        print_json(report.facts())
    else:
        console().print(_summary(report, first))
    if report.broken:
        seeds = ", ".join(str(seed) for seed in list(report.broken)[:20])
        raise Failure(f"{len(report.broken)} of {count} games broke a promise: {seeds}")


def _summary(report: "Report", first: int) -> Group:
    found = report.facts()
    rows = [
        ("games", f"{first} to {first + report.games - 1}, {len(report.broken)} broken"),
        ("entries", f"{found['entries']:,}, at most {found['mostEntries']} in a game"),
        ("matches", f"{found['matches']:,}"),
        ("refused calls", f"{found['refusedCalls']:,}"),
        ("went wrong", f"{found['restarts']:,} restarts, {found['reorgs']:,} reorganisations"),
        ("longest dispute", f"{found['longestSeconds']:,} s"),
        ("largest delay", f"{found['largestDelayShare']:.1%} of its bound beyond the window"),
        ("largest gas", f"{found['largestGasShare']:.1%} of its bound"),
    ]
    return facts("Games", rows)
