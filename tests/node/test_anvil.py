"""anvil as a child: found where it is, run with what a venue needs, and gone when it should be."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from foreign_l1 import CHAIN_ID, HOST, running_anvil
from l1_venue import person

from node.clock import SystemClock
from node.config import DevnetConfig
from node.devnet.anvil import (
    EPOCH_SLOTS,
    GAS_LIMIT,
    TOOLS,
    AnvilConfig,
    NoAnvil,
    find_anvil,
    run_anvil,
)
from node.devnet.l1_kind import start_l1
from node.devnet.supervisor import Supervisor
from node.errors import Halt, WrongChain
from node.l1.client import L1Client


def executable(folder: Path, script: str = "#!/bin/sh\nexit 3\n") -> Path:
    folder.mkdir(parents=True)
    path = folder / "anvil"
    path.write_text(script)
    path.chmod(0o755)
    return path


def config(path: Path, **more: object) -> AnvilConfig:
    fixed = {"program": path, "host": HOST, "port": 0, "chain_id": CHAIN_ID, "block_time": 0.0}
    return AnvilConfig(**(fixed | more))  # type: ignore[arg-type]


def test_it_is_found_among_the_tools_before_path(tmp_path: Path) -> None:
    ours = executable(tmp_path / "tools" / "node_modules" / ".bin")
    theirs = executable(tmp_path / "elsewhere")
    path = {"PATH": str(theirs.parent)}
    assert find_anvil(path | {TOOLS: str(tmp_path / "tools")}) == ours
    assert find_anvil(path | {TOOLS: str(tmp_path / "none")}) == theirs
    with pytest.raises(NoAnvil, match="run `make tools`"):
        find_anvil({TOOLS: str(tmp_path / "none"), "PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["--no-cors"]),
        (
            {"allowed_origins": ("http://a.example", "http://b.example")},
            ["--allow-origin", "http://a.example,http://b.example"],
        ),
        ({"block_time": 1.0}, ["--block-time", "1"]),
        ({"block_time": 0.5}, ["--block-time", "0.5"]),
        ({"data_directory": Path("kept")}, ["--state", "kept/anvil.json"]),
    ],
)
def test_it_is_told_what_was_asked_for(settings: dict[str, object], words: list[str]) -> None:
    command = config(Path("anvil"), **settings).command
    place = command.index(words[0])
    assert command[place : place + len(words)] == words
    assert ("--no-cors" in command) is ("allowed_origins" not in settings)


async def test_an_end_by_itself_is_an_error(tmp_path: Path) -> None:
    path = executable(tmp_path / "bin")
    with pytest.raises(Halt, match="ended by itself with exit code 3"):
        await run_anvil(config(path), asyncio.Event(), started=print)


async def test_it_serves_what_a_venue_needs() -> None:
    async with running_anvil() as url, L1Client(url, expected_chain_id=CHAIN_ID) as client:
        assert "anvil" in await client.request("web3_clientVersion")
        await client.request("anvil_mine", "0x10")
        head, final = [await client.block(tag) for tag in ("latest", "finalized")]
        assert head is not None and final is not None
        assert head.number - final.number == 2 * EPOCH_SLOTS
        block = await client.request("eth_getBlockByNumber", "latest", False)
        assert int(block["gasLimit"], 16) == GAS_LIMIT
        assert await client.balance(person("alice").address) > 10**21
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, int(url.rsplit(":", 1)[1])), timeout=5)


def can_be_asked_to_stop() -> bool:
    """anvil listens a moment before it takes SIGTERM for a request; then it only dies of it."""
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        told = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        )
        if told["Name"].strip() == "anvil":
            return bool(int(told["SigCgt"], 16) >> (signal.SIGTERM - 1) & 1)
    raise AssertionError("there is no anvil among the children")


async def test_its_chain_outlives_it(tmp_path: Path) -> None:
    for blocks in (0, 5):
        async with running_anvil(data=tmp_path / "l1") as url, L1Client(url) as client:
            assert await client.block_number() == blocks
            await client.request("anvil_mine", 5)
            while not can_be_asked_to_stop():
                await asyncio.sleep(0.01)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    found = Supervisor(tmp_path, SystemClock())
    yield found
    assert not found.children, "an L1 of somebody else is nobody's child"


async def test_a_venue_stands_on_an_l1_that_runs(supervisor: Supervisor) -> None:
    async with running_anvil() as url:
        assert await start_l1(DevnetConfig(l1=url), "unused", supervisor) == url
        async with L1Client(url) as client:
            await client.request("anvil_setBalance", "0x" + person("ivan").address.hex(), "0x1")
        with pytest.raises(Halt, match=r"ivan .* has less than 1 ETH .* usual test mnemonic"):
            await start_l1(DevnetConfig(l1=url), "unused", supervisor)
        async with L1Client(url) as client:
            await client.request("anvil_setChainId", 1)
        with pytest.raises(WrongChain, match="has chain id 1, expected 31337"):
            await start_l1(DevnetConfig(l1=url), "unused", supervisor)
