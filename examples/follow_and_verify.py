"""Follow a venue from L1 alone, and check an account and the best orders against L1's roots.

Trusts nothing but the L1 endpoint: every batch is executed here, and what the proofs lead to must
be the state root that somebody claimed on L1 under bond. With a devnet running, whose screen
tells its rollup's address:

    .venv/bin/python examples/follow_and_verify.py --rollup 0x...
"""

import asyncio
import logging
import tempfile
from pathlib import Path

import structlog

from node.client import (
    BadProof,
    Client,
    VenueOnL1,
    venue_on_l1,
    verify_account_proof,
    verify_best_order_proof,
)
from node.client.devnet import limited, parser, run
from node.client.on_l1 import ClaimedOutput
from node.clock import SystemClock
from node.follower import FollowerConfig, FollowerService
from node.rpc.amounts import Grid, usd
from node.rpc.rollup_results import AccountProof, BestOrderProof
from node.rpc.server import serve

ACCOUNT = 1 << 8
"""The first account of the venue's first owner."""


async def follow_and_verify(l1_url: str, rollup: bytes) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        config = FollowerConfig(l1_url=l1_url, rollup=rollup, data_directory=Path(folder))
        follower, stop = FollowerService(config, SystemClock()), asyncio.Event()
        server = await serve(follower)
        following = asyncio.create_task(follower.run(stop))
        try:
            await follower.ready.wait()
            async with Client(server.url) as node, venue_on_l1(l1_url, rollup) as l1:
                await verify(node, l1)
        finally:
            stop.set()
            await following
            await server.close()


async def verify(node: Client, l1: VenueOnL1) -> None:
    """Proofs of the state after a batch, held against a claim on that batch."""
    account, best = await proofs(node)
    print(f"batch {account.roots.batch} executed: state root 0x{account.roots.state_root.hex()}")
    claimed = await claim_on(l1, account.roots.batch)
    root, state = claimed.output.state_root, "confirmed" if claimed.is_confirmed else "pending"
    print(f"claim 0x{claimed.claim.hex()} on it is {state}")

    found = verify_account_proof(account, root, ACCOUNT)
    print(f"proved: account {ACCOUNT} of 0x{found.owner.hex()} has {usd(found.cash)} USD in cash")
    order, market = verify_best_order_proof(best, root, 0, "buy"), await node.market(0)
    grid = Grid(market.lot_exponent, market.tick)
    price = "none" if order is None else grid.price(order.ticks)
    print(f"proved: the best bid of {market.symbol} is {price}, and nothing comes before it")
    try:
        verify_account_proof(account, bytes(32), ACCOUNT)
    except BadProof as lie:
        print(f"and under another root: {lie.reason}")


async def proofs(node: Client) -> tuple[AccountProof, BestOrderProof]:
    """Of an account and the best bid, both of the state after the same batch."""
    while not (await node.status()).safe:
        await asyncio.sleep(0.2)
    while True:
        account, best = await node.account_proof(ACCOUNT), await node.best_order_proof(0, "buy")
        if account.roots == best.roots and account.leaf and best.leaf:
            return account, best
        await asyncio.sleep(0.2)


async def claim_on(l1: VenueOnL1, batch: int) -> ClaimedOutput:
    while not (claims := await l1.claims(batch)):
        await asyncio.sleep(0.5)
    return claims[0]


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--rollup", required=True, help="the rollup's address on L1")
    given = options.parse_args()
    rollup = bytes.fromhex(given.rollup.removeprefix("0x"))
    run(limited(follow_and_verify(given.l1, rollup), given.seconds))
