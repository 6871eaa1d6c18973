"""Moves in a dispute made by hand: what was due, what came of it, and what is next."""

from collections.abc import Awaitable

import click
import msgspec

from node.challenger import BEATEN
from node.cli.dispute_words import (
    drawn,
    next_words,
    plain_facts,
    settled_words,
    step_words,
)
from node.cli.disputing import Looking, catch_up
from node.cli.failures import Failure
from node.cli.output import console, print_json
from node.cli.signer import Signer
from node.disputes.challenge import Challenge, Look
from node.disputes.player import Played
from node.disputes.reading import Seen
from node.disputes.telling import DisputeFacts, ether, shown, steps_left
from node.errors import L1Error
from node.followed import Followed
from node.follower import FollowerService
from prover.dispute.moves import Advance, Collect, Enter, Move, Redeem, Refute, Settle, TimeOut
from prover.dispute.settlement import (
    Confirm,
    MakeClaim,
    SettlementMove,
    VoidBatch,
)

ROUNDS_MAX = 10


class MadeMove(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A move that was made by hand, in words too."""

    move: str
    words: str
    transaction: str
    gas: int
    wei: int


class Hand:
    """Moves made by hand in the dispute over one batch, and what stands behind them."""

    def __init__(self, follower: FollowerService, key: Signer, batch: int) -> None:
        self.follower, self.key, self.batch = follower, key, batch
        self.challenge = Challenge(follower, key.private_key, follower.clock)
        self.looking = Looking(follower, self.challenge.traces)
        self.made: list[MadeMove] = []
        self.facts: DisputeFacts | None = None
        self.next = ""

    @property
    def followed(self) -> Followed:
        return self.looking.followed

    async def check(self) -> None:
        """Failure where there is nothing to dispute, or where it must not be done here."""
        self.key.check_chain(await self.follower.client.chain_id())
        followed, batch = self.followed, self.batch
        self.looking.check_posted(batch)
        wrong = [claim for claim in followed.wrong_claims if claim.batch == batch]
        if not wrong and not any(one.batch == batch for one in followed.contests):
            raise Failure(f"NOTHING_WRONG: no claim on batch {batch} is wrong")
        parent = followed.claim_on(batch - 1)
        if wrong and followed.fallen().issuperset(claim.claim for claim in wrong):
            raise Failure(
                f"WRONG_PARENT: the wrong claims on batch {batch} descend from a claim that has "
                "lost, and fall with it: nothing is to be done"
            )
        if wrong and all(claim.parent != parent for claim in wrong):
            raise Failure(
                f"WRONG_PARENT: the wrong claims on batch {batch} descend from a wrong claim on "
                f"batch {batch - 1}, and fall with it: tallystick dispute open {batch - 1}"
            )

    # --- opening ---

    async def open(self) -> None:
        """Void, claim, enter; each only where nobody has."""
        look = await self._look()
        for each in look.settling():
            if isinstance(each, VoidBatch | MakeClaim) and _batch(each) == self.batch:
                await self._settle(look, each)
        look = await self._look()
        seen = self._seen(look)
        if seen is None:
            self._refuse_late(look)
        else:
            for due in await self.challenge.moves(look, seen):
                if isinstance(due, Enter):
                    await self._play(look, seen, due)

    def _refuse_late(self, look: Look) -> None:
        """Failure: nobody claimed rightly, and it is too late to."""
        if self.batch <= look.followed.confirmed:
            raise Failure(f"SETTLED: the right claim on batch {self.batch} is confirmed")
        raise Failure(
            f"NOT_CONTESTED: batch {self.batch} has one claim, and L1 takes no other: look at "
            "tallystick dispute list"
        )

    # --- moving ---

    async def move(self) -> None:
        """Every move that is due now, and what becomes due by it, as a bond does to be sent."""
        for _ in range(ROUNDS_MAX):
            made = len(self.made)
            await self._round()
            if len(self.made) == made:
                return

    async def _round(self) -> None:
        """Every move that is due now, in the dispute and about its claims."""
        look = await self._look()
        settling = look.settling()
        for each in settling:
            if isinstance(each, VoidBatch) and each.number == self.batch:
                await self._settle(look, each)
                look = await self._look()
        for seen in look.seen:
            if seen.contest.batch == self.batch:
                for due in await self.challenge.moves(look, seen):
                    await self._play(look, seen, due)
        for each in settling:
            if not isinstance(each, VoidBatch | MakeClaim):
                await self._settle(look, each)

    async def _look(self) -> Look:
        await catch_up(self.follower)
        return await self.challenge.look(self.followed)

    def _seen(self, look: Look) -> Seen | None:
        """The last contest of the batch."""
        found = [seen for seen in look.seen if seen.contest.batch == self.batch]
        return found[-1] if found else None

    async def _settle(self, look: Look, each: SettlementMove) -> None:
        played = await self._paid(self.challenge.settle(look, each))
        if isinstance(each, Confirm) and played.refusal in BEATEN:
            # Claimants confirm too, and whoever does it first, it is done.
            return
        self._keep(
            played, settled_words(look.settlement, look.followed.terms.parameters.claim_bond, each)
        )

    async def _play(self, look: Look, seen: Seen, due: Move) -> None:
        words = await self._words(seen, due)
        self._keep(await self._paid(self.challenge.play(look, seen, due)), words)

    async def _paid(self, making: Awaitable[Played]) -> Played:
        try:
            return await making
        except L1Error as error:
            raise Failure(
                f"MOVE_NOT_TAKEN: {error}; has 0x{self.key.address.hex()} the bond and the gas?"
            ) from error

    def _keep(self, played: Played, words: str) -> None:
        name = type(played.move).__name__
        if played.refusal:
            raise Failure(
                f"MOVE_REFUSED: L1 refused {name}: {played.refusal}; somebody was faster, or it is "
                f"too late or too early: look at tallystick dispute show {self.batch}"
            )
        self.made.append(
            MadeMove(
                move=name,
                words=words,
                transaction=shown(played.transaction),
                gas=played.gas,
                wei=played.wei,
            )
        )

    async def _words(self, seen: Seen, due: Move) -> str:
        terms = seen.standing.terms
        match due:
            case Enter():
                return f"entered the right trace under a bond of {ether(terms.entry_bond)}"
            case Advance():
                view = seen.standing.matches[due.match]
                first, last = steps_left(view)
                is_left = due.left != view.left
                middle = (first + last) // 2
                kept = (first, middle) if is_left else (middle + 1, last)
                return f"moved: of steps {first}-{last}, {left_words(*kept)}"
            case Settle():
                decided = await self.looking.step(self.batch, due.index + 1)
                return f"proved {step_words(decided)}"
            case Refute():
                decided = await self.looking.step(self.batch, due.index + 1)
                return f"refuted a trace that is wrong at {step_words(decided)}"
            case TimeOut():
                return "timed out who did not move"
            case Collect():
                return "collected what the moves of a match have earned"
            case Redeem():
                return "took the entry's bond back"

    # --- what comes of it ---

    async def finish(self) -> None:
        """See what stands now, and what is next."""
        await catch_up(self.follower)
        found = [one for one in await self.looking.disputes() if one.contest.batch == self.batch]
        right = [
            one for one in found if one.contest.parent == self.followed.claim_on(self.batch - 1)
        ]
        if right:
            self.facts = await self.looking.facts(right[-1])
            self.next = next_words(self.facts, shown(self.followed.claim_on(self.batch)))
        else:
            self.next = f"Nobody disputes it yet. Next: tallystick dispute open {self.batch}."

    def tell(self, as_json: bool) -> None:
        """What was done, what stands, and what is next."""
        if as_json:
            print_json(
                {
                    "batch": self.batch,
                    "moves": [plain_facts(one) for one in self.made],
                    "dispute": None if self.facts is None else plain_facts(self.facts),
                    "next": self.next,
                }
            )
            return
        for one in self.made:
            click.echo(f"{one.words} ({one.gas:,} gas, {ether(one.wei)})")
        if not self.made:
            click.echo("nothing was to be done")
        if self.facts is not None:
            console().print(drawn(self.facts, {}))
        if self.next:
            click.echo(self.next)


def _batch(each: VoidBatch | MakeClaim) -> int:
    return each.number if isinstance(each, VoidBatch) else each.batch


def left_words(first: int, last: int) -> str:
    """The steps `first` to `last` as what is left of a match."""
    return f"{first} is left" if first == last else f"{first}-{last} are left"
