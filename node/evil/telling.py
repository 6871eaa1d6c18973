"""A dispute in words, as L1's logs tell it: who moves, what is left, what L1 decides."""

from collections.abc import Sequence

from msgspec import Struct

from contracts.dispute_events import (
    AdvancedLog,
    CreditedLog,
    DisputeLog,
    EndedLog,
    EnteredLog,
    How,
    LostLog,
    MatchedLog,
    Why,
)
from contracts.dispute_views import MatchStatus
from node.disputes.telling import ether
from node.l1.accounts import dev_accounts
from node.proving.steps import NamedStep

SHOWN_HEX = 10

WHY = {
    Why.SETTLED: "for the proof",
    Why.TIMED_OUT: "for ending a match that was late",
    Why.REFUTED: "for the refutation",
    Why.MOVES: "for its moves",
    Why.BOND: "the bond of the entry that won",
    Why.REJECTED: "for rejecting a wrong claim",
    Why.ENTERED: "for its claim and its entry",
    Why.INSURANCE: "what is left of a liar's bond, for the insurance fund",
}


class Left(Struct, frozen=True):
    """The steps of a batch among which the first wrong one is, from 1, both included."""

    first: int
    last: int


def left_at(height: int, index: int) -> Left:
    """The steps under the `index`-th node of a trace tree at this height above its leaves."""
    return Left((index << height) + 1, (index + 1) << height)


def name_of(address: bytes) -> str:
    """Who that is on a devnet; the address of anybody else."""
    for account in dev_accounts():
        if account.address == address:
            return account.name
    return short(address)


def short(data: bytes) -> str:
    """The beginning of a hash or an address."""
    return f"0x{data.hex()[:SHOWN_HEX]}"


def range_words(left: Left, steps: int) -> str:
    """What is left of a batch of `steps`; behind its last one nothing happens any more."""
    if left.first > steps:
        return "what is left is behind the last step"
    last = min(left.last, steps)
    return f"step {last} is left" if left.first == last else f"steps {left.first}-{last} are left"


def step_words(step: NamedStep, rules: Sequence[str]) -> str:
    """A step, what the rules make of it, and which rules those are."""
    status = f", {step.status.lower().replace('_', ' ')}" if step.status else ""
    return f"step {step.number}: {step.kind}{status}; decided by {', '.join(rules)}"


def words(log: DisputeLog, steps: int, owners: dict[bytes, str]) -> str:
    """A line about a log; empty where there is nothing to say. `owners` are those of entries."""
    match log:
        case EnteredLog():
            return f"{name_of(log.owner)} enters the trace {short(log.trace_root)} under bond"
        case MatchedLog():
            one, two = owners.get(log.one, "somebody"), owners.get(log.two, "somebody")
            return f"{two}'s trace is held against {one}'s, {steps} steps"
        case AdvancedLog():
            return _move_words(log, steps)
        case EndedLog():
            return _end_words(log)
        case LostLog():
            return f"{owners.get(log.entry, 'somebody')}'s entry is out"
        case CreditedLog():
            return f"{name_of(log.account)} is credited {ether(log.amount)} {WHY[log.why]}"
    return ""


def _move_words(log: AdvancedLog, steps: int) -> str:
    left = range_words(left_at(log.height, log.index), steps)
    return f"{name_of(log.mover)} moves: {left}"


def _end_words(log: EndedLog) -> str:
    caller = name_of(log.caller)
    if log.status == MatchStatus.BOTH_LOST:
        return f"both sides lose ({caller} says so)"
    match log.how:
        case How.STEP:
            return f"{caller} has L1 take that step itself"
        case How.TIME:
            return f"{caller} ends the match: the other side's time is over"
        case How.REFUTED:
            return f"{caller} refutes a step of the other trace outright"
