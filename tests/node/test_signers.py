"""Signers recovered by worker processes: the same answers, whatever becomes of a worker."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from builders import DOMAIN, FAR, PUBLISHER, key, sign_transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from sequenced_world import Traders, order, started

from node.rpc.messages import digest_of
from node.signatures import Recoverer, recover
from node.signers import pool as pools
from node.signers import process as processes
from node.signers.frames import decode_rows, encode_rows, found_in, framed, signatures_of
from node.signers.known import KnownSigners
from node.signers.pool import SignerPool
from node.signers.worker import answer
from state.chunks import Row
from state.crypto import keccak
from state.legs import Leg, legs_of
from state.transactions import (
    BlockTrade,
    Header,
    NewOrder,
    SignedPrice,
    Transaction,
    encode_transaction,
)
from state.transactions.kinds import ROW_WIDTHS, SIGNATURE_WIDTHS, SIGNED_KINDS

ORPHANS = """
import asyncio
from builders import DOMAIN
from node.signers.pool import SignerPool

async def main():
    pool = SignerPool(DOMAIN, 2)
    await pool.start()
    print(*(worker.process.pid for worker in pool.workers), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def row_of(tx: Transaction, signature: bytes) -> Row:
    return Row(*encode_transaction(tx), signature)


def expected(row: Row, tx: Transaction) -> dict[bytes, bytes]:
    assert not isinstance(tx, Header)
    digest = digest_of(DOMAIN, tx)
    return {digest + one: recover(digest, one) for one in signatures_of(row)}


def submissions(count: int) -> list[tuple[Transaction, bytes]]:
    traders = Traders(seed=5, sequencer=started())
    return [traders.next() for _ in range(count)]


@asynccontextmanager
async def running(workers: int) -> AsyncIterator[SignerPool]:
    pool = SignerPool(DOMAIN, workers)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


ROWS = st.sampled_from(sorted(SIGNED_KINDS)).flatmap(
    lambda kind: st.builds(
        Row,
        st.just(int(kind)),
        st.binary(min_size=ROW_WIDTHS[kind], max_size=ROW_WIDTHS[kind]),
        st.binary(min_size=SIGNATURE_WIDTHS[kind], max_size=SIGNATURE_WIDTHS[kind]),
    )
)


@given(st.lists(ROWS, max_size=4))
@settings(max_examples=60)
def test_rows_come_out_as_they_went_in(rows: list[Row]) -> None:
    assert list(decode_rows(encode_rows(rows))) == rows


@given(st.lists(ROWS, max_size=2))
@settings(max_examples=60)
def test_any_row_has_an_answer(rows: list[Row]) -> None:
    """Also one that the rules would turn away before they look at its signature."""
    found = found_in(answer(encode_rows(rows), DOMAIN, Recoverer()), rows)
    assert [row for row, _ in found] == rows
    assert all(len(address) == 20 for _, known in found for address in known.values())


def test_an_answer_to_something_else_is_none() -> None:
    with pytest.raises(ValueError, match="do not answer a frame of 1"):
        found_in(bytes(51), [row_of(*order("alice", 1))])


async def test_workers_find_what_the_node_would() -> None:
    sent = submissions(300)
    legs = legs_of(Leg(0, 1, 500_000, 3))
    block = BlockTrade(256, 0, 1, 512, 0, 1, FAR, 1, legs)
    price = SignedPrice(0, 7, 8)
    sent.append((block, sign_transaction(block, key("alice"), taker=key("bob"))))
    sent.append((price, sign_transaction(price, PUBLISHER)))
    sent.append((order("alice", 9)[0], bytes(64)))
    rows = [row_of(*one) for one in sent]
    wanted: dict[bytes, bytes] = {}
    for row, (tx, _) in zip(rows, sent, strict=True):
        wanted |= expected(row, tx)
    async with running(2) as pool:
        assert await pool.recover(rows) == wanted
        assert await pool.recover([]) == {} and pool.ask([Row(1, bytes(5))]) is None
        assert pool.ended == 0


async def test_what_comes_together_is_answered_in_order() -> None:
    rows = [row_of(*order("alice", at)) for at in range(1, 40)]
    async with running(1) as pool:
        requests = [pool.ask([row]) for row in rows]
        while not all(one is not None and one.is_done for one in requests):
            done = [one is not None and one.is_done for one in requests]
            assert done == sorted(done, reverse=True)
            await asyncio.sleep(0)


async def test_whoever_is_busy_is_sent_whole_frames_and_the_rest_with_the_answer() -> None:
    rows = [row_of(*one) for one in submissions(2 * pools.FRAME_ROWS)]
    async with running(1) as pool:
        (worker,) = pool.workers
        os.kill(worker.process.pid, signal.SIGSTOP)
        requests, sent = [], []
        for row in rows:
            requests.append(pool.ask([row]))
            await asyncio.sleep(0)
            sent.append([len(frame) for frame in worker.frames])
        os.kill(worker.process.pid, signal.SIGCONT)
        assert sent[pools.FRAME_ROWS - 1] == [1] and sent[pools.FRAME_ROWS] == [1, pools.FRAME_ROWS]
        assert sent[-1] == sent[pools.FRAME_ROWS], (
            "nothing less than a frame, and not too far ahead"
        )
        for request in requests:
            assert request is not None
            await pool.wait(request)
        assert pool.ended == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
async def test_a_worker_that_is_lost_is_replaced_and_nobody_waits_for_it(
    how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(pools, "PAUSE_SECONDS", 0.01)
    submission = order("alice", 1)
    row = row_of(*submission)
    async with running(1) as pool:
        first = pool.workers[0].process.pid
        os.kill(first, how)
        known = await pool.recover([row])
        assert known in ({}, expected(row, submission[0])), "unknown, or what it is"
        monkeypatch.setattr(processes, "PATIENCE_SECONDS", 60.0)
        while await pool.recover([row]) != expected(row, submission[0]):
            await asyncio.sleep(0.01)
        assert pool.ended >= 1 and pool.workers[0].process.pid != first
        assert not is_running(first)


async def test_a_worker_that_is_late_holds_nobody_up_and_helps_again_when_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "LATE_SECONDS", 0.1)
    submission = order("alice", 1)
    row = row_of(*submission)
    told: list[int] = []
    pool = SignerPool(DOMAIN, 1)
    await pool.start(lambda: told.append(1))
    try:
        (worker,) = pool.workers
        os.kill(worker.process.pid, signal.SIGSTOP)
        # More than it is sent at once: what waits behind it is not to wait either.
        held, behind = pool.ask([row] * 300), pool.ask([row])
        assert held is not None and behind is not None
        assert await pool.wait(held) == await pool.wait(behind) == {}
        assert told and worker.is_late and pool.ask([row]) is None
        os.kill(worker.process.pid, signal.SIGCONT)
        while worker.rows:
            await asyncio.sleep(0)
        assert await pool.recover([row]) == expected(row, submission[0])
        assert held.known == {}, "what comes too late is not told any more"
        assert pool.ended == 0 and list(pool.workers) == [worker]
    finally:
        await pool.close()


async def test_a_worker_that_answers_what_nobody_asked_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools, "PAUSE_SECONDS", 0.01)
    submission = order("alice", 1)
    row = row_of(*submission)
    async with running(1) as pool:
        (first,) = pool.workers
        assert first.process.stdout is not None
        first.process.stdout.feed_data(framed(b""))
        while not pool.workers or pool.workers[0] is first:
            await asyncio.sleep(0.01)
        assert await pool.recover([row]) == expected(row, submission[0])
        assert pool.ended == 1


