"""A venue of test accounts on L1: its contracts and markets, and money for everybody who trades."""

import os

from contracts.calls import Parameters
from contracts.disputes import DisputeParameters
from node.artifacts import cache_directory, cached_artifact, compile_missing
from node.clock import Clock
from node.deploy import Contracts, Deployment, Venue, approve, deploy, senders
from node.devnet.listings import listings
from node.devnet.people import (
    CLAIMANT,
    GOVERNOR,
    LIAR,
    MAKER,
    PUBLISHER,
    SEQUENCER,
    TRADERS,
    person,
)
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.modes import OPTIMISTIC, VALIDITY_MOCK

PURSE = 10_000_000 * 10**6
"""Micro-USDC that everybody who trades is given on L1."""


def compiled() -> Contracts:
    """The contracts, compiled unless the cache of this machine has them."""
    cache = cache_directory(os.environ)
    compile_missing(Contracts.names(), cache)
    return Contracts.proving(lambda name: cached_artifact(name, cache))


async def deploy_devnet(
    client: L1Client,
    contracts: Contracts,
    clock: Clock,
    parameters: Parameters,
    disputes: DisputeParameters,
    price_age_max: int,
    mode: str = OPTIMISTIC,
) -> Deployment:
    """Deploy in the public governor's name. What the rollup may take of traders is approved.

    Where claims are proven, by a mock, the claimant's word is taken.
    """
    chain_id = await client.chain_id()
    governor = TransactionSender(client, person(GOVERNOR).private_key, clock, chain_id=chain_id)
    owners = [person(name) for name in (*TRADERS, MAKER, LIAR)]
    deployment = await deploy(
        client,
        governor,
        contracts,
        Venue(
            sequencer=person(SEQUENCER).address,
            parameters=parameters,
            disputes=disputes,
            attester=person(CLAIMANT).address if mode == VALIDITY_MOCK else None,
            listings=listings(person(PUBLISHER).address, price_age_max),
            purses=tuple((owner.address, PURSE) for owner in owners),
        ),
    )
    keys = [owner.private_key for owner in owners]
    await approve(deployment, senders(client, clock, chain_id, keys))
    return deployment
