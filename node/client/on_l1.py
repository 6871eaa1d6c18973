"""A venue as L1 knows it: what its signatures hold for, and the state roots that were claimed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from contracts import events, views
from contracts.views import ClaimStatus
from node.clock import SystemClock
from node.errors import Retry
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.rpc.amounts import MICRO_PLACES, decimal, read_money
from node.settlement import Deposit, deposit
from state.batch import Output, claim_id, decode_output
from state.eip712 import Domain
from state.limits import AMOUNT_MICRO_MAX

_WORD = 32


class ClaimedOutput(Struct, frozen=True):
    """What somebody put a bond on; confirmed once its window passed without a rival."""

    claim: bytes
    output: Output
    is_confirmed: bool


class VenueOnL1:
    """One rollup, read through an L1 endpoint that its reader trusts."""

    def __init__(self, reader: RollupReader) -> None:
        self.reader = reader

    async def domain(self) -> Domain:
        """What signatures of this venue are bound to. WrongRollup where there is no rollup."""
        return (await self.reader.deployment()).domain

    async def claims(self, batch: int) -> list[ClaimedOutput]:
        """The claims on a batch; more than one means that somebody is wrong."""
        logs = await self.reader.client.logs(
            address=self.reader.address,
            topics=[events.CLAIMED.topic, batch.to_bytes(_WORD, "big")],
            first=await self.reader.read(views.DEPLOYED_AT),
            last=await self.reader.client.block_number(),
        )
        found = []
        for log in logs:
            told = events.CLAIMED.decode(log.topics, log.data)
            output = decode_output(told.output)
            if claim_id(told.parent, output) != told.claim or output.batch != batch:
                raise Retry(f"L1's log of claim 0x{told.claim.hex()} is of another one")
            record = await self.reader.read(views.CLAIM_RECORD, told.claim)
            is_confirmed = record.status == ClaimStatus.CONFIRMED
            found.append(ClaimedOutput(told.claim, output, is_confirmed))
        return found

    async def deposit(self, private_key: bytes, amount: str, *, subaccount: int = 0) -> Deposit:
        """Pay `amount` USDC of the key's address in; the venue takes it within its inbox delay.

        NotNow where the address has less, InvalidParams where the amount is none.
        """
        micro = read_money(decimal(amount), MICRO_PLACES, AMOUNT_MICRO_MAX)
        chain_id = await self.reader.client.chain_id()
        sender = TransactionSender(
            self.reader.client, private_key, SystemClock(), chain_id=chain_id
        )
        return await deposit(self.reader, sender, micro, subaccount)


@asynccontextmanager
async def venue_on_l1(url: str, rollup: bytes) -> AsyncIterator[VenueOnL1]:
    """`async with venue_on_l1(url, address) as l1`: connected to the rollup at an address."""
    async with L1Client(url) as client:
        yield VenueOnL1(RollupReader(client, rollup))


async def domain_on_l1(url: str, rollup: bytes) -> Domain:
    """The domain to sign for, from L1 and an address that one trusts, not from a node's word."""
    async with venue_on_l1(url, rollup) as l1:
        return await l1.domain()
