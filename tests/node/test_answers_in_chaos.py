"""Whatever happens, what a client is told again is what ran on L1, from one seed."""

import os
from random import Random
from typing import Any

import pytest
from builders import DOMAIN, VERIFIER, key, sign_transaction
from sequenced_world import NAMES, order
from service_world import PATH, Desk

from node.errors import Retry
from node.journal import Journal
from node.records import Rewound
from node.sequencing.answers import ClientOrderIdUsed, body_of, sequenced
from node.snapshot_policy import SnapshotPolicy
from node.view import SequencedReceipt
from prover.derivation import derive_batch, genesis_cursor
from sequencer.sequencer import Submission
from state.batch import decode_header
from state.execution import Receipt, run_batch
from state.memory import MemoryState
from state.orders import BUY, SELL
from state.transactions import Amend, CancelAll, NewOrder, SignedPrice, Transaction

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else range(1, 7)
ACTIONS = 60
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


def told_by_l1(desk: Desk) -> dict[bytes, SequencedReceipt]:
    """What became of everything, worked out from L1 alone; the last time it ran counts."""
    state, cursor = MemoryState(), genesis_cursor(DOMAIN)
    found: dict[bytes, SequencedReceipt] = {}

    def hear(tx: Transaction, _: bytes, receipt: Receipt) -> None:
        body = body_of(tx)
        assert body is not None
        found[body] = sequenced(state, tx, receipt, batch=state.machine.batch)

    for batch in desk.l1.batches:
        header = decode_header(batch.header)
        items = desk.l1.items[header.inbox_from : header.inbox_to]
        derived = derive_batch(
            *(batch.header, batch.payload, items), after=cursor, batch_hash=batch.batch_hash
        )
        run_batch(state, derived.batch, VERIFIER, on_receipt=hear)
        cursor = derived.cursor
    return found


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_is_told_again_is_what_ran(seed: int) -> None:
    policy = SnapshotPolicy(batches=2, records=20) if seed % 2 else None
    desk = Desk(backlog_max=8, group_max=8, snapshot_policy=policy)
    desk.l1.finality = FINALITY
    await desk.open_venue()
    await desk.settle()
    client = Client(seed, desk)
    for _ in range(ACTIONS):
        await client.random.choice([client.send, client.send, client.send_again, client.disturb])()
    desk.poster.corrupt = None
    await desk.settle()
    desk.restart(kept=0)
    await desk.settle()
    records = list(Journal(desk.disk, PATH, DOMAIN.genesis_hash).read())
    rewinds = sum(isinstance(record, Rewound) for record in records)
    ran, compared = told_by_l1(desk), 0
    for tx, signature in client.sent.values():
        body = body_of(tx)
        assert body is not None
        answer = desk.service.answers.find(tx, signature)
        assert (answer is not None) is (body in ran), f"seed {seed}: {tx}"
        if answer is not None:
            compared += 1
            assert core(answer) == core(ran[body]), f"seed {seed}: {tx}"
    print(f"seed {seed}: {client.again} again, {rewinds} rewinds, {compared} compared")
    assert compared > 40 and client.again > 10
    assert rewinds or "TALLYSTICK_SEED" in os.environ, "choose seeds that undo something"
    assert not any(isinstance(tx, SignedPrice) for tx, _ in client.sent.values())


def core(receipt: SequencedReceipt) -> tuple[Any, ...]:
    return receipt.status, receipt.fills, receipt.steps, receipt.batch, receipt.resting_lots