async def test_without_a_worker_nothing_is_asked() -> None:
    pool = SignerPool(DOMAIN, 1)
    assert pool.ask([row_of(*order("alice", 1))]) is None
    await pool.close()


async def test_closing_ends_every_process_and_every_wait() -> None:
    async with running(2) as pool:
        processes = [worker.process.pid for worker in pool.workers]
        waiting = asyncio.ensure_future(pool.recover([row_of(*one) for one in submissions(400)]))
        await asyncio.sleep(0)
    await waiting
    assert not any(map(is_running, processes))


def test_workers_do_not_outlive_a_node_that_was_killed() -> None:
    paths = os.pathsep.join(path for path in sys.path if path)
    node = subprocess.Popen(
        [sys.executable, "-P", "-c", ORPHANS],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert node.stdout is not None
    workers = [int(word) for word in node.stdout.readline().split()]
    assert len(workers) == 2 and all(map(is_running, workers))
    node.kill()
    node.communicate()
    for worker in workers:
        _wait_until_gone(worker)


def _wait_until_gone(process: int) -> None:
    """Gone, or ended and not yet collected by whoever inherited it."""
    while is_running(process):
        try:
            with open(f"/proc/{process}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return


def test_what_is_not_known_is_recovered_here() -> None:
    known, (tx, signature) = KnownSigners(), order("alice", 1)
    assert isinstance(tx, NewOrder)
    digest = digest_of(DOMAIN, tx)
    assert known.recover(digest, signature) == key("alice").address
    known.expect([{digest + signature: b"\x11" * 20}])
    assert known.recover(digest, signature) == b"\x11" * 20
    other = keccak(b"something else")
    assert known.recover(other, signature) == recover(other, signature)
    known.expect([])
    assert known.recover(digest, signature) == key("alice").address
    assert (known.hits, known.misses) == (1, 3)
