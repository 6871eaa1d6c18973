"""The same message again: one execution and one answer, whatever happened in between."""

import asyncio
from typing import Any, cast

import msgspec
import pytest
from builders import DOMAIN, FAR, PUBLISHER, key, sign_transaction
from coincurve import PublicKey
from msgspec.structs import replace
from sequenced_world import MARK, order
from service_world import PATH, Desk

from node.errors import Halt
from node.journal import Journal
from node.records import Taken, decode_records
from node.rpc.messages import Signed, digest_of
from node.sequencing.answers import ClientOrderIdUsed
from node.sequencing.intake import Unavailable
from node.signatures import CURVE_ORDER
from node.view import NotAttempted, SequencedReceipt, SignedTransaction
from sequencer.sequencer import Submission
from state.chunks import Row
from state.execution import Receipt
from state.orders import BUY, SELL
from state.status import Status
from state.transactions import AddKey, SignedPrice, Transaction, Withdraw

ALICE = 1 << 8


async def open_desk(**settings: Any) -> Desk:
    desk = Desk(**settings)
    await desk.open_venue()
    return desk


async def once(desk: Desk, submission: Submission, name: str = "") -> SequencedReceipt:
    """The answer to one transaction under a client order id."""
    waiting = asyncio.ensure_future(desk.service.submit(*submission, name))
    while not waiting.done():
        await asyncio.sleep(0)
        await desk.service.engine.cycle()
    receipt = await waiting
    assert isinstance(receipt, SequencedReceipt), receipt
    return receipt


def first(receipt: SequencedReceipt) -> SequencedReceipt:
    """The answer as it was the first time."""
    assert receipt.resubmission
    return replace(receipt, resubmission=False)


async def test_an_order_sent_again_has_its_fills_again_and_trades_once() -> None:
    desk = await open_desk()
    await desk.orders("bob", 1, side=SELL, lots=4)
    feed = desk.service.fills.subscribe()
    sent = order("alice", 1, side=BUY, lots=10)
    told = await once(desk, sent)
    assert (len(told.fills), told.resting_lots, told.resubmission) == (1, 6, False)
    root, size = desk.root, len(desk.file.data)
    assert first(await once(desk, sent)) == told
    assert (desk.root, len(desk.file.data)) == (root, size)
    assert feed.get_nowait() is not None and feed.empty(), "a fill is told once"


async def test_two_at_once_are_one_execution_and_one_answer() -> None:
    desk = await open_desk()
    sent = order("alice", 1)
    one, other = await desk.submit(sent, sent)
    assert isinstance(one, SequencedReceipt) and isinstance(other, SequencedReceipt)
    assert first(other) == one
    assert len(desk.service.state.account(ALICE).orders) == 1
    assert [type(record) for record in taken(desk)] == [Taken] * 2, "the price and one order"
    await desk.settle()
    desk.check()


def taken(desk: Desk) -> list[Taken]:
    records = Journal(desk.disk, PATH, DOMAIN.genesis_hash).read()
    return [record for record in records if isinstance(record, Taken)]


async def test_the_answer_is_there_after_a_restart() -> None:
    desk = await open_desk()
    await desk.orders("bob", 1, side=SELL, lots=4)
    sent, refused = order("alice", 1, lots=10), order("alice", 2, lots=10**13)
    told = await once(desk, sent, "first")
    turned_away = await once(desk, refused)
    assert turned_away.status == Status.LOTS_OUT_OF_RANGE
    await desk.settle()
    desk.restart(kept=0)
    await desk.look()
    assert first(await once(desk, sent)) == told
    assert first(await once(desk, refused)) == turned_away
    with pytest.raises(ClientOrderIdUsed):
        await once(desk, order("alice", 3), "first")


