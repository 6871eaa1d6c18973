"""The endpoints: ports of this machine, L1 and its clock, and a node."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from node.clock import Clock
from node.diagnosis.finding import Finding, advised, judged
from node.errors import Halt, L1Error, Retry
from node.l1.answers import L1Block
from node.l1.client import L1Client, Patience
from node.modes import VALIDITY_MOCK
from node.rpc.client import VenueClient
from node.rpc.errors import RpcError

PATIENCE = Patience(answer=5.0, question=2.0)
CLOCK_SECONDS = 30
"""A venue's clock follows this machine's and may lag behind L1's by a bounded time only."""

BLOCK_AGE_SECONDS = 60
CONNECT_SECONDS = 2.0


async def port(name: str, host: str, number: int) -> Finding:
    """Whether something listens there already. Either may be what is wanted."""
    title, place = f"port {number}", f"{host}:{number}"
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, number)
            writer.close()
            await writer.wait_closed()
        who = await _who_answers(f"http://{host}:{number}")
        return Finding(title, "ok", f"{who} at {place}", f"free, or {name}")
    return Finding(title, "ok", f"{place} is free", f"free, or {name}")


async def _who_answers(url: str) -> str:
    async with VenueClient(url, timeout_seconds=CONNECT_SECONDS) as venue:
        with suppress(Retry, RpcError):
            return f"a {(await venue.status()).role} of Tallystick answers"
    client = L1Client(url, patience=Patience(answer=CONNECT_SECONDS, question=0.0))
    try:
        return f"an L1 of chain {await client.chain_id()} answers"
    except (Retry, L1Error, Halt):
        return "something that is neither a node nor an L1 listens"
    finally:
        await client.close()


async def l1(url: str, clock: Clock) -> list[Finding]:
    """Whether L1 answers, has a block that it calls final, goes on, and keeps our time."""
    client = L1Client(url, patience=PATIENCE)
    try:
        chain_id = await client.chain_id()
        head, final = await client.block("latest"), await client.block("finalized")
    except (Retry, L1Error, Halt) as error:
        mend = "start it (tallystick l1), or name another with --l1"
        return [Finding("L1", "fail", f"{url}: {error}", "an Ethereum JSON-RPC", mend)]
    finally:
        await client.close()
    return [
        Finding("L1", "ok", f"chain {chain_id} at {url}", "an Ethereum JSON-RPC"),
        *_l1_blocks(head, final, clock.now()),
    ]


def _l1_blocks(head: L1Block | None, final: L1Block | None, now: float) -> Iterator[Finding]:
    yield judged(
        "L1 finality",
        final is not None,
        f"block {final.number} is final" if final else "it names no final block",
        'an answer to eth_getBlockByNumber("finalized")',
        "use an endpoint that knows final blocks: heads and snapshots wait for them",
    )
    if head is None:
        yield Finding("L1 head", "fail", "no block", "a latest block", "wait until it has synced")
        return
    age = now - head.timestamp
    yield advised(
        "L1 head",
        age <= BLOCK_AGE_SECONDS,
        f"block {head.number}, {max(0.0, age):.0f} s old",
        f"a block of the last {BLOCK_AGE_SECONDS} s",
        "look whether L1 is still syncing, or mines only with transactions",
    )
    yield judged(
        "clock",
        age >= -CLOCK_SECONDS,
        f"L1's is {-age:.0f} s ahead of ours" if age < 0 else "not behind L1's",
        f"at most {CLOCK_SECONDS} s behind L1's last block",
        "set this machine's clock (NTP)",
    )


async def node(url: str) -> list[Finding]:
    """Whether a node answers, how far it is, and what ails it."""
    async with VenueClient(url, timeout_seconds=5.0) as venue:
        try:
            status, terms = await venue.status(), await venue.config()
        except (Retry, RpcError) as error:
            mend = "start it (tallystick sequence, or follow), or name another with --rpc"
            return [Finding("node", "fail", f"{url}: {error}", "the JSON-RPC of a node", mend)]
    heads = (
        f"a {status.role} at {url}: batch {status.unsafe} executed, {status.safe} on L1, "
        f"{status.finalized} final, {status.confirmed} confirmed"
    )
    problems = [
        Finding("node's problem", "fail", problem, "none", "see its log")
        for problem in status.problems
    ]
    found = Finding("node", "ok", heads, "the JSON-RPC of a node")
    return [found, *problems, _claims(terms.mode, terms.proof_system)]


def _claims(mode: str, proof_system: str | None) -> Finding:
    """What the venue's claims are worth: a mock is right where nobody's money is."""
    return advised(
        "claims",
        mode != VALIDITY_MOCK,
        f"{mode} ({proof_system}): one key's word for everything" if proof_system else mode,
        "claims under bond, or proofs that are no mock",
        "fine on a devnet; elsewhere deploy with --mode optimistic",
    )


async def pair(l1_url: str, rpc_url: str) -> list[Finding]:
    """Whether the node's venue stands on that L1. Nothing where one of the two cannot say."""
    client = L1Client(l1_url, patience=PATIENCE)
    try:
        async with VenueClient(rpc_url, timeout_seconds=5.0) as venue:
            terms = await venue.config()
        chain_id, code = await client.chain_id(), await client.code(terms.rollup)
    except (Retry, RpcError, L1Error, Halt):
        return []
    finally:
        await client.close()
    if terms.chain_id == 0:
        return []  # A follower that has not found its venue yet.
    same = chain_id == terms.chain_id
    found = f"the venue is 0x{terms.rollup.hex()} on chain {terms.chain_id}"
    if not same:
        found += f", and L1 is chain {chain_id}"
    elif not code:
        found += ", and L1 has no contract there"
    mend = "name the node's own L1 with --l1, or another node with --rpc"
    return [judged("node and L1", same and bool(code), found, "one venue on one chain", mend)]
