"""The end of a story: what was decided, who was paid, and where every bond is."""

from contracts import dispute_views, views
from contracts.dispute_events import LostLog
from contracts.views import ClaimStatus
from node.devnet.outcome import StoryFailed, expect
from node.devnet.people import CHALLENGER, LIAR, person
from node.devnet.story import Narrator
from node.devnet.venue import RunningVenue
from node.disputes.reading import Seen
from node.disputes.telling import ether
from node.evil.checks import check_bonds, check_claims, check_fake, root_of
from node.evil.kinds import IN_WORDS, Kind
from node.evil.onlooker import Onlooker
from node.evil.outcome import Decided, EvilOutcome
from node.evil.telling import step_words
from node.evil.watching import Watcher
from node.l1.sender import TransactionSender
from node.parity.kinds import StepKind
from node.proving.deciding_rules import deciding_rules
from node.proving.steps import NamedStep
from node.rpc.amounts import usdc
from node.rpc.client import VenueClient
from node.settlement import pay_withdrawal, usdc_balance
from prover.dispute.views import EntryStatus, MatchStatus
from state.status import Status


class Reckoning:
    """Of a venue on which `kind` was told and found out. `before` is what the challenger had, in
    wei, in L1's block `first_block`.
    """

    def __init__(
        self,
        venue: RunningVenue,
        kind: Kind,
        *,
        onlooker: Onlooker,
        watcher: Watcher,
        narrator: Narrator,
        first_block: int,
        before: int,
    ) -> None:
        self._venue = venue
        self._kind = kind
        self._onlooker = onlooker
        self._watcher = watcher
        self._narrator = narrator
        self._first_block = first_block
        self._before = before

    async def is_paid_out(self, last: int) -> bool:
        """Whether every wrong claim up to batch `last` is rejected and nobody honest waits for
        a bond or a payment.
        """
        for claimed in self._onlooker.claims:
            if claimed.batch <= last and not self._onlooker.is_right(claimed):
                record = await self._onlooker.reader.read(views.CLAIM_RECORD, claimed.claim)
                if record.status != ClaimStatus.REJECTED:
                    return False
        disputes, me = await self._watcher.disputes(), person(CHALLENGER).address
        bonds = await self._onlooker.reader.read(views.CLAIM_BONDS, me)
        credited = await disputes.read(dispute_views.CREDITS, me)
        return not (bonds or credited or await self._earned(self._seen()))

    async def _earned(self, seen: Seen) -> bool:
        """Whether the winner's bond, or what its moves have earned, is still to be credited."""
        standing, disputes = seen.standing, await self._watcher.disputes()
        if any(entry.status == EntryStatus.WAITING for entry in standing.entries.values()):
            return True
        for name, match in standing.matches.items():
            side = 1 if match.status == MatchStatus.ONE_WON else 2
            me = person(CHALLENGER).address
            if await disputes.read(dispute_views.EARNED, name, side, me):
                return True
        return False

    async def outcome(
        self,
        last: int,
        *,
        liar: TransactionSender,
        payer: TransactionSender,
        follower: VenueClient,
        withdrawal: int,
    ) -> EvilOutcome:
        """Everything checked. StoryFailed at the first thing that does not hold."""
        wrong, right, rejected = await check_claims(self._onlooker, last)
        refused = await check_fake(self._onlooker, wrong, liar)
        paid = await self._payout(payer, follower, withdrawal)
        root = (await follower.batch(wrong.batch)).state_root.hex()
        expect("the root that was confirmed", root_of(right), f"0x{root}")
        disputes = await self._watcher.disputes()
        bonds, costs = await check_bonds(self._onlooker, disputes, self._before, self._first_block)
        self._narrator.step(
            f"judy lost {ether(bonds.liar_lost)} in bonds: {ether(bonds.to_movers)} to who "
            f"moved, {ether(bonds.to_insurance)} to the insurance fund"
        )
        steps = await self._onlooker.true_steps(wrong.batch)
        return EvilOutcome(
            kind=self._kind.value,
            lie=IN_WORDS[self._kind],
            batch=wrong.batch,
            steps=len(steps),
            wrong_claim="0x" + wrong.claim.hex(),
            right_claim="0x" + right.claim.hex(),
            wrong_root=root_of(wrong),
            right_root=root_of(right),
            decided=self._decided(steps),
            moves=tuple(self._watcher.told),
            rejected=tuple("0x" + claim.hex() for claim in rejected),
            bonds=bonds,
            gas={name: costs.gas[name] for name in (CHALLENGER, LIAR)},
            wei={name: costs.wei[name] for name in (CHALLENGER, LIAR)},
            paid=paid,
            fake_refused=refused,
            jumped=self._watcher.jumped,
        )

    async def _payout(
        self, payer: TransactionSender, follower: VenueClient, withdrawal: int
    ) -> int:
        """What alice asked for is paid, against a claim that was confirmed; micro-USDC."""
        reader, token = self._onlooker.reader, self._venue.deployment.token
        alice = person("alice").address
        before = await usdc_balance(reader.client, token, alice)
        payment = await pay_withdrawal(reader, payer, follower, withdrawal)
        after = await usdc_balance(reader.client, token, alice)
        expect("what alice was paid on L1", after - before, payment.amount)
        self._narrator.step(f"L1 pays alice her {usdc(payment.amount)} USDC, and judy nothing")
        return payment.amount

    def _decided(self, steps: tuple[NamedStep, ...]) -> Decided:
        """What ended the liar's entry, and the step that it is all about."""
        seen, lie = self._seen(), self._onlooker.lie
        assert lie is not None, "the lie was found"
        liars = {
            name
            for name, entry in seen.standing.entered.items()
            if entry.owner == person(LIAR).address
        }
        how = [
            event.log.how
            for event in seen.events
            if isinstance(event.log, LostLog) and event.log.entry in liars
        ]
        if not how:
            raise StoryFailed("the liar's entry was never ended")
        step = steps[lie.first_wrong - 1]
        status = Status[step.status] if step.status else None
        rules = deciding_rules((StepKind(step.kind), status))
        self._narrator.step(f"the lie is in {step_words(step, rules)}")
        return Decided(
            how=how[0].name.lower(),
            step=step.number,
            kind=step.kind,
            status=step.status.lower(),
            rules=rules,
        )

    def _seen(self) -> Seen:
        seen = self._watcher.seen
        assert seen is not None, "there was a dispute"
        return seen
