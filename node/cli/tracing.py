"""`trace`, `witness` and `prove`: a batch step by step, and one of its steps proven."""

from pathlib import Path
from typing import Any

import click

from node.cli.failures import Failure, told
from node.cli.output import Cell, console, facts, good, print_json, table
from node.cli.proving import execute, venue_options, with_venue
from node.files import write_whole
from node.parity.case import Answer, Ran, case_of, twin
from node.proving.on_l1 import AnswerOnL1, step_on_l1
from node.proving.readable import plain
from node.proving.steps import (
    NamedStep,
    Trace,
    pair_shown,
    rules_of,
    shown_step,
    status_name,
    trace_of,
)
from node.proving.venue import RebuiltVenue
from node.proving.witnesses import call_facts, witness_facts, witness_lines
from node.rollup import RollupReader
from prover.walk import ShownStep
from state.limits import BATCH_STEPS_MAX
from state.status import STATUSES

FILE = click.Path(path_type=Path, dir_okay=False)
STEP_HELP = "The step, counted from 1: step 1 is BOOT."


@click.command()
@click.argument("batch", type=click.IntRange(1))
@click.option("--step", type=click.IntRange(1, BATCH_STEPS_MAX), help=f"One alone. {STEP_HELP}")
@venue_options
def trace(
    batch: int,
    step: int | None,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    as_json: bool,
) -> None:
    """Print what every step of BATCH is, what it answers, and the state root after it.

    The batches before it are executed from L1's logs alone; step 1 is BOOT, the last one HALT.
    """

    async def work(_: RollupReader, venue: RebuiltVenue) -> Trace:
        execute(venue, batch)
        return trace_of(venue)

    found = with_venue(l1_url, rollup, deployment, work)
    if step is not None and step > len(found.steps):
        raise Failure(f"NO_SUCH_STEP: batch {batch} has steps 1 to {len(found.steps)}")
    steps = found.steps if step is None else found.steps[step - 1 : step]
    if as_json:
        before = found.before if step in (None, 1) else found.steps[step - 2].root
        listed = [_plain(one) for one in steps]
        print_json({"batch": batch, "before": plain(before), "steps": listed})
        return
    columns = (">step", "what", "status", "state root after it")
    console().print(table(f"Batch {batch}", columns, [_row(one) for one in steps]))


def _plain(one: NamedStep) -> dict[str, Any]:
    status = one.status or None
    return {"step": one.number, "kind": one.kind, "status": status, "root": plain(one.root)}


def _row(one: NamedStep) -> tuple[Cell, ...]:
    status = good(one.status in ("OK", ""), one.status or "-", one.status)
    return (str(one.number), one.kind, status, "0x" + one.root.hex())


def _step_shown(
    batch: int, step: int, l1_url: str, rollup: bytes | None, deployment: Path | None
) -> ShownStep:
    async def work(_: RollupReader, venue: RebuiltVenue) -> ShownStep:
        execute(venue, batch)
        return shown_step(venue, step)

    return with_venue(l1_url, rollup, deployment, work)


@click.command()
@click.argument("batch", type=click.IntRange(1))
@click.option("--step", type=click.IntRange(1, BATCH_STEPS_MAX), required=True, help=STEP_HELP)
@click.option("--out", type=FILE, help="Write the witness into this file, in its bytes.")
@venue_options
def witness(
    batch: int,
    step: int,
    out: Path | None,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    as_json: bool,
) -> None:
    """Show the witness of one step of BATCH: every leaf that the step touches, and their sizes.

    --json has the arguments of `step` on L1 beside it.
    """
    shown = _step_shown(batch, step, l1_url, rollup, deployment)
    if out is not None:
        with told():
            write_whole(out, shown.witness.encode())
    if as_json:
        found = _step_facts(shown) | {"witness": witness_facts(shown.witness)}
        print_json(found | {"call": call_facts(shown)})
        return
    console().print(facts(f"Step {step} of batch {batch}", _step_rows(shown)))
    console().print(table("Leaves", ("leaf", "before the step"), witness_lines(shown.witness)))
    console().print(_sizes(shown))


def _step_facts(shown: ShownStep) -> dict[str, Any]:
    pair = pair_shown(shown)
    return {
        "step": shown.taken.number,
        "kind": str(pair[0]),
        "status": status_name(pair) or None,
        "rules": list(rules_of(pair)),
        "rootBefore": plain(shown.root_before),
        "rootAfter": plain(shown.root_after),
    }


