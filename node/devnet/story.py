"""The demonstration: from a deposit on L1 to a withdrawal paid on L1, each step checked.

Nothing here is told by the processes alone: roots are compared between a sequencer and a
follower that has seen nothing but L1, bytes are counted in L1's logs, and money is counted
in the token's balances.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Protocol, TypeVar

from contracts import views
from node.clock import Clock
from node.devnet.acts import Refused, misbehave, stage_of, trade
from node.devnet.desk import Desk
from node.devnet.forgery import forge
from node.devnet.outcome import Outcome, Posted, StoryFailed, expect, posted_bytes, settled_output
from node.devnet.people import MAKER, person
from node.devnet.venue import RunningVenue
from node.devnet.waiting import found_in_time
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.modes import settled_by
from node.rollup import RollupReader
from node.rpc.amounts import usdc
from node.rpc.client import VenueClient, VenueError
from node.rpc.results import AccountSummary
from node.rpc.rollup_results import WithdrawalStatus
from node.settlement import Payment, deposit, pay_withdrawal, usdc_balance
from state.batch import Output
from state.units import NANO_PER_MICRO

NANO_PER_DOLLAR = 10**9

Found = TypeVar("Found")


class Narrator(Protocol):
    """Tells the story to whoever watches."""

    def step(self, text: str) -> None:
        """Something was reached."""
        ...

    def detail(self, text: str) -> None:
        """What there is to say about it."""
        ...

    def wait(self, text: str) -> None:
        """What comes next is waited for."""
        ...


DEPOSIT = 25_000 * 10**6
WITHDRAWAL = 1_000 * 10**6
PATIENCE_SECONDS = 90.0


class Story:
    """Plays on a running venue with the people that a devnet has."""

    def __init__(
        self,
        venue: RunningVenue,
        *,
        sequencer: VenueClient,
        follower: VenueClient,
        l1: L1Client,
        clock: Clock,
        narrator: Narrator,
    ) -> None:
        self.sequencer = sequencer
        self.follower = follower
        self.narrator = narrator
        self._venue = venue
        self._l1 = l1
        self._clock = clock
        self._reader = RollupReader(l1, venue.deployment.rollup)
        self._senders = {
            name: TransactionSender(
                l1, person(name).private_key, clock, chain_id=venue.deployment.chain_id
            )
            for name in ("alice", "bob")
        }

    async def play(self) -> Outcome:
        """The whole story. StoryFailed at the first thing that does not hold."""
        began = self._clock.monotonic()
        desks = await self.deposits()
        refused = await self.orders(*desks)
        index, batch = await self.withdrawal(desks[0])
        posted = await self.batches(batch)
        root = await self.same_root(batch)
        output = await self.claim(index, batch)
        refused += await self.lies()
        await self.conservation(output)
        payment = await self.payout(index)
        return Outcome.of(
            posted=posted,
            refused=refused,
            statuses=desks[0].outcomes + desks[1].outcomes,
            roots=root,
            output=output,
            withdrawn=payment.amount,
            seconds=self._clock.monotonic() - began,
            settlement=settled_by(await self._reader.read(views.PROOF_SYSTEM)),
        )

    async def deposits(self) -> tuple[Desk, Desk]:
        """Alice and Bob pay in on L1 and find the same amounts in accounts on L2."""
        self.narrator.step(f"alice and bob deposit {usdc(DEPOSIT)} USDC each on L1")
        alice, bob = await asyncio.gather(*(self._deposit(name) for name in ("alice", "bob")))
        for desk in (alice, bob):
            self.narrator.detail(f"{desk.name} has account {desk.account} with {usdc(DEPOSIT)} USD")
        return alice, bob

    async def _deposit(self, name: str) -> Desk:
        key = person(name)
        before = await self._balance(key.address)
        done = await deposit(self._reader, self._senders[name], DEPOSIT)
        account = await self.until(f"{name}'s deposit on L2", lambda: self._account(done.account))
        expect(f"{name}'s cash on L2", account.margin.cash, usdc(DEPOSIT))
        expect(f"{name}'s USDC on L1", await self._balance(key.address), before - DEPOSIT)
        return Desk(name, self.sequencer, key.private_key, done.account, self._clock)

    async def _account(self, number: int) -> AccountSummary | None:
        try:
            return await self.sequencer.account(number)
        except VenueError:
            return None

    async def orders(self, alice: Desk, bob: Desk) -> list[Refused]:
        """A few hundred orders over JSON-RPC, and three that must be refused."""
        await self.until("a price of every market", self._prices)
        stages = [stage_of(market) for market in await self.sequencer.markets()]
        self.narrator.step(f"alice and bob trade in {', '.join(stage.symbol for stage in stages)}")
        self.narrator.wait("some hundred orders")
        await trade(alice, bob, stages)
        refused = await misbehave(
            self.sequencer, alice, stages[0], wrong_key=person("bob").private_key
        )
        for one in refused:
            expect(one.attempt, one.reason, one.expected)
            self.narrator.detail(f"refused: {one.attempt} ({one.reason})")
        outcomes = alice.outcomes + bob.outcomes
        told = ", ".join(f"{count} {status}" for status, count in outcomes.most_common())
        self.narrator.detail(f"{outcomes.total()} signed messages: {told}")
        return refused

    async def _prices(self) -> bool:
        return all(market.price_age.fresh for market in await self.sequencer.markets())

    async def withdrawal(self, alice: Desk) -> tuple[int, int]:
        """Alice asks for money back; the withdrawal's index and its batch."""
        key = person("alice")
        receipt = await self.sequencer.sign_and_withdraw(
            key.private_key,
            account=alice.account,
            amount=usdc(WITHDRAWAL),
            recipient=key.address,
        )
        if receipt.withdrawal is None or receipt.batch is None:
            raise StoryFailed("the withdrawal's receipt names no index and batch")
        self.narrator.step(f"alice withdraws {usdc(WITHDRAWAL)} USDC, in batch {receipt.batch}")
        return receipt.withdrawal, receipt.batch

    async def batches(self, batch: int) -> Posted:
        """Everything up to `batch` is on L1, and its bytes are counted there."""

        async def is_posted() -> bool:
            return (await self.sequencer.status()).safe >= batch

        await self.until(f"batch {batch} on L1", is_posted)
        posted = await posted_bytes(self._reader, self.sequencer, batch)
        self.narrator.step(
            f"{posted.batches} batches on L1: {posted.orders} orders, {posted.fills} fills, "
            f"{posted.payload} bytes, {posted.bytes_per_order:.1f} an order"
        )
        return posted

    async def same_root(self, batch: int) -> tuple[bytes, bytes]:
        """The follower, which knows L1 only, reaches the sequencer's root after every batch."""

        async def has_followed() -> bool:
            return (await self.follower.status()).safe >= batch

        await self.until(f"the follower at batch {batch}", has_followed)
        for number in range(1, batch + 1):
            ours, theirs = await asyncio.gather(
                self.sequencer.batch(number), self.follower.batch(number)
            )
            expect(f"the root of batch {number}", theirs.state_root.hex(), ours.state_root.hex())
        self.narrator.step("the follower, which knows L1 only, agrees on every root")
        self.narrator.detail(f"0x{ours.state_root.hex()}")
        return bytes(ours.state_root), bytes(theirs.state_root)

    async def claim(self, index: int, batch: int) -> Output:
        """Somebody claimed what `batch` led to, and the window passes without a rival; or it is
        proven, and there is none.
        """
        proof_system = await self._reader.read(views.PROOF_SYSTEM)
        if proof_system:
            return await self.proof(index, batch, proof_system)

        async def is_claimed() -> bool:
            status = await self.follower.withdrawal(index)
            return status.claim is not None

        await self.until(f"a claim on batch {batch}", is_claimed)
        window = await self._reader.read(views.CLAIM_WINDOW)
        self.narrator.step(f"batch {batch} is claimed under bond; the window is {window} s")

        async def is_confirmed() -> bool:
            return (await self._reader.read(views.CONFIRMED_HEAD)).batch >= batch

        await self.until(f"the claim on batch {batch} to settle", is_confirmed)
        output = await self._settled(batch)
        self.narrator.detail("the claim is confirmed; its root is the follower's")
        return output

    async def proof(self, index: int, batch: int, proof_system: str) -> Output:
        """What `batch` led to is confirmed in the block that claimed it, by a proof."""

        async def proven() -> WithdrawalStatus | None:
            status = await self.follower.withdrawal(index)
            return status if status.claim and status.claim.confirmed_block else None

        claim = (await self.until(f"a proof of batch {batch}", proven)).claim
        assert claim is not None
        expect("the block that confirmed the claim", claim.confirmed_block, claim.claimed_block)
        self.narrator.step(
            f"the claim on batch {batch} is proven ({proof_system}), no window passes"
        )

        async def settlement() -> str | None:
            return (await self.follower.batch(batch)).settlement

        found = await self.until(f"the follower to call batch {batch} settled", settlement)
        expect("what the follower says of it", found, settled_by(proof_system))
        output = await self._settled(batch)
        if "MOCK" in proof_system:
            self.narrator.detail("a mock: the claimant's key says that it executed the batch")
        return output

    async def lies(self) -> list[Refused]:
        """Bob, who is not the attester, claims a state of his own; not where claims have bonds."""
        if not await self._reader.read(views.PROOF_SYSTEM):
            return []
        tried = await forge(self._reader, person("bob").private_key)
        self.narrator.step("bob claims a state of his own with two proofs, and L1 takes neither")
        for one in tried:
            expect(one.attempt, one.reason, one.expected)
            self.narrator.detail(f"refused: {one.attempt} ({one.reason})")
        return tried

    async def _settled(self, batch: int) -> Output:
        """The claimed output on L1, whose root must be the follower's."""
        output = await settled_output(self._reader, batch)
        root = (await self.follower.batch(batch)).state_root
        expect("the claimed root", output.state_root.hex(), root.hex())
        return output

    async def conservation(self, output: Output) -> None:
        """Money in the claim, in the accounts and in the token agree to the last unit."""
        expect("conservation in the claim", output.is_conserved, True)
        escrow = await self._balance(self._venue.deployment.rollup)
        expect("the escrow's USDC", escrow * NANO_PER_MICRO, output.deposited)
        people = [person(name).address for name in ("alice", "bob", MAKER)]
        found = [await self.follower.accounts(address) for address in people]
        cash = sum(Decimal(one.margin.cash) for accounts in found for one in accounts)
        expect("the cash of all accounts", int(cash * NANO_PER_DOLLAR), output.cash)
        self.narrator.step(
            f"conserved: {usdc(escrow)} USDC in escrow = "
            "cash + pools + insurance + fees + withdrawn"
        )

    async def payout(self, index: int) -> Payment:
        """L1 pays the withdrawal against a Merkle proof."""
        key = person("alice")
        before = await self._balance(key.address)
        self.narrator.wait("waiting for L1 to pay alice")
        payment = await pay_withdrawal(self._reader, self._senders["bob"], self.follower, index)
        after = await self._balance(key.address)
        expect("what alice was paid on L1", after - before, WITHDRAWAL)
        self.narrator.step(
            f"L1 paid alice {usdc(after - before)} USDC by Merkle proof; bob paid the gas"
        )
        return payment

    async def _balance(self, owner: bytes) -> int:
        return await usdc_balance(self._l1, self._venue.deployment.token, owner)

    async def until(self, what: str, look: Callable[[], Awaitable[Found | None]]) -> Found:
        """What `look` finds, asked again and again; StoryFailed after PATIENCE_SECONDS."""
        self.narrator.wait(f"waiting for {what}")
        return await found_in_time(self._clock, PATIENCE_SECONDS, what, look)
