"""Disputes as a terminal shows them, and as programs read them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.console import Group
from rich.text import Text

from node.cli.output import Cell, facts, good, short, table
from node.disputes.costs import COUNTED, NOT_COUNTED, Cost
from node.disputes.telling import DisputeFacts, EntryFacts, MatchFacts, ether, shown
from node.proving.readable import plain
from prover.dispute.settlement import (
    Confirm,
    MakeClaim,
    Reject,
    Reopen,
    SettlementMove,
    SettlementStanding,
    VoidBatch,
    Withdraw,
    WithdrawBonds,
)

HASH = re.compile(r"0x[0-9a-f]{64}")

ENTRY = ("entry", "claim", "by", "status")
MATCH = ("match", "one", "two", "to move", ">steps left", ">time left", "status")
COST = ("who", ">transactions", ">about claims", ">gas", ">paid")


class WrongClaim(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A claim that is not what was executed here, and in what it differs."""

    batch: int
    claim: str
    claimant: str
    status: str
    difference: str


class DecidedStep(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The one step that a match came down to: what it is, what it answers, and its rules."""

    step: int
    kind: str
    status: str
    rules: tuple[str, ...]


def plain_facts(value: msgspec.Struct) -> Any:
    """For programs: amounts of wei as strings where they are wide."""
    return plain_numbers(msgspec.to_builtins(value))


def plain_numbers(value: Any) -> Any:
    """`value` with every wide integer as a string."""
    if isinstance(value, dict):
        return {name: plain_numbers(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain_numbers(held) for held in value]
    return plain(value)


def drawn_list(disputes: Sequence[DisputeFacts], wrong: Sequence[WrongClaim]) -> Group:
    """All disputes, and every wrong claim."""
    columns = (">batch", "stage", ">entries", ">open matches", ">time left", "winner")
    parts: list[Any] = [table("Disputes", columns, [_row(one) for one in disputes])]
    if wrong:
        names = (">batch", "claim", "by", "status", "what is wrong with it")
        rows = [
            (str(one.batch), short(one.claim), short(one.claimant), one.status, _brief(one))
            for one in wrong
        ]
        parts.append(table("Wrong claims", names, rows))
    return Group(*parts)


def _brief(wrong: WrongClaim) -> str:
    """In what a claim is wrong, on one line: whole hashes are for programs."""
    return HASH.sub(lambda found: short(found[0]), wrong.difference)


def _row(one: DisputeFacts) -> tuple[Cell, ...]:
    open_matches = sum(match.status == "open" for match in one.matches)
    return (
        str(one.batch),
        one.stage if one.parent_is_right else f"{one.stage}, under a wrong claim",
        str(len(one.entries)),
        str(open_matches),
        seconds(one.seconds_left),
        _winner(one),
    )


def _winner(one: DisputeFacts) -> Cell:
    if not one.winner:
        return "-"
    return good(one.winner_is_right, f"right: {short(one.winner)}", f"WRONG: {short(one.winner)}")


def drawn(one: DisputeFacts, decided: dict[str, DecidedStep]) -> Group:
    """Everything about one dispute."""
    rows: list[tuple[str, Cell]] = [
        ("parent", one.parent),
        ("dispute", one.dispute),
        ("stage", one.stage),
        ("time left", seconds(one.seconds_left)),
        ("winner", _winner(one)),
    ]
    parts: list[Any] = [facts(f"Dispute over batch {one.batch}", rows)]
    if one.entries:
        parts.append(table("Entries", ENTRY, [_entry(entry) for entry in one.entries]))
    if one.matches:
        matches = [_match(match, decided.get(match.match)) for match in one.matches]
        parts.append(table("Matches", MATCH, matches))
    if one.costs:
        parts.append(table("Cost of gas", COST, list(_costs(one.costs))))
        parts += [Text(COUNTED, style="dim"), Text(NOT_COUNTED, style="dim")]
    return Group(*parts)


def _entry(entry: EntryFacts) -> tuple[Cell, ...]:
    claim = good(entry.claim_is_right, f"right {short(entry.claim)}", f"wrong {short(entry.claim)}")
    return (short(entry.entry), claim, short(entry.owner), entry.status)


def _match(match: MatchFacts, decided: DecidedStep | None) -> tuple[Cell, ...]:
    steps = str(match.first_step)
    if match.last_step > match.first_step:
        steps = f"{match.first_step}-{match.last_step}"
    if match.status == "open" and not match.mover:
        mover = "whoever proves the step"
    else:
        mover = short(match.mover) if match.mover else "-"
    status = f"{match.status} {match.how}".strip()
    if decided is not None:
        status += f"\n{step_words(decided)}"
    return (
        short(match.match),
        short(match.one),
        short(match.two),
        mover,
        steps,
        seconds(match.seconds_left),
        status,
    )


def step_words(decided: DecidedStep) -> str:
    """step 9, an ORDER, MARGIN_TOO_LOW: rules ORD-13, ROOM-1"""
    answer = f", {decided.status}" if decided.status else ""
    rules = f": rules {', '.join(decided.rules)}" if decided.rules else ""
    return f"step {decided.step}, {decided.kind}{answer}{rules}"


def _costs(costs: dict[str, Cost]) -> Iterator[tuple[Cell, ...]]:
    for who, cost in costs.items():
        yield (
            short(who),
            str(cost.transactions),
            str(cost.settling),
            f"{cost.gas:,}",
            ether(cost.wei),
        )


def seconds(left: int | None) -> str:
    """1 d 02:03:04"""
    if left is None:
        return "-"
    days, rest = divmod(left, 86_400)
    clock = f"{rest // 3_600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days} d {clock}" if days else clock


def settled_words(standing: SettlementStanding, bond: int, each: SettlementMove) -> str:
    """A move about claims that was made; `bond` is that of a claim, in wei."""
    match each:
        case VoidBatch():
            return f"proved batch {each.number} void by its chunk {each.chunk}"
        case MakeClaim():
            return f"claimed batch {each.batch} rightly under a bond of {ether(bond)}"
        case Confirm():
            return f"confirmed the right claim on batch {each.batch}"
        case Reject():
            return f"rejected the wrong claim {short(shown(each.claim))}"
        case Reopen():
            return "reopened the dispute that nobody had won"
        case Withdraw():
            return f"withdrew {ether(standing.credits)} of credits"
        case WithdrawBonds():
            return f"withdrew {ether(standing.bonds)} of bonds"


def next_words(facts: DisputeFacts, right: str) -> str:
    """What has to happen next, and by when."""
    again = f"tallystick dispute move {facts.batch}"
    match facts.stage:
        case "settled":
            return f"Batch {facts.batch} is settled: the right claim is confirmed."
        case "won" if facts.winner == right:
            return f"The right claim has won. Next: {again}, to confirm it."
        case "won":
            return "A WRONG claim has won: stop the venue."
        case "nobody won":
            return f"Nobody won. Next: {again}, to reopen it."
    return _waiting_words(facts, again, right)


def _waiting_words(facts: DisputeFacts, again: str, right: str) -> str:
    ours = {entry.entry for entry in facts.entries if entry.claim == right}
    playing: Sequence[Any] = [match for match in facts.matches if match.status == "open"]
    for match in playing:
        if not match.mover:
            return f"The match is down to step {match.first_step}. Next: {again}, to prove it."
        if match.mover not in ours:
            left = seconds(match.seconds_left)
            return f"The other side has {left} left for its move. Then: {again}."
    if playing:
        return f"It is the right side's turn. Next: {again}."
    return f"Entries are taken for another {seconds(facts.seconds_left)}. Then: {again}."