def _step_rows(shown: ShownStep) -> list[tuple[str, Cell]]:
    pair = pair_shown(shown)
    return [
        ("what", pair[0]),
        ("status", status_name(pair) or "-"),
        ("decided by", ", ".join(rules_of(pair))),
        ("root before", plain(shown.root_before)),
        ("root after", plain(shown.root_after)),
    ]


def _sizes(shown: ShownStep) -> Any:
    sizes = shown.witness.sizes()
    rows = [(name, f"{size:,}") for name, size in sizes.items()]
    rows.append(("witness", f"{sum(sizes.values()):,}"))
    rows.append(("input", f"{len(shown.taken.given.encode()):,}"))
    return table("Bytes", ("part", ">bytes"), rows)


@click.command()
@click.argument("batch", type=click.IntRange(1))
@click.option("--step", type=click.IntRange(1, BATCH_STEPS_MAX), required=True, help=STEP_HELP)
@click.option("--on-l1", is_flag=True, help="Have the contract on L1 run it too, by a call.")
@venue_options
def prove(
    batch: int,
    step: int,
    on_l1: bool,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    as_json: bool,
) -> None:
    """Run one step of BATCH from its witness alone, in Python and, if asked, on L1.

    Nothing is sent. L1 is told nothing but the proof: what else a step reads, such as the hash
    of the batch, is taken from the rollup's own storage. Exit code 1 where two of them differ.
    """

    async def work(
        reader: RollupReader, venue: RebuiltVenue
    ) -> tuple[ShownStep, Answer, AnswerOnL1 | None]:
        execute(venue, batch)
        shown = shown_step(venue, step)
        alone = twin(case_of(shown.witness, shown.taken.given, shown.facts), venue.verifier)
        separator = venue.verifier.domain.separator
        told_by_l1 = await step_on_l1(reader, shown, separator) if on_l1 else None
        return shown, alone, told_by_l1

    found = _Proven(*with_venue(l1_url, rollup, deployment, work))
    if as_json:
        print_json(found.plain())
    else:
        found.show(batch)
    if told_wrong := found.failure(batch):
        raise Failure(told_wrong)


class _Proven:
    """A step, what it comes to from its proof alone, and how that is told."""

    def __init__(self, shown: ShownStep, alone: Answer, on_l1: AnswerOnL1 | None) -> None:
        self.shown, self.alone, self.on_l1 = shown, alone, on_l1
        self.expected = Ran(shown.root_after, shown.taken.changes.machine.status)
        self.answers = {"from the witness": alone}
        if on_l1 is not None:
            self.answers["on L1"] = on_l1.answer

    def failure(self, batch: int) -> str:
        """Who comes to another end than the whole execution; empty where nobody does."""
        wrong = [name for name, one in self.answers.items() if one != self.expected]
        if not wrong:
            return ""
        void = self.on_l1 is not None and self.on_l1.facts.void != self.shown.facts.void
        return f"executed whole, the step ends otherwise than {' and '.join(wrong)}" + (
            f"; L1 has no proof yet that batch {batch} is void" if void else ""
        )

    def plain(self) -> dict[str, Any]:
        """For programs."""
        found = _step_facts(self.shown) | {"alone": _plain_answer(self.alone)}
        if self.on_l1 is not None:
            found["onL1"] = _plain_answer(self.on_l1.answer)
        sizes = self.shown.witness.sizes() | {"input": len(self.shown.taken.given.encode())}
        return found | {"sizes": sizes}

    def show(self, batch: int) -> None:
        """For people."""
        rows = _step_rows(self.shown)
        for name, one in self.answers.items():
            rows.append((name, good(one == self.expected, _words(one), _words(one))))
        console().print(facts(f"Step {self.shown.taken.number} of batch {batch}", rows))
        console().print(_sizes(self.shown))


def _words(answer: Answer) -> str:
    if isinstance(answer, Ran):
        return f"0x{answer.root.hex()}, {_status(answer)}"
    return f"refused: {answer.reason}"


def _plain_answer(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, Ran):
        return {"root": plain(answer.root), "status": _status(answer)}
    return {"refused": answer.reason}


def _status(answer: Ran) -> str:
    known = STATUSES.get(answer.status)
    return known.name if known is not None else str(answer.status)
