"""The steps of a batch by name, its trace, and what a claimed trace says otherwise."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from node.errors import Halt
from node.parity.kinds import Pair, pair_of
from node.proving.deciding_rules import deciding_rules
from node.proving.readable import Difference, differences
from node.proving.venue import RebuiltVenue
from prover.step import StepInput
from prover.trace import trace_batch
from prover.walk import BatchWalk, NoSuchStep, ShownStep
from prover.witness_state import WitnessState
from state.accounts import ABSENT
from state.chunks import row_at
from state.execution import Batch
from state.limits import BATCH_STEPS_MAX
from state.machine import Machine
from state.steps import Step, next_step
from state.store import Changes, PreState

HASH_BYTES = 32


class NamedStep(Struct, frozen=True, kw_only=True):
    """Step `number` of a batch, from 1; the status is empty where the step sets none."""

    number: int
    kind: str
    status: str
    root: bytes


class Trace(Struct, frozen=True, kw_only=True):
    """A batch by its steps; `before` is the root that BOOT starts from."""

    batch: int
    before: bytes
    steps: tuple[NamedStep, ...]


class WroteLeaf(Struct, frozen=True):
    """A leaf that a step wrote, by name, and the fields that it changed."""

    name: str
    differences: tuple[Difference, ...]


def shown_step(venue: RebuiltVenue, number: int) -> ShownStep:
    """Step `number` of the next batch, with its proof. Halt where the batch has none such."""
    derived = venue.derive()
    state = venue.replayer.state.snapshot()
    try:
        return BatchWalk(state, venue.facts(derived), venue.verifier).show(number)
    except NoSuchStep as error:
        raise Halt(f"NO_SUCH_STEP: {error}") from error


def trace_of(venue: RebuiltVenue) -> Trace:
    """The next batch, root by root."""
    derived = venue.derive()
    state, before = venue.replayer.state.snapshot(), venue.replayer.commitment()
    pairs: list[Pair] = []
    machine = state.machine

    def name(_: Step, changes: Changes) -> None:
        nonlocal machine
        pairs.append(pair_in(derived.batch, machine, changes))
        machine = changes.machine

    roots = trace_batch(state, before, derived.batch, venue.verifier, name)
    return Trace(
        batch=derived.cursor.number,
        before=before.state_root,
        steps=tuple(
            NamedStep(number=number, kind=pair[0], status=status_name(pair), root=root)
            for number, (pair, root) in enumerate(zip(pairs, roots, strict=True), 1)
        ),
    )


def pair_in(batch: Batch, before: Machine, changes: Changes) -> Pair:
    """Kind and status of a step of `batch`."""
    match next_step(before):
        case Step.INBOX:
            item = batch.items[before.inbox - batch.header.inbox_from]
            return pair_of(before, StepInput(item=item), 0, changes)
        case Step.TRANSACTION:
            kind = batch.chunks[before.chunk][before.row].kind
            return pair_of(before, StepInput(), kind, changes)
        case _:
            return pair_of(before, StepInput(), 0, changes)


def pair_shown(shown: ShownStep) -> Pair:
    """Kind and status of a step that was shown."""
    taken = shown.taken
    is_row = next_step(taken.before) == Step.TRANSACTION
    kind = row_at(taken.given.chunk, taken.before.row).kind if is_row else 0
    return pair_of(taken.before, taken.given, kind, taken.changes)


def status_name(pair: Pair) -> str:
    """In words; empty where the step sets none."""
    return "" if pair[1] is None else pair[1].name


def rules_of(pair: Pair) -> tuple[str, ...]:
    """The ids of the rules that decide it."""
    return deciding_rules(pair)


# --- what a step wrote ---


def machine_differences(shown: ShownStep) -> tuple[Difference, ...]:
    """The fields of the machine that the step changed."""
    return differences(shown.taken.before, shown.taken.changes.machine)


def written(shown: ShownStep) -> Iterator[WroteLeaf]:
    """Every leaf that the step wrote, with what it changed in it."""
    # What the step ran over has taken its writes by now; the witness has not.
    changes, before = shown.taken.changes, WitnessState(shown.witness, shown.root_before)
    for name, one, other in _leaves(changes, before):
        yield WroteLeaf(name, differences(one, other))
    if changes.rewind is not None:
        yield WroteLeaf(f"roots: {changes.rewind}", ())


def _leaves(changes: Changes, before: PreState) -> Iterator[tuple[str, Any, Any]]:
    """Name, value before and value after."""
    for number, account in changes.accounts.items():
        held = before.account(number)
        yield f"account {number}", None if held == ABSENT else held, account
    for number, market in changes.markets.items():
        yield f"market {number}", before.market(number), market
    for key, row in changes.rows.items():
        yield f"row {key}", before.row(row.market), row
    for (number, side, key), order in changes.orders.items():
        resting = before.order(number, side, key)
        yield order_name(number, side, key), resting, order
    for withdrawal in changes.withdrawals:
        yield f"withdrawal {withdrawal.index}", None, withdrawal


def order_name(market: int, side: int, key: int) -> str:
    """A resting order by its place."""
    return f"order {key:016x} of market {market}, {('bids', 'asks')[side]}"


# --- claimed traces ---


class FirstDifference(Struct, frozen=True, kw_only=True):
    """The first step whose claimed root is not the one it leads to; None past its end."""

    step: int
    claimed: bytes | None
    executed: bytes


def first_difference(trace: Trace, claimed: Sequence[bytes]) -> FirstDifference | None:
    """Where `claimed` first leaves `trace`; past HALT it may only repeat the last root.

    A claimed trace that ends early differs at its end.
    """
    last = trace.steps[-1]
    for at in range(max(len(trace.steps), len(claimed))):
        expected = trace.steps[at].root if at < len(trace.steps) else last.root
        found = claimed[at] if at < len(claimed) else None
        if found != expected:
            return FirstDifference(step=at + 1, claimed=found, executed=expected)
    return None


def read_trace(path: Path) -> list[bytes]:
    """Roots one a line as hex, or as JSON: a list of them, or what `trace --json` prints.

    ValueError, with the line, where it holds anything else; OSError where it cannot be read.
    """
    text = path.read_bytes().decode("utf-8", "replace")
    if text.lstrip().startswith(("{", "[")):
        words = _words(text, path)
    else:
        words = [line.strip() for line in text.splitlines() if line.strip()]
    roots = [_root(word, at, path) for at, word in enumerate(words, 1)]
    if not 0 < len(roots) <= BATCH_STEPS_MAX:
        raise ValueError(f"{path} holds {len(roots)} roots; expected 1 to {BATCH_STEPS_MAX}")
    return roots


def _words(text: str, path: Path) -> list[str]:
    try:
        found = msgspec.json.decode(text)
        entries = list(found["steps"] if isinstance(found, dict) else found)
        words = [str(entry["root"] if isinstance(entry, dict) else entry) for entry in entries]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} holds no trace ({error}); expected a list of roots, or the JSON of trace"
        ) from error
    for at, entry in enumerate(entries, 1):
        if isinstance(entry, dict) and entry.get("step", at) != at:
            raise ValueError(
                f"entry {at} of {path} is step {entry['step']}; expected every step from 1 on, as "
                "trace prints them without --step"
            )
    return words


def _root(word: str, at: int, path: Path) -> bytes:
    try:
        root = bytes.fromhex(word.removeprefix("0x"))
    except ValueError:
        root = b""
    if len(root) != HASH_BYTES:
        raise ValueError(f"root {at} of {path} is {word[:80]!r}; expected {HASH_BYTES} bytes, hex")
    return root
