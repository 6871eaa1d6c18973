"""What L1 shows of disputes: everything is read at one block and nothing is remembered."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from contracts import dispute_events, dispute_views, events, views
from contracts.abi import UnexpectedAnswer, View
from contracts.dispute_events import (
    AdvancedLog,
    DisputeLog,
    EndedLog,
    EnteredLog,
    MatchedLog,
    PublishedLog,
)
from contracts.dispute_views import DisputeResult, ResultStatus
from contracts.events import ContestedLog
from contracts.views import ClaimStatus
from node.errors import Halt, L1Error, Retry
from node.l1.answers import L1Block, L1Log
from node.l1.client import L1Client, Topics
from node.rollup import RollupReader
from node.rollup_events import Contested
from prover.dispute.moves import Entered, Standing
from prover.dispute.terms import DisputeTerms
from prover.dispute.views import (
    DisputeView,
    EntryStatus,
    EntryView,
    MatchStatus,
    MatchView,
    dispute_id,
)
from state.crypto import ZERO_ADDRESS, ZERO_HASH

HASH_BYTES = 32
OF_A_DISPUTE = [
    event.topic
    for event in (
        dispute_events.ENTERED,
        dispute_events.PUBLISHED,
        dispute_events.MATCHED,
        dispute_events.ENDED,
        dispute_events.LOST,
    )
]
AT_ONCE = 200
"""Questions, or topics of one: an L1 takes some hundred, and has to answer them in time."""

WINNING_SIDE = {dispute_views.MatchStatus.ONE_WON: 1, dispute_views.MatchStatus.TWO_WON: 2}
T = TypeVar("T")


class DisputeEvent(Struct, frozen=True, kw_only=True):
    """A log of the contract of disputes, and where on L1 it is."""

    log: DisputeLog
    block: int
    transaction: bytes


class Seen(Struct, frozen=True, kw_only=True):
    """One dispute at one block of L1: what stands, what it has come to, and how it came there."""

    contest: Contested
    standing: Standing
    result: DisputeResult
    events: tuple[DisputeEvent, ...]
    block: L1Block


class DisputeReader:
    """The contract of disputes of one rollup."""

    def __init__(self, rollup: RollupReader, address: bytes, terms: DisputeTerms) -> None:
        self.rollup = rollup
        self.client: L1Client = rollup.client
        self.address = address
        self.terms = terms

    @classmethod
    async def of(cls, rollup: RollupReader) -> Self:
        """Halt where the rollup names no contract of disputes."""
        address = await rollup.read(views.DISPUTES)
        if address == ZERO_ADDRESS:
            raise Halt(
                f"NO_DISPUTES: the rollup 0x{rollup.address.hex()} names no contract that decides "
                "between claims, as where they are proven; name one that was deployed with it"
            )
        terms = DisputeTerms(**asdict(await rollup.dispute_parameters(address)))
        return cls(rollup, address, terms)

    async def read(self, view: View[T], *values: Any, block: bytes | str = "latest") -> T:
        """The answer of a view of the contract. Retry where L1 lost the block meanwhile."""
        try:
            return view.answer(
                await self.client.call(self.address, view.call(*values), block=block)
            )
        except (L1Error, UnexpectedAnswer) as error:
            if isinstance(block, bytes):
                raise Retry(f"L1 does not show block 0x{block.hex()}: {error}") from error
            raise

    async def see(self, contest: Contested, me: bytes, block: L1Block) -> Seen:
        """The dispute over a parent that is contested since `contest`, as it stands in `block`.

        Retry where L1 took the block back while it was read.
        """
        dispute = dispute_id(contest.parent, contest.time)
        logged = await self._events(dispute, contest.block, block.number)
        result = await self.read(
            dispute_views.RESULT, contest.parent, contest.time, block=block.hash
        )
        standing = await self._standing(contest, dispute, logged, me, block)
        standing = replace(standing, confirmed=await self._confirmed(result, block))
        if (await self.rollup.block(block.number)).hash != block.hash:
            raise Retry(f"L1 reorganised around block {block.number} while it was read")
        return Seen(
            contest=contest, standing=standing, result=result, events=tuple(logged), block=block
        )

    async def _standing(
        self,
        contest: Contested,
        dispute: bytes,
        logged: Sequence[DisputeEvent],
        me: bytes,
        block: L1Block,
    ) -> Standing:
        logs = [event.log for event in logged]
        entered = {log.entry: _entered(log) for log in logs if isinstance(log, EnteredLog)}
        paired = [log.match for log in logs if isinstance(log, MatchedLog)]
        record, entries, matches = await asyncio.gather(
            self.read(dispute_views.DISPUTE, dispute, block=block.hash),
            self._all(dispute_views.ENTRY, entered, block),
            self._all(dispute_views.MATCH_OF, paired, block),
        )
        return Standing(
            terms=self.terms,
            parent=contest.parent,
            contested_at=contest.time,
            dispute_id=dispute,
            dispute=DisputeView(**asdict(record)),
            entries={name: _entry(found) for name, found in entries.items()},
            matches={name: _match(found) for name, found in matches.items()},
            entered=entered,
            published={
                log.entry: _leaves(log.leaves) for log in logs if isinstance(log, PublishedLog)
            },
            earned=await self._earned(logs, me, block),
            me=me,
        )

    async def _confirmed(self, result: DisputeResult, block: L1Block) -> bytes:
        """The winner's claim once it has confirmed: no other child of the parent ever does."""
        if result.status != ResultStatus.WON:
            return ZERO_HASH
        record = await self.rollup.read(views.CLAIM_RECORD, result.claim, block=block.hash)
        return result.claim if record.status == ClaimStatus.CONFIRMED else ZERO_HASH

    async def _all(self, view: View[T], names: Iterable[bytes], block: L1Block) -> dict[bytes, T]:
        found: dict[bytes, T] = {}
        for asked in _groups(names):
            read = (self.read(view, name, block=block.hash) for name in asked)
            found |= zip(asked, await asyncio.gather(*read), strict=True)
        return found

    async def _earned(
        self, logs: Sequence[DisputeLog], me: bytes, block: L1Block
    ) -> dict[bytes, int]:
        """What `me` has earned by moving for the winners of matches, and not collected."""
        sides = {
            log.match: WINNING_SIDE[log.status]
            for log in logs
            if isinstance(log, EndedLog) and log.status in WINNING_SIDE
        }
        moved = {
            (log.match, log.side)
            for log in logs
            if isinstance(log, AdvancedLog) and log.mover == me
        }
        earned: dict[bytes, int] = {}
        for asked in _groups(one for one in sides.items() if one in moved):
            read = (self.read(dispute_views.EARNED, *one, me, block=block.hash) for one in asked)
            for (match, _), wei in zip(asked, await asyncio.gather(*read), strict=True):
                if wei:
                    earned[match] = wei
        return earned

    async def _events(self, dispute: bytes, first: int, last: int) -> list[DisputeEvent]:
        """All of a dispute in L1's order, with the moves of its matches."""
        found = await self._logs([OF_A_DISPUTE, dispute], first, last)
        logs = [_decoded(log) for log in found]
        matches = [log.match for log in logs if isinstance(log, MatchedLog)]
        for asked in _groups(matches):
            found += await self._logs([dispute_events.ADVANCED.topic, asked], first, last)
        found.sort(key=lambda log: (log.block_number, log.log_index))
        return [
            DisputeEvent(
                log=_decoded(log), block=log.block_number, transaction=log.transaction_hash
            )
            for log in found
        ]

    async def _logs(self, topics: Topics, first: int, last: int) -> list[L1Log]:
        return await self.client.logs(address=self.address, topics=topics, first=first, last=last)


