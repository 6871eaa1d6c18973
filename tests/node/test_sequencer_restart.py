"""Restarts: whatever was cut short, the journal leads back, and L1 has each batch once."""

import asyncio
from typing import Any

import pytest
from builders import DOMAIN
from fake_disk import FakeDisk
from fake_rollup import FakeL1
from msgspec.structs import replace
from sequenced_world import order
from service_world import PATH, Desk

from node.errors import Halt, Retry
from node.journal import Journal
from node.l1.refusals import TransactionReverted
from node.poster import Poster
from node.records import Record, Rewound, Sealed, Settled, Taken
from node.sequencing.history import History, JournalDiverged
from node.sequencing.intake import Unavailable, UnavailableReason
from node.signatures import recover
from sequencer.sequencer import Sequencer
from state.authentication import Verifier
from state.chunks import Row
from state.execution import Receipt
from state.orders import BUY, SELL
from state.status import Status


async def busy_desk(**settings: Any) -> Desk:
    """Two batches on L1, one sealed but not posted, one open."""
    desk = Desk(**settings)
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1, 2, side=BUY)
    await desk.settle()
    await desk.orders("bob", 1, side=SELL)
    desk.l1.deposit("carol", 8)
    await desk.seal()
    await desk.look()
    await desk.orders("bob", 2, side=SELL)
    return desk


async def test_a_restart_replays_the_journal_to_the_same_root() -> None:
    desk = await busy_desk()
    root, records = desk.root, list(desk.history.records)
    desk.restart()
    assert desk.root == root and desk.history.records == records
    assert desk.service.heads.safe == 0, "nothing is safe before L1 is read"
    await desk.look()
    assert (desk.service.heads.safe, desk.service.heads.unsafe) == (2, 3)
    await desk.settle()
    desk.check()
    assert sorted(desk.l1.sent) == list(range(1, len(desk.l1.sent) + 1))


async def test_a_loss_of_power_at_any_byte_keeps_what_was_acknowledged() -> None:
    desk = await busy_desk()
    before = len(desk.file.data)
    desk.file.fail_sync = True
    with pytest.raises(Halt):
        await desk.orders("alice", 3, 4, 5, side=SELL)
    whole = bytes(desk.file.data)
    assert desk.file.synced == before < len(whole)
    for kept in range(len(whole) - before + 1):
        after = Desk(FakeL1(), FakeDisk())
        after.file.data[:], after.file.synced = whole[: before + kept], before + kept
        after.l1, after.acknowledged = desk.l1, list(desk.acknowledged)
        after.start()
        account = after.service.state.account(1 << 8)
        assert account.owner_sequence == (5 if before + kept == len(whole) else 2), f"{kept} bytes"
    desk.file.fail_sync = False
    desk.restart(kept=17)
    await desk.settle()
    desk.check()


async def test_a_batch_posted_by_a_process_that_died_is_recognised() -> None:
    """It stopped between sending and the receipt, so its journal does not know."""
    desk = await busy_desk()
    assert await desk.post(1) == 1
    desk.restart()
    await desk.look()
    assert desk.service.heads.safe == 3
    await desk.settle()
    assert desk.l1.sent == [1, 2, 3, 4]
    desk.check()


async def test_a_batch_that_is_still_on_its_way_is_not_posted_twice() -> None:
    desk = await busy_desk()
    desk.restart()
    await desk.look()
    batch = desk.service.posting.next_batch()
    assert batch is not None and batch.number == 3
    mark = desk.service.engine.view.mark
    assert mark is not None
    parent = desk.service.engine.agreement.parent
    await Poster(desk.l1, DOMAIN.rollup).post(batch, mark, parent)  # type: ignore[arg-type]
    assert not await desk.service.posting.step(batch)
    assert desk.l1.refusals == ["batches: parent is not the last batch"]
    await desk.settle()
    assert desk.l1.sent == [1, 2, 3, 4]
    desk.check()


async def test_a_restart_in_the_middle_of_retrying_retries_the_rest_in_order() -> None:
    desk = Desk(corrupt=2, group_max=4)
    await desk.open_venue()
    await desk.settle()
    for at in range(1, 11):
        await desk.orders("alice", at, side=BUY)
        await desk.orders("bob", at, side=SELL)
    await desk.seal()
    await desk.post(1)
    sizes: list[int] = []
    submit = desk.history.submit

    def killed(tx: Any, signature: bytes, client_order_id: str = "", row: Row | None = None) -> Any:
        sizes.append(desk.file.synced)
        if len(sizes) == 11:
            raise KeyboardInterrupt
        return submit(tx, signature, client_order_id, row)

    desk.history.submit = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await desk.look()
    assert sizes[-1] > sizes[0], "two groups were on disk already"
    desk.restart(kept=0)
    assert len(desk.history.owed) == 20
    await desk.settle()
    assert not desk.history.owed
    desk.check()
    assert desk.service.state.account(1 << 8).position(0).lots == 100  # type: ignore[union-attr]


async def test_owed_transactions_come_before_new_ones() -> None:
    """A later sequence number that overtook an earlier one would use it up."""
    desk = Desk(corrupt=2)
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1, 2)
    await desk.seal()
    await desk.post(1)
    desk.service.engine.view.is_caught_up = False
    await desk.service.watch.look()
    desk.service.engine.view.is_caught_up = False
    waiting = asyncio.ensure_future(desk.service.submit(*order("alice", 3)))
    desk.service.engine.intake.put(*order("alice", 4))
    with pytest.raises(Unavailable):
        await waiting
    await desk.service.engine.cycle()
    assert len(desk.history.owed) == 2 and len(desk.service.engine.intake) == 1
    await desk.look()
    assert not desk.history.owed and not len(desk.service.engine.intake)
    desk.acknowledged.append(order("alice", 4))
    await desk.settle()
    desk.check()