async def test_what_a_crash_took_before_it_was_answered_is_executed_afresh() -> None:
    desk = await open_desk()
    desk.file.fail_sync = True
    sent = order("alice", 1)
    with pytest.raises(Halt, match="cannot be written"):
        await desk.submit(sent)
    desk.file.fail_sync = False
    desk.restart(kept=0)
    await desk.look()
    assert not (await once(desk, sent)).resubmission


async def test_what_a_crash_kept_though_nobody_was_told_is_answered_once() -> None:
    """The sync was reported as failed, but all of it had reached the disk."""
    desk = await open_desk()
    desk.file.fail_sync = True
    sent = order("alice", 1)
    with pytest.raises(Halt, match="cannot be written"):
        await desk.submit(sent)
    desk.file.fail_sync = False
    desk.restart()
    await desk.look()
    assert (await once(desk, sent)).resubmission
    assert len(desk.service.state.account(ALICE).orders) == 1


async def test_after_a_rewind_the_answer_is_the_newer_one_under_the_same_client_order_id() -> None:
    """The batch with the order is void on L1; a forced deposit moves its batch number up."""
    desk = Desk(corrupt=2)
    await desk.open_venue()
    await desk.settle()
    sent = order("alice", 1)
    before = await once(desk, sent, "mine")
    assert before.batch == 2
    await desk.seal()
    await desk.post(1)
    await desk.settle()
    after = first(await once(desk, sent))
    assert (after.batch, after.client_order_id) == (3, "mine")
    desk.restart(kept=0)
    await desk.look()
    assert first(await once(desk, sent, "mine")) == after
    desk.check()


async def test_an_answer_waits_for_the_retry_that_makes_it() -> None:
    """Between a rewind and the retry nobody is told of the fill that L1 undid."""
    desk = Desk(corrupt=2)
    await desk.open_venue()
    await desk.settle()
    sent = order("alice", 1)
    await once(desk, sent, "mine")
    await desk.seal()
    await desk.post(1)
    await desk.service.watch.look()
    desk.service.engine.view.is_caught_up = False
    waiting = desk.service.engine.intake.put(*sent)
    await desk.service.engine.cycle()
    assert desk.history.owed and not waiting.answer.done()
    assert len(desk.service.answers) == 0
    await desk.look()
    receipt = waiting.answer.result()
    assert isinstance(receipt, SequencedReceipt) and receipt.batch == 3
    assert receipt.client_order_id == "mine"


async def test_what_no_retry_takes_is_forgotten_with_its_client_order_id() -> None:
    """The deposit that opened the account is gone from L1, so nobody has signed it."""
    desk = Desk()
    desk.l1.list_market()
    await desk.look()
    assert await desk.price() == Status.OK
    await desk.settle()
    desk.l1.deposit("alice")
    await desk.look()
    await once(desk, order("alice", 1), "mine")
    desk.l1.reorg(1)
    await desk.look()
    assert not desk.history.owed and len(desk.service.answers) == 0
    desk.l1.deposit("alice")
    await desk.look()
    receipt = await once(desk, order("alice", 1, lots=11), "mine")
    assert (receipt.status, receipt.resubmission) == (Status.OK, False)


async def test_another_signature_of_the_same_message_has_the_same_answer() -> None:
    """Wallets that draw their nonces sign the same message differently each time."""
    desk = await open_desk()
    sent = order("alice", 1)
    told = await once(desk, sent)
    for nonce in (5, 6):
        other = signed_with(nonce, sent[0])
        assert other != sent[1]
        assert first(await once(desk, (sent[0], other))) == told


def signed_with(nonce: int, tx: Transaction) -> bytes:
    """ECDSA by the book, with a nonce of one's own choice, as alice."""
    digest = digest_of(DOMAIN, cast(Signed, tx))
    point: bytes = PublicKey.from_secret(nonce.to_bytes(32, "big")).format(compressed=False)
    r, parity = int.from_bytes(point[1:33], "big") % CURVE_ORDER, point[64] & 1
    z, secret = int.from_bytes(digest, "big"), int.from_bytes(key("alice").private, "big")
    s = pow(nonce, -1, CURVE_ORDER) * (z + r * secret) % CURVE_ORDER
    if s > CURVE_ORDER // 2:
        s, parity = CURVE_ORDER - s, parity ^ 1
    packed: int = s | parity << 255
    return r.to_bytes(32, "big") + packed.to_bytes(32, "big")


