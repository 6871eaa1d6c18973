"""A rollup on an L1 of each kind, for programs of other people to use."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders import MICRO_DOLLAR, listing
from l1_venue import GOVERNOR, PARAMETERS, SEQUENCER, TRADERS, person
from npm_packages import program

from contracts.compiler import Interface, compile_contract
from node.clock import SystemClock
from node.config import ANVIL
from node.deploy import Contracts, Deployment, Venue, deploy
from node.devnet.anvil import AnvilConfig, find_anvil, run_anvil
from node.l1.client import L1Client
from node.l1.config import L1Config
from node.l1.sender import TransactionSender
from node.l1.server import L1Server

HOST, CHAIN_ID = "127.0.0.1", 31_337
PURSE = 10_000 * MICRO_DOLLAR
CLOCK = SystemClock()


@dataclass(frozen=True)
class ForeignVenue:
    """What somebody is told who brings their own tools: where things are, and ABIs."""

    url: str
    token: str
    rollup: str
    deployment: Deployment

    @staticmethod
    def abi(name: str) -> Interface:
        return compile_contract(name).abi


@asynccontextmanager
async def running_anvil(block_time: float = 0, data: Path | None = None) -> AsyncIterator[str]:
    """The URL of an anvil of its own; the test is skipped where there is none."""
    program(ANVIL)
    config = AnvilConfig(
        program=find_anvil(os.environ),
        host=HOST,
        port=0,
        chain_id=CHAIN_ID,
        block_time=block_time,
        data_directory=data,
    )
    stop = asyncio.Event()
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run_anvil(config, stop, started=listening.set_result))
    try:
        await asyncio.wait((running, listening), return_when=asyncio.FIRST_COMPLETED)
        assert listening.done(), "anvil ended before it listened"
        yield listening.result()
    finally:
        stop.set()
        await running


@asynccontextmanager
async def running_l1(kind: str, **settings: Any) -> AsyncIterator[str]:
    """The URL of an L1 of this kind, which mines each transaction at once."""
    if kind == ANVIL:
        async with running_anvil(**settings) as url:
            yield url
        return
    async with L1Server(L1Config(port=0), CLOCK) as server:
        yield server.url


def sender_of(client: L1Client, name: str) -> TransactionSender:
    return TransactionSender(client, person(name).private, CLOCK, chain_id=CHAIN_ID)


async def deployed(client: L1Client) -> Deployment:
    """A rollup with one market, and token in the purses of the traders."""
    return await deploy(
        client,
        sender_of(client, GOVERNOR),
        Contracts.compiled(compile_contract),
        Venue(
            sequencer=person(SEQUENCER).address,
            parameters=PARAMETERS,
            listings=(listing(),),
            purses=tuple((person(name).address, PURSE) for name in TRADERS),
        ),
    )


@asynccontextmanager
async def foreign_venue(kind: str) -> AsyncIterator[ForeignVenue]:
    async with running_l1(kind) as url, L1Client(url) as client:
        found = await deployed(client)
        token, rollup = ("0x" + address.hex() for address in (found.token, found.rollup))
        yield ForeignVenue(url, token, rollup, found)
