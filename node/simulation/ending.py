"""The end of a story: no more faults, everything settles, and every promise is compared."""

import asyncio
from typing import TYPE_CHECKING

from node.batch_before import batch_before
from node.follower import FollowerService
from node.rollup_events import BatchPosted
from node.scanner import L1Scanner
from node.signatures import recover
from node.simulation.referee import Referee
from node.simulation.trace import Violation
from prover.derivation import derive_batch, genesis_cursor
from state.authentication import Verifier
from state.commitment import Committer, genesis_root
from state.execution import Receipt, run_batch
from state.memory import MemoryState
from state.transactions.kinds import Kind

if TYPE_CHECKING:
    from node.simulation.story import Story

SETTLE_SECONDS = 600.0


class Ending:
    """Waits until all agree, also after a restart; asks for one more order, and judges."""

    def __init__(self, story: "Story") -> None:
        self._story = story

    async def settle(self) -> None:
        """Violation where the venue does not come to rest, or anything promised is missing."""
        await self._until_agreed()
        for process in self._story.processes:
            process.end("last power loss", power=True)
        await self._until_agreed()
        await self._take_an_order()
        await self._until_agreed()
        while await self._story.passerby.pay():
            await asyncio.sleep(1.0)
        # L1 may have taken a late item meanwhile, which is news to some and not yet to others.
        await self._until_agreed()
        await self._judge()

    async def _until_agreed(self) -> None:
        clock = asyncio.get_running_loop()
        deadline = clock.time() + SETTLE_SECONDS
        while difference := self._difference():
            if clock.time() > deadline:
                raise Violation("everything converges", difference)
            await asyncio.sleep(2.0)

    def _difference(self) -> str:
        """What is not settled yet; empty where all is."""
        story, services = self._story, self._story.services()
        followed = story.referee.followed
        sequencer = story.sequencer
        if sequencer is None or len(services) < len(story.processes):
            return f"only {', '.join(services)} run"
        history = sequencer.engine.history
        is_idle = history.sequencer.open is None and history.journal.is_synced
        if not is_idle or history.owed or not sequencer.engine.is_current:
            return f"the sequencer is busy: {sequencer.heads} {sequencer.problems()}"
        taken = followed.batches[-1].cursor.inbox if followed.batches else 0
        if len(followed.items) > taken:
            return f"{len(followed.items)} inbox items are on L1, {taken} of them in batches"
        if followed.confirmed != followed.number:
            claimant = story.processes[2].service
            return (
                f"{followed.number} batches, {followed.confirmed} confirmed: {claimant.problems()}"
            )
        for name, service in services.items():
            heads = service.heads
            if not followed.number == heads.unsafe == heads.safe == heads.confirmed:
                return f"L1 has {followed.number} batches, {name} {heads} {service.problems()}"
        return ""

    async def _take_an_order(self) -> None:
        """The venue is open: a fresh price and an order are taken."""
        story = self._story
        for _ in range(20):
            trader = story.traders[0]
            account = await trader.account()
            if story.referee.followed.replayer.state.account(account).is_absent:
                await trader.deposit()
            elif await story.publisher.publish(0):
                receipt = await trader.client.submit(trader.drafts.order(account, 0))
                if receipt is not None and receipt.steps:
                    return
            await asyncio.sleep(4.0)
        raise Violation("the venue takes orders", "none was taken although nothing fails any more")

    async def _judge(self) -> None:
        story = self._story
        referee = Referee(story.l1, story.origin.terms, story.trace, story.services)
        await referee.look()
        if referee.followed.problems():
            raise Violation("claims are right", referee.followed.problems()[0])
        self._compare_states(referee)
        self._look_back(referee)
        story.promises.check_kept(referee.rows, await self._receipts())

    def _compare_states(self, referee: Referee) -> None:
        root = referee.followed.replayer.commitment().state_root
        for name, service in self._story.services().items():
            if service.commitment().state_root != root:
                raise Violation("roots agree", f"at the end {name} has another state than L1")
        past = referee.followed.tape.shared()
        for name, service in self._story.services().items():
            for table, rows in service.tape.shared().items():
                if rows != past[table]:
                    raise Violation("pasts agree", f"at the end {name} has other {table} than L1")

    def _look_back(self, referee: Referee) -> None:
        """Whoever follows can execute every batch once more, from earlier states or genesis."""
        roots = [genesis_root(), *(batch.record.state_root for batch in referee.followed.batches)]
        for name, service in self._story.services().items():
            if not isinstance(service, FollowerService):
                continue
            assert service.followed is not None
            for number, root in enumerate(roots[:-1], 1):
                state = batch_before(service, service.followed, number).state
                if Committer(state.snapshot()).commit().state_root != root:
                    detail = f"at the end {name} has another state than L1 before batch {number}"
                    raise Violation("the past is there", detail)

    async def _receipts(self) -> dict[bytes, Receipt]:
        """What became of every transaction on L1, executed once more from nothing."""
        story = self._story
        terms = story.origin.terms
        scan = await L1Scanner(story.l1.reader, first=terms.deployed_at).poll()
        state, cursor = MemoryState(), genesis_cursor(terms.domain)
        items = [event.item for event in scan.events if hasattr(event, "item")]
        found: dict[bytes, Receipt] = {}
        for event in scan.events:
            if isinstance(event, BatchPosted):
                inbox_to = story.referee.followed.batches[event.number - 1].cursor.inbox
                derived = derive_batch(
                    event.header,
                    event.payload,
                    items[cursor.inbox : inbox_to],
                    after=cursor,
                    batch_hash=event.batch_hash,
                )
                cursor = derived.cursor
                receipts = run_batch(state, derived.batch, Verifier(terms.domain, recover))
                rows = [row for chunk in derived.batch.chunks for row in chunk]
                for row, receipt in zip(rows, receipts, strict=True):
                    if row.kind != Kind.HEADER:
                        found[row.signature] = receipt
        return found