async def test_a_forged_copy_gets_nothing_of_the_answer() -> None:
    desk = await open_desk()
    tx, signature = order("alice", 1)
    await once(desk, (tx, signature))
    forged = bytes([signature[0] ^ 1]) + signature[1:]
    (receipt,) = await desk.submit((tx, forged))
    assert (receipt.status, receipt.steps) == (Status.BAD_SIGNATURE, 0)
    assert not isinstance(receipt, SequencedReceipt)


async def test_another_message_of_a_used_number_is_refused() -> None:
    desk = await open_desk()
    await once(desk, order("alice", 1))
    (receipt,) = await desk.submit(order("alice", 1, lots=11))
    assert (receipt.status, receipt.steps) == (Status.SEQUENCE_USED, 0)


async def test_a_price_that_comes_twice_is_not_newer() -> None:
    desk = await open_desk()
    await desk.settle()
    tx = SignedPrice(0, MARK, desk.l1.time)
    sent = (tx, sign_transaction(tx, PUBLISHER))
    answers = await desk.submit(sent, sent)
    assert [one.status for one in answers] == [Status.OK, Status.PRICE_NOT_NEWER]


async def test_answers_of_keys_and_withdrawals_are_those_of_their_time() -> None:
    """A second key and a second withdrawal do not change what the first ones were told."""
    desk = await open_desk()
    told = []
    sent: list[Submission] = []
    for at in (1, 2):
        for tx in (
            AddKey(ALICE, 10 * at, key(f"session {at}").address, FAR, 3, FAR),
            Withdraw(ALICE, 10 * at + 1, key("alice").address, 5, FAR),
        ):
            sent.append((tx, sign_transaction(tx, key("alice"))))
            told.append(await once(desk, sent[-1]))
    assert [one.key_epoch for one in told] == [1, None, 2, None]
    assert [one.withdrawal for one in told] == [None, 0, None, 1]
    desk.restart()
    await desk.look()
    assert [first(await once(desk, one)) for one in sent] == told


# --- client order ids ---


async def test_a_client_order_id_names_one_message_of_an_account() -> None:
    desk = await open_desk()
    told = await once(desk, order("alice", 1), "mine")
    assert told.client_order_id == "mine"
    with pytest.raises(ClientOrderIdUsed) as raised:
        await once(desk, order("alice", 2), "mine")
    assert raised.value.answer.receipt == told
    assert desk.service.state.account(ALICE).owner_sequence == 1, "it consumed nothing"
    assert first(await once(desk, order("alice", 1), "mine")) == told
    assert (await once(desk, order("bob", 1), "mine")).client_order_id == "mine"


async def test_the_first_of_two_names_for_one_message_stays() -> None:
    desk = await open_desk()
    await once(desk, order("alice", 1), "mine")
    assert (await once(desk, order("alice", 1), "other")).client_order_id == "mine"
    assert not (await once(desk, order("alice", 2), "other")).resubmission


async def test_a_client_order_id_races_itself_once() -> None:
    """Two orders under one id at the same moment: the first has it, the other leaves no trace."""
    desk = await open_desk()
    both = [
        asyncio.ensure_future(desk.service.submit(*order("alice", at), "mine")) for at in (1, 2)
    ]
    await asyncio.sleep(0)
    await desk.service.engine.cycle()
    one, other = await asyncio.gather(*both, return_exceptions=True)
    assert isinstance(one, Receipt) and isinstance(other, ClientOrderIdUsed)
    assert desk.service.state.account(ALICE).owner_sequence == 1


