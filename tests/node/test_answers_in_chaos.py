"""Whatever happens, what a client is told again is what ran on L1, from one seed."""

import os
from typing import Any

import pytest
from builders import DOMAIN, VERIFIER
from disturbed_client import FINALITY, Client
from service_world import PATH, Desk

from node.journal import Journal
from node.records import Rewound
from node.sequencing.answers import body_of, sequenced
from node.snapshot_policy import SnapshotPolicy
from node.view import SequencedReceipt
from prover.derivation import derive_batch, genesis_cursor
from state.batch import decode_header
from state.execution import Receipt, run_batch
from state.memory import MemoryState
from state.transactions import SignedPrice, Transaction

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else range(1, 7)
ACTIONS = 60


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
