"""The venue that every story begins with: deployed once, by the real contracts, and copied."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec import Struct

from contracts.calls import Parameters
from node.artifacts import cache_directory, cached_artifact
from node.clock import Clock
from node.deploy import Contracts, Deployment, Venue, approve, deploy
from node.l1.accounts import BALANCE, dev_accounts
from node.l1.block_file import Record
from node.l1.blocks import Block
from node.l1.client import L1Client
from node.l1.devnet import Devnet, Genesis
from node.l1.evm import Draft, Evm, View
from node.l1.jsonrpc import answer
from node.l1.methods import all_methods
from node.l1.methods.selection import Selection
from node.l1.sender import TransactionSender
from node.rollup import RollupReader, RollupTerms
from node.signatures import address_of
from node.simulation.loop import START, VirtualClock, run_virtual
from state.crypto import keccak
from state.markets import Tier
from state.transactions.list_market import Listing

CHAIN_ID = 31_337
GAS_LIMIT = 60_000_000
URL = "http://l1.invalid"
DOLLAR_MICRO = 10**6

TRADERS = ("alice", "bob", "carol", "dave")
GOVERNOR, SEQUENCER, CLAIMANT, PASSERBY = "grace", "heidi", "ivan", "judy"
"""Who deployed the venue, posts, claims; and somebody who uses what anyone may use."""

BLOCK_SECONDS = 4.0
FINALIZED_DEPTH = 20
PARAMETERS = Parameters(
    inbox_delay=30,
    force_delay=45,
    time_lag_max=96,
    claim_window=8,
    claim_bond=10**17,
    parameter_delay=10,
)
MARK = 50_000_000
"""The price that both markets begin at, in nano-USD per lot."""

TICKS = (100, 1_000)
PUBLISHER = keccak(b"the publisher of every simulated market")


class Origin(Struct, frozen=True):
    """The chain right after the deployment."""

    records: tuple[Record, ...]
    deployment: Deployment
    terms: RollupTerms
    timestamp: int


class RememberingDevnet(Devnet):
    """Keeps what is asked again and again: the states of the last blocks, and the next block.

    That one is made anew where its parent or what waits for it changes, not with the time.
    """

    VIEWS_MAX = 8

    def __init__(self, *parts: Any, **options: Any) -> None:
        super().__init__(*parts, **options)
        self._views: dict[bytes, View] = {}
        self._next: tuple[list[bytes], Draft] | None = None

    def view(self, block: Block) -> View:
        known = self._views.get(block.hash)
        if known is None:
            known = self._views[block.hash] = super().view(block)
            for old in list(self._views)[: -self.VIEWS_MAX]:
                del self._views[old]
        return known

    def pending(self) -> Draft:
        made_of = [self.head.hash, *(transaction.hash for transaction in self.pool)]
        if self._next is None or self._next[0] != made_of:
            self._next = made_of, super().pending()
        return self._next[1]

    def mine(self) -> Block:
        self._next = None
        return super().mine()


class _Recorded:
    """A store that remembers what the devnet wrote."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, record: Record) -> None:
        self.records.append(record)


def private_key(name: str) -> bytes:
    """Of a devnet account."""
    return next(account.private_key for account in dev_accounts() if account.name == name)


def listings() -> tuple[Listing, ...]:
    """A roomy market, and one whose limits are easily met."""
    publisher = address_of(PUBLISHER)
    shared = {
        "lot_exponent": 6,
        "band": 100_000,
        "taker_fee": 500,
        "maker_fee": 100,
        "order_life_max": 90 * 86_400,
        "price_age_max": 3_600,
        "tiers": (Tier(0, 50_000, 30_000),),
        "publishers": ((publisher, 1, 1),),
    }
    return (
        Listing(
            market=0,
            symbol=b"BTC-USD-PERP",
            tick=TICKS[0],
            min_notional=0,
            order_lots_max=10**12,
            open_interest_max=10**15,
            position_max=10**13,
            **shared,  # type: ignore[arg-type]
        ),
        Listing(
            market=1,
            symbol=b"ETH-USD-PERP",
            tick=TICKS[1],
            min_notional=10**8,
            order_lots_max=4_000,
            open_interest_max=9_000,
            position_max=6_000,
            **shared,  # type: ignore[arg-type]
        ),
    )


@cache
def origin() -> Origin:
    """The same in every process: nothing here depends on the machine's clock."""
    where = cache_directory(os.environ)
    contracts = Contracts.compiled(lambda name: cached_artifact(name, where))
    return run_virtual(_deployed(contracts))


def new_devnet(store: _Recorded | None, records: tuple[Record, ...], clock: Clock) -> Devnet:
    """A devnet that goes on from `records`; one that begins mines at once."""
    balances = {account.address: BALANCE for account in dev_accounts()}
    return RememberingDevnet(
        Evm(CHAIN_ID),
        store or _Recorded(),
        records,
        genesis=Genesis(balances, GAS_LIMIT),
        now=clock.now,
        interval=BLOCK_SECONDS if records else 0.0,
    )


async def _deployed(contracts: Contracts) -> Origin:
    clock, store = VirtualClock(), _Recorded()
    devnet = new_devnet(store, (), clock)
    methods = all_methods(
        devnet, Selection(devnet, 0, 0), log_blocks_max=10_000, log_results_max=10_000
    )

    async def post(body: bytes) -> tuple[int, bytes]:
        return 200, await answer(body, methods, inline) or b""

    client = L1Client(URL, clock=clock, post=post)
    governor = _sender(client, GOVERNOR, clock)
    traders = [_sender(client, name, clock) for name in TRADERS]
    venue = Venue(
        sequencer=address_of(private_key(SEQUENCER)),
        parameters=PARAMETERS,
        listings=listings(),
        purses=tuple((trader.address, 10**6 * DOLLAR_MICRO) for trader in traders),
    )
    deployment = await deploy(client, governor, contracts, venue)
    await approve(deployment, traders)
    terms = await RollupReader(client, deployment.rollup).deployment()
    # Blocks that were mined at once are ahead of the clock; the next one must not wait for it.
    assert devnet.head.header.timestamp < START + 60
    return Origin(tuple(store.records), deployment, terms, devnet.head.header.timestamp)


def _sender(client: L1Client, name: str, clock: Clock) -> TransactionSender:
    return TransactionSender(client, private_key(name), clock, chain_id=CHAIN_ID)


async def inline(call: Callable[[], Any]) -> Any:
    """Blocks: in a simulation there is one thread, and computing takes no time."""
    return call()
