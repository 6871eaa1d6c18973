"""The bots' process: an oracle publisher and a market maker, with public keys."""

import asyncio
from collections.abc import Callable

import structlog

from node.clock import Clock
from node.config import BotsConfig
from node.devnet.market_maker import MarketMaker
from node.devnet.people import CHAIN_ID, person
from node.devnet.price_feed import PriceFeed
from node.devnet.prices import price_path
from node.errors import Halt
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.rpc.client import VenueClient
from node.settlement import deposit
from node.stopping import run_until

log = structlog.get_logger(__name__)

WAIT_SECONDS = 0.2


async def run_bots(
    config: BotsConfig, clock: Clock, stop: asyncio.Event, announce: Callable[..., None]
) -> None:
    """Fund the market maker, then publish and quote until `stop` is set."""
    path = price_path(config.history)
    log.info("prices", source=path.source, bars=len(path.bars))
    async with (
        VenueClient(config.rpc, clock=clock) as venue,
        L1Client(config.l1, clock=clock) as l1,
    ):
        feed = PriceFeed(
            config,
            path,
            venue=venue,
            l1=l1,
            private_key=person("publisher").private_key,
            clock=clock,
        )

        async def quote() -> None:
            maker = await market_maker(config, venue, l1, clock)
            announce(maker=maker.account, source=path.source)
            await maker.run(config.price_seconds)

        async def both() -> None:
            async with asyncio.TaskGroup() as bots:
                bots.create_task(feed.run())
                bots.create_task(quote())

        await run_until(stop, both())


async def market_maker(
    config: BotsConfig, venue: VenueClient, l1: L1Client, clock: Clock
) -> MarketMaker:
    """The market maker, its collateral on the venue: deposited now unless it is there."""
    key = person("maker")
    terms = await venue.config()
    if terms.chain_id != CHAIN_ID:
        raise Halt(f"the bots sign with public keys, and chain {terms.chain_id} is no devnet")
    accounts = await venue.accounts(key.address)
    if not accounts:
        sender = TransactionSender(l1, key.private_key, clock, chain_id=terms.chain_id)
        await deposit(RollupReader(l1, bytes(terms.rollup)), sender, config.collateral)
    while not accounts:
        await clock.sleep(WAIT_SECONDS)
        accounts = await venue.accounts(key.address)
    return MarketMaker(venue, key.private_key, accounts[0].account, config.ladder, clock)
