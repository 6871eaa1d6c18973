"""All that happened to a rollup, read off L1 once and kept nowhere."""

from collections.abc import Callable

from msgspec import Struct

from node.errors import Halt
from node.rollup import Counts, RollupReader, RollupTerms
from node.rollup_events import BatchPosted, Claimed, Confirmed, ItemAdded, RollupEvent
from node.scanner import L1Scanner

Progress = Callable[[int], None]
"""Hears up to which block L1 was read."""


class RollupHistory(Struct, frozen=True, kw_only=True):
    """The events of a rollup, by what they are; batch n is `batches[n - 1]`."""

    terms: RollupTerms
    items: tuple[ItemAdded, ...]
    batches: tuple[BatchPosted, ...]
    claims: tuple[Claimed, ...]
    confirmed: frozenset[bytes]


async def read_history(reader: RollupReader, progress: Progress | None = None) -> RollupHistory:
    """Everything up to L1's head. Halt where its logs lack something that the contract counts."""
    terms = await reader.deployment()
    scanner = L1Scanner(reader, first=terms.deployed_at)
    events: list[RollupEvent] = []
    while True:
        scan = await scanner.poll()
        if scan.rewound_to is not None:
            events = [event for event in events if event.block <= scan.rewound_to]
            continue
        events += scan.events
        if progress is not None:
            progress(scanner.scanned)
        if scan.is_caught_up:
            break
    history = _sorted(terms, events)
    await _check_counts(reader, history, scanner)
    return history


def _sorted(terms: RollupTerms, events: list[RollupEvent]) -> RollupHistory:
    return RollupHistory(
        terms=terms,
        items=tuple(event for event in events if isinstance(event, ItemAdded)),
        batches=tuple(event for event in events if isinstance(event, BatchPosted)),
        claims=tuple(event for event in events if isinstance(event, Claimed)),
        confirmed=frozenset(event.claim for event in events if isinstance(event, Confirmed)),
    )


async def _check_counts(reader: RollupReader, history: RollupHistory, scanner: L1Scanner) -> None:
    if not scanner.marks:
        return
    counts = await reader.counts(scanner.marks[-1].hash)
    if counts is None:
        return
    told = Counts(
        items=len(history.items), batches=len(history.batches), confirmed=counts.confirmed
    )
    if missing := counts.difference(told):
        raise Halt(f"LOGS_MISSING: {missing}; name an L1 endpoint that keeps all its logs")
