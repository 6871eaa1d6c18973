"""A trader on a devnet in one line: what the programs in `examples/` have in common.

Devnets have accounts whose keys everybody knows, so these sign for a devnet's chain only.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from node.client.client import Client
from node.client.on_l1 import venue_on_l1
from node.client.proofs import BadProof
from node.client.trader import Trader
from node.clock import SystemClock
from node.config import L1_URL, SEQUENCER_URL
from node.devnet.people import CHAIN_ID, UnknownPerson, person
from node.errors import Halt, Retry
from node.rpc.errors import RpcError
from node.settlement import NotNow

DEPOSIT = "50000"
"""USDC that a devnet's person begins with on the venue."""

CREDIT_SECONDS, POLL_SECONDS = 60.0, 0.2


Failed = TypeVar("Failed", bound=BaseException)


@dataclass(frozen=True, slots=True)
class Desk:
    """A trader with money in its account, and the client it trades through."""

    client: Client
    trader: Trader


class OtherChain(Exception):
    """Public keys are for devnets."""

    def __init__(self, chain_id: int) -> None:
        super().__init__(
            f"this is chain {chain_id} and no devnet ({CHAIN_ID}): whatever a public key owns "
            "there, anybody may take; write a program of your own with a key of your own"
        )


def parser(says: str | None, *, name: str = "alice") -> argparse.ArgumentParser:
    """The options of an example; the environment gives the defaults, as for `tallystick`."""
    found = argparse.ArgumentParser(
        description=says, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    told = os.environ.get
    found.add_argument("--rpc", default=told("TALLYSTICK_RPC", SEQUENCER_URL), help="a node's URL")
    found.add_argument("--l1", default=told("TALLYSTICK_L1", L1_URL), help="the URL of L1")
    found.add_argument("--from", dest="name", default=name, help="who trades, such as alice")
    found.add_argument("--seconds", type=float, help="how long; until Ctrl-C if left out")
    return found


@asynccontextmanager
async def desk(rpc: str, l1: str, name: str) -> AsyncIterator[Desk]:
    """`name` on the devnet at these URLs, with DEPOSIT paid in where there is no account yet."""
    who = person(name)
    async with Client(rpc) as client:
        await fund(client, l1, who.private_key, who.address)
        yield Desk(client, await client.trader(who.private_key))


async def fund(client: Client, l1: str, private_key: bytes, address: bytes) -> None:
    """Open an account by a deposit on L1, unless there is one. OtherChain where it is no devnet."""
    terms, clock = await client.config(), SystemClock()
    if terms.chain_id != CHAIN_ID:
        raise OtherChain(terms.chain_id)
    if await client.accounts(address):
        return
    async with venue_on_l1(l1, bytes(terms.rollup)) as venue:
        await venue.deposit(private_key, DEPOSIT)
    give_up = clock.monotonic() + CREDIT_SECONDS
    while not await client.accounts(address):
        if clock.monotonic() > give_up:
            raise Retry(f"L1 has the deposit; the venue did not take it in {CREDIT_SECONDS:g} s")
        await clock.sleep(POLL_SECONDS)


def play(work: Callable[[Desk], Awaitable[None]], says: str | None, *, name: str) -> None:
    """Run `work` at the desk that the command line names."""
    given = parser(says, name=name).parse_args()

    async def at_the_desk() -> None:
        async with desk(given.rpc, given.l1, given.name) as found:
            await limited(work(found), given.seconds)

    run(at_the_desk())


async def limited(work: Awaitable[None], seconds: float | None) -> None:
    """Until it ends or the time is over; None is no limit."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work


def run(work: Coroutine[Any, Any, None]) -> None:
    """Until it ends, or Ctrl-C."""
    with told_in_a_line():
        asyncio.run(work)


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """What fails within is told in a line, with exit code 1; Ctrl-C ends it quietly."""
    failures: list[str] = []
    try:
        yield
    except* KeyboardInterrupt:
        pass
    except* RpcError as refusals:
        failures += [f"{one}; {one.data['mend']}" for one in _each(refusals)]
    except* (Retry, Halt, NotNow, BadProof, OtherChain, UnknownPerson) as faults:
        failures += [str(one) for one in _each(faults)]
    if failures:
        sys.exit(f"error: {failures[0]}")


def _each(group: BaseExceptionGroup[Failed]) -> list[Failed]:
    """The exceptions of a group, however deep."""
    found: list[Failed] = []
    for one in group.exceptions:
        found += _each(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found
