"""`replay`: every batch executed from L1 alone, and which claim or claimed step is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from node.cli.bars import bar
from node.cli.failures import Failure, WronglyPut
from node.cli.output import Cell, console, facts, good, print_json, short, table
from node.cli.proving import venue_options, with_venue
from node.proving.readable import Difference, plain
from node.proving.steps import (
    FirstDifference,
    first_difference,
    machine_differences,
    pair_shown,
    read_trace,
    rules_of,
    shown_step,
    status_name,
    trace_of,
    written,
)
from node.proving.venue import BatchFinding, ClaimFinding, RebuiltVenue
from node.rollup import RollupReader
from prover.walk import ShownStep

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("batch", type=click.IntRange(1), required=False)
@click.option("--all", "every", is_flag=True, help="Every batch that L1 has.")
@click.option(
    "--trace",
    "trace_file",
    type=FILE,
    help="A claimed trace of BATCH: roots one a line, or JSON as `trace` prints it.",
)
@venue_options
def replay(
    batch: int | None,
    every: bool,
    trace_file: Path | None,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    as_json: bool,
) -> None:
    """Execute batches from L1's logs alone, up to BATCH or --all, and compare the claims.

    No node is asked. Exit code 1 where a claim on L1, or a step of the trace, is wrong; of the
    first wrong step it is told what it writes and which rules decide it.
    """
    if every == (batch is not None):
        raise WronglyPut("say how far: either BATCH or --all")
    if trace_file is not None and batch is None:
        raise WronglyPut("--trace is of one batch: name it instead of --all")
    claimed = _read(trace_file) if trace_file is not None else None

    async def work(_: RollupReader, venue: RebuiltVenue) -> _Replay:
        if batch is not None:
            venue.check_number(batch)
        return _execute(venue, batch or len(venue.history.batches), claimed)

    found = with_venue(l1_url, rollup, deployment, work)
    if as_json:
        print_json(found.plain())
    else:
        found.show()
    if told := found.failure():
        raise Failure(told)


def _read(path: Path) -> list[bytes]:
    try:
        return read_trace(path)
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise WronglyPut(str(error)) from None


def _execute(venue: RebuiltVenue, last: int, claimed: list[bytes] | None) -> "_Replay":
    findings: list[BatchFinding] = []
    wrong: tuple[FirstDifference, ShownStep] | None = None
    with bar("executing", last) as done:
        while venue.number < last:
            if claimed is not None and venue.number == last - 1:
                wrong = _look_at(venue, claimed)
            findings.append(venue.advance())
            done(venue.number)
    return _Replay(findings, wrong, claimed is not None)


def _look_at(venue: RebuiltVenue, claimed: list[bytes]) -> tuple[FirstDifference, ShownStep] | None:
    trace = trace_of(venue)
    difference = first_difference(trace, claimed)
    if difference is None:
        return None
    return difference, shown_step(venue, min(difference.step, len(trace.steps)))


class _Replay:
    """What was found, and how it is told."""

    def __init__(
        self,
        batches: list[BatchFinding],
        wrong_step: tuple[FirstDifference, ShownStep] | None,
        has_trace: bool,
    ) -> None:
        self.batches, self.wrong_step, self.has_trace = batches, wrong_step, has_trace
        wrong = (one for one in batches if one.has_wrong_claim)
        self.first_wrong = next(wrong, None)

    def failure(self) -> str:
        """Why the command ends with 1; empty where all is right."""
        told = []
        if self.first_wrong is not None:
            told.append(f"the first batch with a wrong claim is {self.first_wrong.output.batch}")
        if self.wrong_step is not None:
            told.append(f"the first step that the trace has wrong is {self.wrong_step[0].step}")
        return "; ".join(told)

    def plain(self) -> dict[str, Any]:
        """For programs."""
        first = self.first_wrong.output.batch if self.first_wrong is not None else None
        found: dict[str, Any] = {
            "batches": [_plain_batch(one) for one in self.batches],
            "firstWrongBatch": first,
        }
        if self.has_trace:
            found["firstWrongStep"] = _plain_step(*self.wrong_step) if self.wrong_step else None
        return found

    def show(self) -> None:
        """For people."""
        columns = (">batch", ">steps", ">transactions", ">items", "claims", "state root")
        console().print(table("Replayed", columns, [_row(one) for one in self.batches]))
        for one in self.batches:
            for claim in one.claims:
                if not claim.is_right:
                    console().print(_claim_table(one, claim))
        if self.wrong_step is not None:
            for part in _step_parts(*self.wrong_step):
                console().print(part)
        elif self.has_trace:
            click.echo("every step of the trace is right")


def _row(one: BatchFinding) -> tuple[Cell, ...]:
    output, replayed = one.output, one.replayed
    wrong = sum(not claim.is_right for claim in one.claims)
    right = len(one.claims) - wrong
    claims = f"{right} right" if right else "none"
    number = f"{output.batch} (void)" if one.void_reason else str(output.batch)
    return (
        *(number, str(output.steps), str(replayed.transactions), str(replayed.items)),
        good(not wrong, claims, f"{wrong} wrong, {right} right"),
        "0x" + output.state_root.hex(),
    )


def _claim_table(one: BatchFinding, claim: ClaimFinding) -> Any:
    stage = "confirmed" if claim.is_confirmed else "pending"
    title = (
        f"Claim {short('0x' + claim.claim.hex())} on batch {one.output.batch} "
        f"by 0x{claim.claimant.hex()} ({stage}) is wrong"
    )
    return difference_table(title, "claimed", "executed", claim.differences)


def difference_table(
    title: str, one: str, other: str, found: tuple[Difference, ...] | list[Difference]
) -> Any:
    """Fields that differ, a line each."""
    rows = [(each.field, str(each.one), str(each.other)) for each in found]
    return table(title, ("field", one, other), rows)


def _step_parts(difference: FirstDifference, shown: ShownStep) -> Iterator[Any]:
    pair = pair_shown(shown)
    claimed = "nothing: the trace ends" if difference.claimed is None else plain(difference.claimed)
    yield facts(
        f"Step {difference.step} is the first that the trace has wrong",
        [
            ("kind", pair[0]),
            ("status", status_name(pair) or "-"),
            ("decided by", ", ".join(rules_of(pair))),
            ("root before", plain(shown.root_before)),
            ("root claimed", claimed),
            ("root executed", plain(difference.executed)),
        ],
    )
    yield difference_table("The machine", "before", "after", machine_differences(shown))
    for leaf in written(shown):
        yield difference_table(leaf.name, "before", "after", leaf.differences)


def _plain_batch(one: BatchFinding) -> dict[str, Any]:
    return {
        "batch": one.output.batch,
        "steps": one.output.steps,
        "stateRoot": plain(one.output.state_root),
        "void": one.void_reason,
        "transactions": one.replayed.transactions,
        "items": one.replayed.items,
        "claims": [
            {
                "claim": plain(claim.claim),
                "claimant": plain(claim.claimant),
                "isConfirmed": claim.is_confirmed,
                "isRight": claim.is_right,
                "differences": plain_differences(claim.differences, "claimed", "executed"),
            }
            for claim in one.claims
        ],
    }


def plain_differences(
    found: tuple[Difference, ...] | list[Difference], one: str, other: str
) -> list[dict[str, Any]]:
    """For programs; `one` and `other` name the sides."""
    return [{"field": each.field, one: each.one, other: each.other} for each in found]


def _plain_step(difference: FirstDifference, shown: ShownStep) -> dict[str, Any]:
    pair = pair_shown(shown)
    return {
        "step": difference.step,
        "kind": str(pair[0]),
        "status": status_name(pair) or None,
        "rules": list(rules_of(pair)),
        "rootBefore": plain(shown.root_before),
        "rootClaimed": None if difference.claimed is None else plain(difference.claimed),
        "rootExecuted": plain(difference.executed),
        "machine": plain_differences(machine_differences(shown), "before", "after"),
        "leaves": [
            {
                "leaf": leaf.name,
                "differences": plain_differences(leaf.differences, "before", "after"),
            }
            for leaf in written(shown)
        ],
    }
