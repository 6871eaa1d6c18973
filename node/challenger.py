"""The challenger: finds wrong claims, and has them lose on L1, one step against another."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from contracts.dispute_views import ResultStatus
from node.acting import ActingService, CheckChain, any_chain
from node.clock import Clock
from node.database import OpenDatabase, open_leveldb
from node.disputes.challenge import Challenge, Look, failed
from node.disputes.costs import Cost, CostReader
from node.disputes.course import course
from node.disputes.player import Played
from node.disputes.reading import Seen
from node.errors import L1Error, Retry
from node.follower import FollowerConfig
from node.l1.client import L1Client
from node.l1.sender import Sending
from prover.dispute.moves import Move
from prover.dispute.settlement import (
    MakeClaim,
    SettlementMove,
    VoidBatch,
)
from prover.dispute.views import MatchStatus

log = structlog.get_logger(__name__)

# What is heard where another one was faster, or L1's clock is behind ours.
BEATEN = frozenset(
    {
        "claims: already claimed",
        "claims: not a pending claim",
        "claims: not without a winner",
        "claims: no bond to withdraw",
        "claims: window is open",
        "malformed: batch is void already",
        "entries: entered already",
        "matches: sealed already",
        "matches: not an open match",
        "matches: not the children of the mover's node",
        "matches: nothing to collect",
        "matches: turn is not over",
        "disputes: entry is not alive",
        "disputes: entry is not waiting",
    }
)


@dataclass(frozen=True, slots=True)
class ChallengerConfig:
    """`sending` says how long a move may wait to be mined before more is paid for it."""

    follower: FollowerConfig
    private_key: bytes = field(repr=False)
    sending: Sending = field(default_factory=lambda: Sending(stuck_after=30.0))


class ChallengerService(ActingService):
    """Executes every batch itself and stands up for nothing else. Nothing is remembered between
    runs: what to do next is read off L1, and what was done already, L1 refuses.
    """

    called = "the challenger"

    def __init__(
        self,
        config: ChallengerConfig,
        clock: Clock,
        *,
        client: L1Client | None = None,
        open_database: OpenDatabase = open_leveldb,
        check_chain: CheckChain = any_chain,
    ) -> None:
        super().__init__(
            config.follower,
            clock,
            client=client,
            open_database=open_database,
            check_chain=check_chain,
        )
        self.config = config
        self.challenge = Challenge(self.follower, config.private_key, clock, config.sending)
        self.last_look: Look | None = None
        self.costs: dict[bytes, Cost] = {}
        """What we have paid in each dispute that is not over, by its id."""
        self._cost_reader = CostReader(self.follower.client)

    async def act(self) -> bool:
        """Make what moves there are; whether one was made. Halt where a wrong claim confirmed."""
        followed = self.follower.followed
        if followed is None:
            return False
        look = self.last_look = await self.challenge.look(followed)
        turn = _Turn([*look.trouble, *await self._poverty(look), *_too_late(look)])
        settling = look.settling()
        urgent = [each for each in settling if isinstance(each, VoidBatch | MakeClaim)]
        for first in urgent:
            await turn.make(first, partial(self.challenge.settle, look, first))
        for seen in sorted(look.seen, key=partial(_time_ends, look)):
            await self._play(turn, look, seen)
        for move in settling:
            if move not in urgent:
                await turn.make(move, partial(self.challenge.settle, look, move))
        turn.trouble += await self._count(look)
        self._tell(turn.trouble)
        return turn.has_moved

    def _failure(self, error: Exception) -> str:
        return f"CHALLENGE_FAILED: {error}; it is tried again"

    async def _play(self, turn: "_Turn", look: Look, seen: Seen) -> None:
        """Every move that is due in one dispute; its trouble is no other one's."""
        try:
            moves = await self.challenge.moves(look, seen)
        except (Retry, L1Error) as error:
            turn.trouble.append(failed(seen.contest, error))
            return
        for move in moves:
            await turn.make(move, partial(self.challenge.play, look, seen, move))

    async def _count(self, look: Look) -> list[str]:
        """What the disputes that are under way have cost us up to this look. It comes behind all
        moves, and that it cannot be told is only said.
        """
        me = self.challenge.sender(look.followed).address
        costs: dict[bytes, Cost] = {}
        try:
            for seen in look.seen:
                calls = course(seen, look.followed)
                costs[seen.standing.dispute_id] = await self._cost_reader.cost(calls, me)
        except (Retry, L1Error) as error:
            return [f"COST_UNKNOWN: {error}; moves are made all the same"]
        self.costs = costs
        return []

    async def _poverty(self, look: Look) -> list[str]:
        """What our key lacks to play a dispute through."""
        needed = await self.challenge.needed(look)
        if look.balance >= needed:
            return []
        address = self.challenge.sender(look.followed).address.hex()
        return [
            f"BALANCE_LOW: 0x{address} has {look.balance} wei, and a dispute may take {needed}: a "
            f"claim's bond, an entry's, and gas; send it {needed - look.balance} wei more"
        ]


def _time_ends(look: Look, seen: Seen) -> tuple[bool, int]:
    """When the next turn of a dispute ends, or its entries; what is settled can wait."""
    standing = seen.standing
    turns = [
        standing.turn_ends_at(one)
        for one in standing.matches.values()
        if one.status == MatchStatus.OPEN
    ]
    entries = [standing.ends_at] if look.block.timestamp <= standing.ends_at else []
    return seen.contest.batch <= look.followed.confirmed, min([*turns, *entries], default=0)


def _too_late(look: Look) -> list[str]:
    """What no move of ours can change any more."""
    told = []
    window = look.settlement.claim_window
    for right in look.settlement.right:
        is_open = right.takes_rivals(look.block.timestamp, window)
        if right.claimed_at is None and right.rivals and not is_open:
            claims, unless = (
                ("several claims, none of them right", " unless all of them lose")
                if right.contested_at
                else ("one claim, which is wrong", "")
            )
            told.append(
                f"CLAIM_TOO_LATE: batch {right.batch} has {claims}, and L1 takes no other{unless}; "
                "have a challenger running at all times"
            )
    for seen in look.seen:
        right_claim = look.followed.claim_on(seen.contest.batch)
        if seen.result.status == ResultStatus.WON and seen.result.claim != right_claim:
            told.append(
                f"WRONG_CLAIM_WON: claim 0x{seen.result.claim.hex()} on batch "
                f"{seen.contest.batch} has won its dispute, is wrong, and will be confirmed: stop "
                "the venue; somebody has to play for the right one before the entries end"
            )
    return told


class _Turn:
    """The moves of one look, and what went wrong with them."""

    def __init__(self, trouble: list[str]) -> None:
        self.trouble = trouble
        self.has_moved = False

    async def make(
        self, move: Move | SettlementMove, making: Callable[[], Awaitable[Played]]
    ) -> None:
        """Make a move; that L1 does not take one is no reason to leave the next."""
        name = type(move).__name__
        try:
            played = await making()
        except (Retry, L1Error) as error:
            self.trouble.append(f"MOVE_NOT_TAKEN: {name}: {error}; it is tried again")
            return
        if not played.refusal:
            self.has_moved = True
            log.info("moved", move=name, gas=played.gas, wei=played.wei)
        elif played.refusal not in BEATEN:
            self.trouble.append(
                f"MOVE_REFUSED: L1 refused {name}: {played.refusal}; what stands there is read "
                "again, and the next move follows from it"
            )
