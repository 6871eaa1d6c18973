"""The chain on disk: the same after a restart, and never silently another."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from l1_world import ALICE, BOB, Rpc, RpcFailure, calldata, words

from node.errors import Halt
from node.l1.block_file import MAGIC, NAME, BlockFile, Mined, Record, Rewound, Shifted
from node.l1.config import L1Config
from node.l1.devnet import Devnet, Genesis
from node.l1.evm import Evm
from node.l1.server import L1Server, run_l1

ROOT = Path(__file__).resolve().parents[3]


@asynccontextmanager
async def running(directory: Path, clock: FakeClock, **changes: Any) -> AsyncIterator[Rpc]:
    config = L1Config(port=0, data_directory=directory, **changes)
    async with L1Server(config, clock) as server, Rpc(server.url) as rpc:
        yield rpc


async def whole_chain(rpc: Rpc) -> list[Any]:
    numbers = [hex(number) for number in range(await rpc.number() + 1)]
    blocks = [await rpc("eth_getBlockByNumber", number, True) for number in numbers]
    receipts = [await rpc("eth_getBlockReceipts", number) for number in numbers]
    return [blocks, receipts]


async def test_the_chain_is_the_same_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running(tmp_path, clock) as rpc:
        contract = await rpc.deploy(7)
        await rpc.send(BOB, to=contract, data=calldata("set(uint256)", 9), gas=100_000, value=4)
        await rpc.send(BOB, to=contract, data=calldata("set(uint256)", 13), gas=100_000)
        await rpc("evm_mine")
        chain = await whole_chain(rpc)
        logs = await rpc("eth_getLogs", {"fromBlock": "earliest"})
    clock.advance(1_000)
    async with running(tmp_path, clock) as rpc:
        assert await whole_chain(rpc) == chain
        assert await rpc("eth_getLogs", {"fromBlock": "earliest"}) == logs
        assert await rpc.call(contract, calldata("number()")) == words(9)
        assert await rpc.call(contract, calldata("number()"), "0x1") == words(7)
        receipt = await rpc.send(BOB, to=contract, data=calldata("set(uint256)", 1), gas=100_000)
        assert (receipt["blockNumber"], receipt["status"]) == ("0x5", "0x1")
        longer = await whole_chain(rpc)
    async with running(tmp_path, clock) as rpc:
        assert await whole_chain(rpc) == longer


async def test_a_revert_and_a_shifted_clock_survive_too(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running(tmp_path, clock) as rpc:
        contract = await rpc.deploy(7)
        snapshot = await rpc("evm_snapshot")
        for number in (1, 2, 3):
            await rpc.send(ALICE, to=contract, data=calldata("set(uint256)", number), gas=100_000)
        await rpc("evm_revert", snapshot)
        await rpc("evm_increaseTime", 5_000)
        await rpc.send(ALICE, to=contract, data=calldata("set(uint256)", 2), gas=100_000)
        await rpc("evm_setNextBlockTimestamp", int(clock.now()) + 9_000)
        await rpc("evm_mine")
        chain = await whole_chain(rpc)
    clock.advance(100)
    async with running(tmp_path, clock) as rpc:
        assert await whole_chain(rpc) == chain
        await rpc("evm_mine")
        block = await rpc("eth_getBlockByNumber", "latest", False)
        assert int(block["timestamp"], 16) == int(clock.now()) + 9_000


async def test_a_killed_process_leaves_every_block_it_told_of(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}

    async def start() -> tuple[asyncio.subprocess.Process, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(ROOT / "tests" / "l1_process.py"),
            str(tmp_path),
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        assert process.stdout is not None
        return process, (await process.stdout.readline()).decode().strip()

    process, url = await start()
    async with Rpc(url) as rpc:
        contract = await rpc.deploy(7)
        for number in range(20, 30):
            await rpc.send(BOB, to=contract, data=calldata("set(uint256)", number), gas=100_000)
        chain = await whole_chain(rpc)
    process.send_signal(signal.SIGKILL)
    await process.wait()

    process, url = await start()
    async with Rpc(url) as rpc:
        assert await whole_chain(rpc) == chain
        assert await rpc.call(contract, calldata("number()")) == words(29)
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def test_a_chain_is_served_by_one_process_at_a_time(tmp_path: Path) -> None:
    async with running(tmp_path, FakeClock()):
        with pytest.raises(Halt, match="is in use by another L1 devnet"):
            await run_l1(L1Config(port=0, data_directory=tmp_path), asyncio.Event())


async def test_another_chain_id_is_refused_with_both_named(tmp_path: Path) -> None:
    async with running(tmp_path, FakeClock()):
        pass
    with pytest.raises(Halt, match="holds chain 31337, expected 5"):
        await run_l1(L1Config(port=0, chain_id=5, data_directory=tmp_path), asyncio.Event())


async def test_a_disk_that_refuses_stops_the_service_before_the_block_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    config = L1Config(port=0, data_directory=tmp_path)
    service = asyncio.create_task(run_l1(config, asyncio.Event(), started=started.set_result))
    url = await started

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    async with Rpc(url) as rpc:
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(RpcFailure, match="Internal error"):
            await rpc("evm_mine")
        with pytest.raises(Halt, match="cannot write: No space left on device"):
            await service
    monkeypatch.undo()


# --- the file itself ---


@pytest.fixture
async def content(tmp_path: Path) -> bytes:
    """A file of five blocks."""
    async with running(tmp_path / "whole", FakeClock()) as rpc:
        contract = await rpc.deploy()
        for number in (1, 2, 3):
            await rpc.send(ALICE, to=contract, data=calldata("set(uint256)", number), gas=100_000)
    return (tmp_path / "whole" / NAME).read_bytes()


def blocks_of(directory: Path, content: bytes) -> list[int]:
    """The numbers of the blocks read from a file of this content."""
    directory.mkdir(exist_ok=True)
    (directory / NAME).write_bytes(content)
    file = BlockFile(directory, 31_337)
    try:
        return [record.block.number for record in file.records() if isinstance(record, Mined)]
    finally:
        file.close()


def test_a_torn_last_record_is_dropped_and_the_rest_kept(tmp_path: Path, content: bytes) -> None:
    assert blocks_of(tmp_path / "a", content) == [0, 1, 2, 3, 4]
    for missing in (1, 4, 5, 100):
        assert blocks_of(tmp_path / "b", content[:-missing]) == [0, 1, 2, 3]
    spoiled = content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]
    assert blocks_of(tmp_path / "c", spoiled) == [0, 1, 2, 3]


async def test_mining_goes_on_after_a_torn_record(tmp_path: Path, content: bytes) -> None:
    blocks_of(tmp_path, content[:-7])
    async with running(tmp_path, FakeClock()) as rpc:
        assert await rpc.number() == 3
        await rpc("evm_mine")
        hash_of_4 = (await rpc("eth_getBlockByNumber", "0x4", False))["hash"]
    async with running(tmp_path, FakeClock()) as rpc:
        assert (await rpc("eth_getBlockByNumber", "latest", False))["hash"] == hash_of_4


def test_a_flipped_bit_anywhere_else_stops_the_start(tmp_path: Path, content: bytes) -> None:
    last = content.rindex(b"\xf9\x02")  # a header's start, in the last record
    places = range(0, last - 2_000, 97)
    assert len(places) > 50
    for place in places:
        spoiled = content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]
        with pytest.raises(Halt, match=r"is damaged at byte|is not a chain"):
            blocks_of(tmp_path / "flipped", spoiled)


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(Halt, match="is not a chain of this program"):
        blocks_of(tmp_path, b"a letter to someone\n")
    assert (tmp_path / NAME).read_bytes() == b"a letter to someone\n"


@pytest.mark.parametrize("start", [b"", MAGIC[:5], MAGIC, MAGIC + b"\0\0"])
def test_a_crash_while_the_file_was_made_leaves_an_empty_chain(
    tmp_path: Path, start: bytes
) -> None:
    assert blocks_of(tmp_path, start) == []
    again = (tmp_path / NAME).read_bytes()
    assert blocks_of(tmp_path, again) == []
    assert (tmp_path / NAME).read_bytes() == again


def test_what_else_happened_reads_back(tmp_path: Path) -> None:
    written: list[Record] = [Rewound(0), Rewound(2**40), Shifted(-5), Shifted(2**40), Shifted(0)]
    file = BlockFile(tmp_path, 31_337)
    assert list(file.records()) == []
    for record in written:
        file.append(record)
    file.close()
    file = BlockFile(tmp_path, 31_337)
    assert list(file.records()) == written
    file.close()


def test_a_history_that_does_not_fit_together_is_refused(tmp_path: Path, content: bytes) -> None:
    def replay(records: list[Any]) -> None:
        genesis = Genesis({}, 60_000_000)
        Devnet(Evm(31_337), NoWrites(), records, genesis=genesis, now=FakeClock().now, interval=0)

    class NoWrites:
        def append(self, record: Any) -> None:
            raise AssertionError(f"replaying writes nothing, but wrote {record}")

    (tmp_path / NAME).write_bytes(content)
    file = BlockFile(tmp_path, 31_337)
    records = list(file.records())
    file.close()
    replay(records)
    with pytest.raises(Halt, match="does not follow its parent"):
        replay(records[:2] + records[3:])
    with pytest.raises(Halt, match="which is not there"):
        replay([*records, Rewound(9)])
    with pytest.raises(Halt, match="which is not there"):
        replay([Rewound(0)])
