"""One key against wrong claims: what it sees of all disputes, and the moves it makes in them.

Nothing is remembered between two looks but what is dear to compute, so a restart or a
reorganisation of L1 changes nothing.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from msgspec import Struct

from contracts import dispute_views, views
from node.clock import Clock
from node.disputes.claims import (
    check_confirmed,
    malformed_batches,
    right_contests,
    settlement_calldata,
    settlement_standing,
)
from node.disputes.player import Played, Player, money_calldata, sent
from node.disputes.reading import DisputeReader, Seen
from node.disputes.traces import Traces
from node.errors import L1Error, Retry
from node.followed import Followed
from node.follower import FollowerService
from node.l1.answers import L1Block
from node.l1.sender import Sending, TransactionSender
from node.rollup_events import BatchPosted, Contested
from prover.dispute.moves import Collect, Defence, Move, Redeem, next_moves
from prover.dispute.settlement import (
    MakeClaim,
    SettlementMove,
    SettlementStanding,
    Withdraw,
    next_settlement_moves,
)
from prover.dispute.terms import honest_gas
from prover.dispute.trace_tree import TraceTree
from state.crypto import ZERO_HASH

NOBODY = Defence(claim=ZERO_HASH, tree=TraceTree([ZERO_HASH]))
"""Of a trace that nobody enters."""

WITHDRAW_GAS = 50_000

AnyMove = TypeVar("AnyMove", Move, SettlementMove)


class Look(Struct, frozen=True, kw_only=True):
    """All that there is to decide by, at one block of L1; `now` is L1's time by our clock.

    `seen` has the disputes that can be played: those under right claims. `malformed` are the void
    batches that L1 would still execute; `balance` is in wei. `trouble` names what could not be
    read.
    """

    block: L1Block
    now: int
    followed: Followed
    seen: tuple[Seen, ...]
    malformed: tuple[BatchPosted, ...]
    settlement: SettlementStanding
    balance: int
    trouble: tuple[str, ...] = ()

    def due(self, moves_at: Callable[[int], list[AnyMove]]) -> list[AnyMove]:
        """What is in time goes by L1's last block, what is late by our clock too: one that runs
        ahead must not keep us from a move that L1 would still take.
        """
        found = moves_at(self.block.timestamp)
        return found + [move for move in moves_at(self.now) if move not in found]

    def settling(self) -> list[SettlementMove]:
        """What is to be done about claims now, most urgent first."""
        return self.due(partial(next_settlement_moves, self.settlement))

    def is_playable(self, seen: Seen) -> bool:
        """Whether L1 takes the steps of its batch as we do."""
        return all(event.number != seen.contest.batch for event in self.malformed)


class Challenge:
    """Looks and moves for the key of `private_key`, by what `follower` has executed."""

    def __init__(
        self,
        follower: FollowerService,
        private_key: bytes,
        clock: Clock,
        sending: Sending | None = None,
    ) -> None:
        self.follower = follower
        self.traces = Traces(follower)
        self._clock = clock
        self._private_key = private_key
        self._sending = sending
        self._sender: TransactionSender | None = None
        self._reader: DisputeReader | None = None
        self._over: set[tuple[bytes, int]] = set()
        self._last_block: L1Block | None = None

    async def reader(self) -> DisputeReader:
        """The contract of disputes. Halt where the rollup has none."""
        if self._reader is None:
            self._reader = await DisputeReader.of(self.follower.reader)
        return self._reader

    def sender(self, followed: Followed) -> TransactionSender:
        """Our key on L1."""
        if self._sender is None:
            self._sender = TransactionSender(
                self.follower.client,
                self._private_key,
                self._clock,
                chain_id=followed.terms.chain_id,
                sending=self._sending,
            )
        return self._sender

    # --- seeing ---

    async def look(self, followed: Followed) -> Look:
        """What stands now. Halt where L1 confirmed a wrong claim; Retry where it moved away."""
        reader, me = await self.reader(), self.sender(followed).address
        head = await self.follower.reader.read(views.CONFIRMED_HEAD)
        if head.batch <= followed.number:
            check_confirmed(followed, head.batch, head.claim)
        await self._forget_what_is_taken_back()
        block = self._last_block = await self.follower.reader.block("latest")
        seen, trouble = [], []
        for contest in self._playable(followed):
            try:
                seen.append(await reader.see(contest, me, block))
            except (Retry, L1Error) as error:
                trouble.append(failed(contest, error))
        malformed = tuple(malformed_batches(self.follower, followed))
        settlement = settlement_standing(
            followed,
            seen,
            malformed,
            credited=_worth_sending(await reader.read(dispute_views.CREDITS, me), block),
            bonds=_worth_sending(await self.follower.reader.read(views.CLAIM_BONDS, me), block),
        )
        return Look(
            block=block,
            # L1's next block is later than its last; the estimate of gas tells if it is too early.
            now=max(block.timestamp, int(self._clock.now())),
            followed=followed,
            seen=tuple(seen),
            malformed=malformed,
            settlement=settlement,
            balance=await self.follower.client.balance(me),
            trouble=tuple(trouble),
        )

    async def _forget_what_is_taken_back(self) -> None:
        """What is over where L1 reorganised since the last look may be so no more."""
        last = self._last_block
        if last is not None and self._over:
            there = await self.follower.client.block(last.number)
            if there is None or there.hash != last.hash:
                self._over.clear()

    def _playable(self, followed: Followed) -> list[Contested]:
        """Contests under right claims but for those in which nothing was left to do."""
        found = right_contests(followed)
        return [contest for contest in found if _name(contest) not in self._over]

    async def moves(self, look: Look, seen: Seen) -> list[Move]:
        """What is to be done in one dispute now, most urgent first."""
        if seen.contest.batch <= look.followed.confirmed:
            # It is decided: no trace is needed for what is left, which is money.
            left = next_moves(seen.standing, NOBODY, look.now)
            found: list[Move] = [move for move in left if isinstance(move, Collect | Redeem)]
            if not found:
                self._over.add(_name(seen.contest))
            return found
        if not look.is_playable(seen):
            return []
        player = await self._player(look, seen)
        return look.due(partial(player.moves, seen.standing))

    async def needed(self, look: Look) -> int:
        """Wei for a claim, an entry and the moves of a match, at what gas costs now."""
        terms = (await self.reader()).terms
        bonds = look.followed.terms.parameters.claim_bond + terms.entry_bond
        return bonds + honest_gas(terms, 2) * (await self.follower.client.fees()).max_fee

    # --- moving ---

    async def play(self, look: Look, seen: Seen, move: Move) -> Played:
        """Make a move in a dispute. L1Error where L1 does not take it, as without money."""
        if isinstance(move, Collect | Redeem):
            address = (await self.reader()).address
            return await sent(self.sender(look.followed), move, address, money_calldata(move))
        return await (await self._player(look, seen)).perform(seen.standing, move)

    async def settle(self, look: Look, move: SettlementMove) -> Played:
        """Make a move about claims. L1Error where L1 does not take it, as without money."""
        followed = look.followed
        data = settlement_calldata(followed, look.malformed, move)
        is_of_disputes = isinstance(move, Withdraw)
        to = (await self.reader()).address if is_of_disputes else followed.terms.rollup
        value = followed.terms.parameters.claim_bond if isinstance(move, MakeClaim) else 0
        return await sent(self.sender(followed), move, to, data, value)

    async def _player(self, look: Look, seen: Seen) -> Player:
        number = seen.contest.batch
        return Player(
            self.sender(look.followed),
            (await self.reader()).address,
            await self.traces.trace(number),
            lambda step: self.traces.step(number, step),
        )


def _worth_sending(wei: int, block: L1Block) -> int:
    """`wei`, or nothing while it would cost more to have it sent."""
    return wei if wei > WITHDRAW_GAS * block.base_fee else 0


def failed(contest: Contested, error: Exception) -> str:
    """One dispute's trouble, which holds no other one back."""
    return (
        f"CHALLENGE_FAILED: the dispute over batch {contest.batch} since {contest.time}: {error}; "
        "it is tried again"
    )


def _name(contest: Contested) -> tuple[bytes, int]:
    return contest.parent, contest.time
