"""When blocks come, what time they have, and going back."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from fake_clock import FakeClock, TickingClock
from hypothesis import given
from hypothesis import strategies as st
from l1_world import ALICE, BOB, Rpc, RpcFailure, calldata, shown, signed, words

from node.l1.chain_time import ChainTime
from node.l1.config import L1Config
from node.l1.server import L1Server, run_l1

RECEIVER = b"\x11" * 20


async def timestamp(rpc: Rpc, block: str = "latest") -> int:
    return int((await rpc("eth_getBlockByNumber", block, False))["timestamp"], 16)


async def test_every_transaction_gets_a_block_at_once(rpc: Rpc, clock: FakeClock) -> None:
    for number in (1, 2, 3):
        clock.advance(10)
        receipt = await rpc.send(ALICE, to=RECEIVER, value=1)
        assert int(receipt["blockNumber"], 16) == number
        assert await timestamp(rpc) == int(clock.now())


async def test_time_moves_on_even_where_the_clock_does_not(rpc: Rpc, clock: FakeClock) -> None:
    start = await timestamp(rpc)
    await rpc("evm_mine", {"blocks": 5})
    assert await timestamp(rpc) == start + 5
    clock.advance(100)
    await rpc("evm_mine")
    assert await timestamp(rpc) == start + 100


async def test_increased_time_counts_from_the_chain(rpc: Rpc) -> None:
    await rpc("evm_mine", {"blocks": 50})
    ahead = await timestamp(rpc)
    await rpc("evm_increaseTime", "0x64")
    await rpc("evm_mine")
    assert await timestamp(rpc) == ahead + 100


async def test_time_goes_on_from_where_it_was_set(rpc: Rpc, clock: FakeClock) -> None:
    later = await timestamp(rpc) + 10_000
    await rpc("evm_setNextBlockTimestamp", later)
    assert int((await rpc("eth_getBlockByNumber", "pending", False))["timestamp"], 16) == later
    await rpc("evm_mine")
    assert await timestamp(rpc) == later
    clock.advance(7)
    await rpc("evm_mine")
    assert await timestamp(rpc) == later + 7
    await rpc("evm_mine", later + 500)
    assert await timestamp(rpc) == later + 500


async def test_time_cannot_be_set_back(rpc: Rpc) -> None:
    await rpc("evm_mine")
    head = await timestamp(rpc)
    for method in ("evm_setNextBlockTimestamp", "evm_mine"):
        with pytest.raises(RpcFailure, match="is not after the head block's"):
            await rpc(method, head)


@given(
    st.lists(
        st.tuples(st.sampled_from(["increase", "promise", "clock", "mine"]), st.integers(0, 10**6)),
        max_size=30,
    )
)
def test_timestamps_only_grow(moves: list[tuple[str, int]]) -> None:
    clock = FakeClock()
    time = ChainTime(clock.now)
    head = int(clock.now())
    for move, amount in moves:
        match move:
            case "increase":
                before = time.next(head)
                time.increase(amount, head)
                assert time.next(head) >= max(before, head + amount)
            case "promise":
                time.promise(head + 1 + amount)
                assert time.next(head) == head + 1 + amount
            case "clock":
                clock.advance(amount - 1_000)
            case _:
                block = time.next(head)
                time.mined(block)
                assert block > head
                head = block


async def test_without_automine_transactions_wait(rpc: Rpc) -> None:
    await rpc("evm_setAutomine", False)
    await rpc.send(ALICE, to=RECEIVER)
    await rpc.send(BOB, to=RECEIVER)
    assert await rpc.number() == 0
    await rpc("evm_setAutomine", True)
    block = await rpc("eth_getBlockByNumber", "latest", False)
    assert (block["number"], len(block["transactions"])) == ("0x1", 2)


class TestIntervals:
    @pytest.fixture
    def clock(self) -> TickingClock:
        return TickingClock()

    @pytest.fixture
    def config(self) -> L1Config:
        return L1Config(port=0, block_time=12)

    @pytest.fixture
    async def rpc(self, server: L1Server) -> AsyncIterator[Rpc]:
        async with Rpc(server.url) as speaking:
            yield speaking

    async def until(self, rpc: Rpc, number: int) -> None:
        while await rpc.number() < number:
            await asyncio.sleep(0.001)

    async def test_blocks_come_at_their_time_even_empty(
        self, rpc: Rpc, clock: TickingClock
    ) -> None:
        start = await timestamp(rpc)
        await rpc.send(ALICE, to=RECEIVER)
        assert await rpc.number() == 0
        for number in (1, 2, 3):
            clock.tick()
            await self.until(rpc, number)
            block = await rpc("eth_getBlockByNumber", "latest", False)
            assert int(block["timestamp"], 16) == start + 12 * number
            assert len(block["transactions"]) == (number == 1)
        assert clock.slept == [12.0] * 3

    async def test_the_interval_can_change_and_stop(self, rpc: Rpc, clock: TickingClock) -> None:
        await rpc("evm_setIntervalMining", 5)
        clock.tick()
        await self.until(rpc, 1)
        await rpc("evm_setIntervalMining", 0)
        clock.tick()
        assert await rpc.number() == 1
        await rpc("evm_setIntervalMining", 7)
        await self.until(rpc, 2)
        assert clock.slept == [5, 7]


# --- going back ---


async def test_a_revert_brings_back_chain_state_pool_and_time(rpc: Rpc) -> None:
    contract = await rpc.deploy(7)
    await rpc("evm_setAutomine", False)
    waiting = await rpc("eth_sendRawTransaction", shown(signed(BOB, to=RECEIVER, value=1)))
    await rpc("evm_increaseTime", 50)
    before = await rpc("eth_getBlockByNumber", "latest", True)
    pending = await rpc("eth_getBlockByNumber", "pending", True)

    snapshot = await rpc("evm_snapshot")
    await rpc("evm_mine")
    receipt = await rpc("eth_getTransactionReceipt", waiting)
    assert receipt["blockNumber"] == "0x2"
    await rpc("evm_setNextBlockTimestamp", int(pending["timestamp"], 16) + 10**6)
    await rpc.send(ALICE, to=contract, data=calldata("set(uint256)", 9), gas=100_000)
    await rpc("evm_mine")
    gone = await rpc("eth_getBlockByNumber", "latest", False)
    assert await rpc.call(contract, calldata("number()")) == words(9)

    assert await rpc("evm_revert", snapshot) is True
    assert await rpc("eth_getBlockByNumber", "latest", True) == before
    assert await rpc("eth_getBlockByNumber", "pending", True) == pending
    assert await rpc("eth_getBlockByHash", gone["hash"], False) is None
    assert await rpc("eth_getBlockByNumber", "0x2", False) is None
    assert await rpc("eth_getTransactionReceipt", waiting) is None
    assert (await rpc("eth_getTransactionByHash", waiting))["blockHash"] is None
    assert await rpc.call(contract, calldata("number()")) == words(7)
    assert await rpc("eth_getTransactionCount", shown(ALICE.address), "pending") == "0x1"
    await rpc("evm_mine")
    assert await timestamp(rpc) == int(pending["timestamp"], 16)


async def test_the_same_transaction_can_be_mined_again_after_a_revert(rpc: Rpc) -> None:
    snapshot = await rpc("evm_snapshot")
    raw = shown(signed(ALICE, to=RECEIVER, value=5))
    first = await rpc("eth_sendRawTransaction", raw)
    await rpc("evm_revert", snapshot)
    assert await rpc("eth_getBalance", shown(RECEIVER)) == "0x0"
    assert await rpc("eth_sendRawTransaction", raw) == first
    assert await rpc("eth_getBalance", shown(RECEIVER)) == "0x5"


async def test_a_revert_uses_up_its_snapshot_and_the_later_ones(rpc: Rpc) -> None:
    first = await rpc("evm_snapshot")
    await rpc("evm_mine")
    second = await rpc("evm_snapshot")
    await rpc("evm_mine")
    third = await rpc("evm_snapshot")
    assert len({first, second, third}) == 3
    assert await rpc("evm_revert", second) is True
    assert await rpc.number() == 1
    assert await rpc("evm_revert", third) is False
    assert await rpc("evm_revert", second) is False
    assert await rpc("evm_revert", first) is True
    assert await rpc.number() == 0


# --- the service ---


async def test_the_service_says_where_it_is_and_stops_when_told() -> None:
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    service = asyncio.create_task(run_l1(L1Config(port=0), stop, started=started.set_result))
    url = await started
    assert not url.endswith(":0")
    async with Rpc(url) as rpc:
        assert await rpc("eth_chainId") == "0x7a69"
    stop.set()
    await service
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))


async def test_a_port_that_is_taken_is_named(server: L1Server) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 is taken: choose another"):
        await run_l1(L1Config(port=port), asyncio.Event())


async def test_a_long_execution_does_not_hold_up_the_door(
    rpc: Rpc, server: L1Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain has one thread, so its answers wait; but connections and refusals do not."""
    done = threading.Event()
    monkeypatch.setattr(server.devnet, "mine", done.wait)
    long = asyncio.create_task(rpc("evm_mine"))
    for _ in range(5):
        status, _, _ = await rpc.post(b"not json")
        assert status == 200
    waiting = asyncio.create_task(rpc("eth_chainId"))
    await rpc.post(b"not json")
    assert not long.done() and not waiting.done()
    done.set()
    assert (await long, await waiting) == ("0x0", "0x7a69")
