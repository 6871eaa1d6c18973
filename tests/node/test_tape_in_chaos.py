"""Whatever happens, the sequencer's tape is the one that a follower of L1 has, from one seed."""

import os
from typing import Any

import pytest
from disturbed_client import FINALITY, Client
from service_world import SNAPSHOTS, Desk
from snapshot_world import snapshot_desk
from tape_world import contents

from node.followed import told
from node.snapshot_policy import SnapshotPolicy
from node.tape.storage import HEAD, ROW
from node.tape.tape import Tape
from prover.replay import Replayer
from state.margin import health

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else range(1, 7)


def followed(desk: Desk) -> Tape:
    """What somebody who has nothing but L1 makes of it."""
    tape, apply = Tape(), Replayer.apply

    def keeping(self: Replayer, derived: Any) -> Any:
        replayed = apply(self, derived)
        for ran in told(replayed):
            tape.take(ran)
        return replayed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replayer, "apply", keeping)
        desk.l1.follow()
    return tape


def check_money(desk: Desk) -> None:
    """Everybody was paid in once or more, and nobody took anything out."""
    state, tape = desk.service.state, desk.service.tape
    worth = fees = 0
    for number, account in state.accounts.items():
        holdings = tape.holdings(number)
        assert all(holding.cost is not None for holding in holdings.values())
        fees += sum(holding.fees for holding in holdings.values())
        worth += health(state, account).equity
    assert fees == state.machine.sums.fees
    assert worth == state.machine.deposited - fees, "what one side gained the other lost"


@pytest.mark.parametrize("seed", SEEDS)
async def test_sequencer_and_follower_say_the_same_whatever_happens(seed: int) -> None:
    policy = SnapshotPolicy(batches=1) if seed % 2 else None
    desk = Desk(backlog_max=8, group_max=8, snapshot_policy=policy)
    desk.l1.finality = FINALITY
    await desk.open_venue()
    await desk.settle()
    client = Client(seed, desk)
    for _ in range(60):
        await client.random.choice([client.send, client.send, client.send_again, client.disturb])()
    desk.poster.corrupt = None
    await desk.settle()
    mine, theirs = desk.service.tape, followed(desk)
    assert contents(mine, names=False) == contents(theirs, names=False), f"seed {seed}"
    assert mine.fills > 5 and mine.since_batch == 1
    check_money(desk)
    assert mine.fills == sum(record.fills for record in desk.history.records)
    before = contents(mine)
    desk.l1.mine(FINALITY + 1)
    await desk.look()
    desk.restart()
    assert contents(desk.service.tape) == before, "client order ids too"
    if policy is not None:
        assert desk.history.snapshots is not None and desk.history.snapshots.number > 0


async def test_a_restart_from_a_snapshot_brings_back_what_the_journal_would() -> None:
    desk = await snapshot_desk()
    before = contents(desk.service.tape)
    assert before["rows"]["trades"] and before["rows"]["orders"]
    desk.restart()
    assert contents(desk.service.tape) == before and desk.service.tape.since_batch == 1
    del desk.databases.databases[SNAPSHOTS]
    desk.restart()
    assert contents(desk.service.tape) == before


async def test_a_snapshot_of_before_there_were_tapes_begins_one() -> None:
    desk = await snapshot_desk()
    values = desk.databases.databases[SNAPSHOTS].values
    for key in [key for key in values if key == HEAD or key.startswith(ROW)]:
        del values[key]
    root, fills = desk.root, desk.service.tape.fills
    assert desk.history.snapshots is not None
    number = desk.history.snapshots.number
    desk.restart()
    assert desk.root == root and desk.service.tape.since_batch == number + 1
    assert desk.service.tape.fills == fills and not desk.service.tape.problem
    await desk.look()
    await desk.orders("dave", 9, lots=1)
    assert desk.service.tape.orders_of(4 << 8, count=1)[0].lots == 1
    await desk.settle()
    desk.restart()
    assert desk.service.tape.since_batch == number + 1 and desk.service.tape.is_stored


async def test_a_damaged_tape_stops_no_node() -> None:
    desk = await snapshot_desk()
    values = desk.databases.databases[SNAPSHOTS].values
    values[next(key for key in values if key.startswith(ROW))] = b"\xc1"
    root = desk.root
    desk.restart()
    assert desk.root == root
    assert [p for p in desk.service.problems() if p.startswith("TAPE_BEGUN_ANEW: ")]
    await desk.look()
    assert (await desk.orders("dave", 9, lots=1))[0].name == "OK"
    await desk.settle()
    desk.restart()
    assert not [p for p in desk.service.problems() if "TAPE" in p], "the next snapshot is whole"


async def test_a_snapshot_that_could_not_be_written_loses_nothing_of_the_tape() -> None:
    desk = Desk(snapshot_policy=SnapshotPolicy(batches=1))
    desk.l1.finality = 0
    await desk.open_venue()
    await desk.settle()
    database = desk.databases.databases[SNAPSHOTS]
    for at in range(1, 6):
        await desk.orders("alice", at, lots=at)
        await desk.orders("bob", at, side=1, lots=1)
        database.fail_write = at in (2, 3)
        await desk.settle()
    before = contents(desk.service.tape)
    desk.restart()
    assert contents(desk.service.tape) == before