async def contests(rollup: RollupReader, first: int, block: L1Block) -> list[Contested]:
    """The last contest of every parent that ever had rivals, from block `first` on."""
    topics = [events.CONTESTED.topic]
    logs = await rollup.client.logs(
        address=rollup.address, topics=topics, first=first, last=block.number
    )
    found: dict[bytes, Contested] = {}
    for log in sorted(logs, key=lambda log: (log.block_number, log.log_index)):
        decoded = events.decode_log(log.topics, log.data)
        if not isinstance(decoded, ContestedLog):
            raise Retry("L1 sent a log that was not asked for")
        found[decoded.parent] = Contested(
            batch=decoded.batch,
            parent=decoded.parent,
            time=decoded.time,
            block=log.block_number,
            log_index=log.log_index,
            transaction=log.transaction_hash,
        )
    return list(found.values())


async def standings(reader: DisputeReader, me: bytes) -> list[Standing]:
    """What stands of every contested parent, at L1's last block; settled ones included."""
    block = await reader.rollup.block("latest")
    first = await reader.rollup.read(views.DEPLOYED_AT)
    found = await contests(reader.rollup, first, block)
    return [(await reader.see(contest, me, block)).standing for contest in found]


def _groups(asked: Iterable[T]) -> Iterator[list[T]]:
    left = list(asked)
    for at in range(0, len(left), AT_ONCE):
        yield left[at : at + AT_ONCE]


def _decoded(log: L1Log) -> DisputeLog:
    try:
        found = dispute_events.decode_log(log.topics, log.data)
    except UnexpectedAnswer as error:
        raise Retry(f"L1 sent a log that no dispute can have made: {error}") from error
    if found is None:
        raise Retry("L1 sent a log that was not asked for")
    return found


def _entered(log: EnteredLog) -> Entered:
    return Entered(
        entry=log.entry,
        claim=log.claim,
        trace_root=log.trace_root,
        owner=log.owner,
        left=log.left,
        right=log.right,
        first=log.first,
        first_branch=log.first_branch,
    )


def _entry(record: dispute_views.EntryRecord) -> EntryView:
    return EntryView(**asdict(record) | {"status": EntryStatus(record.status)})


def _match(record: dispute_views.MatchRecord) -> MatchView:
    return MatchView(**asdict(record) | {"status": MatchStatus(record.status)})


def _leaves(packed: bytes) -> list[bytes]:
    return [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]
