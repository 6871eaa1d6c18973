"""A client of a desk that sends, sends again, and lives through what disturbs the venue."""

from random import Random

from builders import key, sign_transaction
from sequenced_world import NAMES, order
from service_world import Desk

from node.errors import Retry
from node.sequencing.answers import ClientOrderIdUsed
from node.view import SequencedReceipt
from sequencer.sequencer import Submission
from state.orders import BUY, SELL
from state.transactions import Amend, CancelAll, NewOrder, Transaction

FINALITY = 6
"""More blocks than L1 takes back at once here."""


class Client:
    """Sends from one seed, remembers all of it, and sends some of it again."""

    def __init__(self, seed: int, desk: Desk) -> None:
        self.random = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
        self.desk = desk
        self.sent: dict[str, Submission] = {}
        self.sequences = dict.fromkeys(NAMES, 0)
        self.solid = len(desk.l1.blocks) - 1
        self.again = 0

    async def send(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            submission, name = self.next(), f"id {len(self.sent)}"
            self.sent[name] = submission
            await self.hand_in(name)

    async def send_again(self) -> None:
        """Whatever was answered or not: it must not run twice."""
        for name in self.random.choices(list(self.sent) or [""], k=3):
            if name:
                await self.hand_in(name)
                self.again += 1

    async def hand_in(self, name: str) -> None:
        service, submission = self.desk.service, self.sent[name]
        is_order = isinstance(submission[0], NewOrder | Amend)
        pending = service.engine.intake.put(*submission, name if is_order else "")
        await service.engine.cycle()
        if not pending.answer.done():
            service.engine.intake.fail(Retry("the client hung up"))
            assert isinstance(pending.answer.exception(), Retry)
            return
        receipt = pending.answer.exception() or pending.answer.result()
        assert not isinstance(receipt, ClientOrderIdUsed), "each id has one message"
        if isinstance(receipt, SequencedReceipt) and receipt.resubmission and is_order:
            assert receipt.client_order_id == name

    def next(self) -> Submission:
        r, name = self.random, self.random.choice(NAMES)
        number = NAMES.index(name) + 1 << 8
        self.sequences[name] += 1
        sequence = self.sequences[name]
        orders = self.desk.service.state.account(number).orders
        tx: Transaction
        if orders and r.random() < 0.3:
            place = r.choice(orders)
            ticks = 500_000 + r.randint(-2, 2)
            terms = (ticks, r.randint(1, 12), 1_700_086_400)
            tx = Amend(number, 0, sequence, place.epoch, place.sequence, *terms)
        elif r.random() < 0.1:
            tx = CancelAll(number, 0, sequence, 1, 0, 1_700_086_400)
        else:
            ticks, side = 500_000 + r.randint(-2, 2), r.choice((BUY, SELL))
            return order(name, sequence, side=side, ticks=ticks, lots=r.randint(1, 9))
        return tx, sign_transaction(tx, key(name))

    async def disturb(self) -> None:
        """L1 voids, loses and forgets, the process dies; time passes."""
        desk, r = self.desk, self.random
        match r.randrange(5):
            case 0:
                desk.poster.corrupt = len(desk.l1.batches) + 1
            case 1:
                desk.restart(kept=r.randint(0, 400))
            case 2:
                self.solid = max(self.solid, len(desk.l1.blocks) - FINALITY)
                desk.l1.reorg(min(r.randint(1, 4), len(desk.l1.blocks) - self.solid))
            case 3:
                desk.l1.deposit(r.choice(NAMES), 5)
                desk.l1.force()
            case _:
                desk.l1.mine(20)
        await desk.look()
        await desk.seal()
        await desk.post(r.randint(0, 2))
