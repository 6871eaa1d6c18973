"""Block trades held against their contract, step by step."""

from typing import Any

from block_world import block, signed
from builders import listing
from step_contracts import Case, RecordedVenue, Rules

from state.legs import Leg
from state.machine import Phase
from state.status import Status
from state.steps import Step
from state.transactions import BlockTrade
from state.transactions.kinds import Kind

PHASE = 20, 0
"""Where a case's machine has the phase of what is in progress."""


def block_venue(dollars: int = 10_000, **options: Any) -> RecordedVenue:
    """Alice and bob, with as many dollars each, and four markets."""
    markets = tuple(listing(number, symbol=b"M%d-USD-PERP" % number) for number in range(4))
    venue = RecordedVenue(markets=options.pop("markets", markets), **options)
    for name in ("alice", "bob"):
        venue.open(name, dollars)
    return venue


def is_block(case: Case) -> bool:
    """Whether the step is one that this contract takes."""
    if case.step == Step.TRANSACTION:
        return case.given[0] == Kind.BLOCK_TRADE
    return case.step == Step.ORDER and case.machine[PHASE[0]][PHASE[1]] == Phase.LEG


def outcome(blocks: Rules, venue: RecordedVenue, tx: BlockTrade, signature: bytes) -> Status:
    """How the trade ended, each of its steps held against the contract."""
    first = len(venue.cases)
    status = venue.run(tx, signature).status
    for case in filter(is_block, venue.cases[first:]):
        blocks.check(case)
    return status


def traded(blocks: Rules, venue: RecordedVenue, *legs: Leg, **changed: Any) -> Status:
    """Agreed on and signed by alice and bob."""
    tx = block(venue, *legs, **changed)
    return outcome(blocks, venue, tx, signed(tx))