async def test_what_nobody_signed_takes_no_client_order_id() -> None:
    desk = await open_desk()
    tx, _ = order("alice", 1)
    waiting = desk.service.engine.intake.put(tx, bytes(64), "mine")
    await desk.service.engine.cycle()
    assert waiting.answer.result().status == Status.BAD_SIGNATURE
    assert (await once(desk, order("alice", 1), "mine")).client_order_id == "mine"


def test_a_journal_from_before_client_order_ids_is_read() -> None:
    """The field was added behind the others, and has a default."""
    row = Taken(5, Row(3, b"row", b"signature"))
    old = msgspec.msgpack.encode([[2, 5, msgspec.to_builtins(row.row, builtin_types=(bytes,))]])
    assert decode_records(old) == [row]


# --- batches ---


def handed(*submissions: Submission) -> list[SignedTransaction]:
    return [SignedTransaction(*each) for each in submissions]


async def sent_together(desk: Desk, *submissions: Submission, **options: Any) -> list[Any]:
    waiting = asyncio.ensure_future(desk.service.submit_batch(handed(*submissions), **options))
    while not waiting.done():
        await asyncio.sleep(0)
        await desk.service.engine.cycle()
    return await waiting


async def test_a_batch_stays_together_in_one_sync() -> None:
    """Larger than a group, between two others: still one behind the other, and synced once."""
    desk = await open_desk(group_max=2)
    put = desk.service.engine.intake.put
    before, after = put(*order("bob", 1)), None
    batch = asyncio.ensure_future(
        desk.service.submit_batch(handed(*(order("alice", at) for at in range(1, 6))))
    )
    await asyncio.sleep(0)
    after = put(*order("bob", 2))
    await desk.service.engine.cycle()
    assert before.answer.done() and not batch.done()
    syncs = desk.file.syncs
    await desk.service.engine.cycle()
    assert desk.file.syncs == syncs + 1 and not after.answer.done()
    assert [one.status for one in await batch if isinstance(one, Receipt)] == [Status.OK] * 5
    await desk.service.engine.cycle()
    assert after.answer.done()


async def test_a_batch_that_does_not_fit_is_refused_whole() -> None:
    desk = await open_desk(queue_max=3)
    waiting = desk.service.engine.intake.put(*order("bob", 1))
    batch = handed(*(order("alice", at) for at in (1, 2, 3)))
    with pytest.raises(Unavailable, match="1 transactions wait already, and 3 more do not fit"):
        await desk.service.submit_batch(batch)
    await desk.service.engine.cycle()
    assert waiting.answer.done()
    assert desk.service.state.account(ALICE).owner_sequence == 0


async def test_one_bad_transaction_does_not_stop_its_batch() -> None:
    desk = await open_desk()
    forged = (order("alice", 2)[0], bytes(64))
    answers = await sent_together(desk, order("alice", 1), forged, order("alice", 3))
    assert [one.status for one in answers] == [Status.OK, Status.BAD_SIGNATURE, Status.OK]


async def test_a_batch_may_stop_at_the_first_that_fails() -> None:
    desk = await open_desk()
    answers = await sent_together(
        desk,
        *(order("alice", at, lots=lots) for at, lots in ((1, 1), (2, 10**13), (3, 1))),
        stops=lambda _, answer: answer.status != Status.OK,
    )
    assert [one.status for one in answers[:2]] == [Status.OK, Status.LOTS_OUT_OF_RANGE]
    assert isinstance(answers[2], NotAttempted)
    assert desk.service.state.account(ALICE).owner_sequence == 2


async def test_a_batch_sent_again_has_its_answers_again() -> None:
    desk = await open_desk()
    batch = [order("alice", at) for at in (1, 2)]
    told = await sent_together(desk, *batch)
    assert [
        first(one) for one in (await sent_together(desk, *batch, order("alice", 3)))[:2]
    ] == told