async def test_a_lost_journal_is_derived_again_from_l1() -> None:
    desk = await busy_desk()
    await desk.settle()
    root = desk.root
    after = Desk(desk.l1, FakeDisk())
    await after.look()
    assert after.root == root
    assert after.service.heads.safe == after.service.heads.unsafe == len(desk.l1.batches)
    assert await after.orders("alice", 9) == [Status.OK]
    await after.settle()
    after.check()
    after.restart()
    await after.settle()
    after.check()


async def test_batches_that_are_final_are_not_kept_for_undoing() -> None:
    desk = await busy_desk()
    desk.l1.finality = 0
    await desk.settle()
    await desk.look()
    assert not desk.history.sequencer.batches
    root = desk.root
    desk.restart()
    assert desk.root == root and not desk.history.sequencer.batches
    await desk.settle()
    desk.check()


def diverging(change: Any) -> list[Record]:
    """The records of a small venue, one of them changed."""
    desk = asyncio.run(busy_desk())
    records = list(Journal(desk.disk, PATH, DOMAIN.genesis_hash).read())
    return [change(record) for record in records]


def other_root(record: Record) -> Record:
    return replace(record, state_root=bytes(32)) if isinstance(record, Sealed) else record


def other_signature(record: Record) -> Record:
    if isinstance(record, Taken):
        return replace(record, row=Row(record.row.kind, record.row.row, b"\x01" * 64))
    return record


@pytest.mark.parametrize(
    ("change", "what"), [(other_root, "ended in"), (other_signature, "was taken, and now is")]
)
def test_a_journal_that_leads_elsewhere_halts(change: Any, what: str) -> None:
    disk = FakeDisk()
    journal = Journal(disk, PATH, DOMAIN.genesis_hash)
    assert list(journal.read()) == []
    for record in diverging(change):
        journal.append(record)
    journal.sync()
    history = History(
        Sequencer(Verifier(DOMAIN, recover)), Journal(disk, PATH, DOMAIN.genesis_hash)
    )
    with pytest.raises(JournalDiverged, match=what):
        history.recover()


async def test_a_rewind_is_on_disk_with_all_that_followed() -> None:
    desk = Desk(corrupt=2)
    await desk.open_venue()
    await desk.settle()
    await desk.orders("alice", 1)
    await desk.settle()
    kinds = [type(record) for record in Journal(desk.disk, PATH, DOMAIN.genesis_hash).read()]
    assert kinds.index(Rewound) < kinds.index(Settled)


async def test_a_failed_disk_stops_the_service_and_acknowledges_nothing() -> None:
    desk = await busy_desk()
    root = desk.root
    stop = asyncio.Event()
    running = asyncio.create_task(desk.service.run(stop))
    desk.file.fail_sync = True
    with pytest.raises(Halt, match="cannot be written"):
        await desk.service.submit(*order("alice", 3))
    with pytest.raises(Halt, match="cannot be written"):
        await running
    with pytest.raises(Halt, match="cannot be written"):
        await desk.service.submit(*order("alice", 4))
    assert "cannot be written" in desk.service.problems()[0]
    desk.file.fail_sync = False
    desk.restart(kept=0)
    assert desk.root == root


async def test_a_group_that_failed_is_not_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that fails in its middle: its first half was executed, and nobody told so."""
    desk = await busy_desk()
    submit, root = desk.history.sequencer.submit, desk.root

    def failing(tx: Any, signature: bytes) -> Receipt:
        if tx.sequence == 21:
            raise AssertionError("a rule that breaks itself")
        return submit(tx, signature)

    monkeypatch.setattr(desk.history.sequencer, "submit", failing)
    running = asyncio.create_task(desk.service.run(asyncio.Event()))
    sending = [desk.service.submit(*order("alice", sequence)) for sequence in (20, 21)]
    answers = await asyncio.gather(*sending, return_exceptions=True)
    assert all("before this was on disk" in str(answer) for answer in answers)
    with pytest.raises(Halt, match="must be restarted"):
        await running
    desk.restart()
    assert desk.root == root


async def test_a_wrong_key_stops_the_service() -> None:
    desk = await busy_desk()

    async def refuse(*_: Any, **__: Any) -> Any:
        raise TransactionReverted("batches: not the sequencer", b"", None)

    desk.l1.send = refuse  # type: ignore[method-assign]
    with pytest.raises(Halt, match="takes no batches from 0x5e5e"):
        await desk.service.run(asyncio.Event())
    assert "takes no batches" in desk.service.problems()[0]


async def test_stopping_answers_whoever_waits_and_closes_the_journal_cleanly() -> None:
    desk = await busy_desk()
    stop = asyncio.Event()
    running = asyncio.create_task(desk.service.run(stop))
    await asyncio.sleep(0)
    receipts = await asyncio.gather(*(desk.service.submit(*order("alice", at)) for at in (3, 4)))
    assert [receipt.status for receipt in receipts] == [Status.OK] * 2
    desk.service.engine.intake.put(*order("alice", 5))
    stop.set()
    await running
    with pytest.raises(Unavailable) as raised:
        await desk.service.submit(*order("alice", 6))
    assert raised.value.reason == UnavailableReason.STOPPING and isinstance(raised.value, Retry)
    root = desk.root
    desk.restart(kept=0)
    assert desk.root == root
