"""What the demonstration came to, and where its numbers are read off."""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from contracts import events, views
from node.devnet.acts import Refused
from node.l1.answers import L1Log
from node.rollup import RollupReader
from node.rollup_events import BatchPosted
from node.rpc.amounts import usdc
from node.rpc.client import VenueClient
from state.batch import Output, decode_output

BYTES_PER_ORDER_MAX = 100


class StoryFailed(Exception):
    """Something does not hold that must."""


def expect(what: str, found: object, expected: object) -> None:
    """StoryFailed, with both values, unless they are equal."""
    if found != expected:
        raise StoryFailed(f"{what}: expected {expected}, found {found}")


class Posted(Struct, frozen=True):
    """What is on L1 up to a batch. `payload` are the compressed bytes of all its chunks."""

    batches: int
    orders: int
    fills: int
    transactions: int
    payload: int

    @property
    def bytes_per_order(self) -> float:
        """Everything posted, prices, cancels and signatures included, for each order."""
        return self.payload / max(self.orders, 1)


class Outcome(Struct, frozen=True, kw_only=True):
    """The demonstration in numbers. `withdrawn` is in micro-USDC, `seconds` without set-up.

    `settlement` is how L1 took the claim: claimed, or proven and by what.
    """

    orders: int
    fills: int
    batches: int
    transactions: int
    bytes_posted: int
    bytes_per_order: float
    sequencer_root: str
    follower_root: str
    claimed_root: str
    conserved: bool
    deposited: int
    withdrawn: int
    withdrawn_usdc: str
    refused: Mapping[str, str]
    statuses: Mapping[str, int]
    seconds: float
    settlement: str
    set_up_seconds: float = 0.0

    @classmethod
    def of(
        cls,
        *,
        posted: Posted,
        refused: list[Refused],
        statuses: Counter[str],
        roots: tuple[bytes, bytes],
        output: Output,
        withdrawn: int,
        seconds: float,
        settlement: str,
    ) -> "Outcome":
        """StoryFailed where an order takes more of L1 than it may."""
        if posted.bytes_per_order > BYTES_PER_ORDER_MAX:
            raise StoryFailed(
                f"an order takes {posted.bytes_per_order:.1f} bytes of L1, "
                f"at most {BYTES_PER_ORDER_MAX} were promised"
            )
        return cls(
            orders=posted.orders,
            fills=posted.fills,
            batches=posted.batches,
            transactions=posted.transactions,
            bytes_posted=posted.payload,
            bytes_per_order=round(posted.bytes_per_order, 2),
            sequencer_root="0x" + roots[0].hex(),
            follower_root="0x" + roots[1].hex(),
            claimed_root="0x" + output.state_root.hex(),
            conserved=output.is_conserved,
            deposited=output.deposited // 1_000,
            withdrawn=withdrawn,
            withdrawn_usdc=usdc(withdrawn),
            refused={one.attempt: one.reason for one in refused},
            statuses=dict(statuses.most_common()),
            seconds=round(seconds, 2),
            settlement=settlement,
        )


async def posted_bytes(reader: RollupReader, venue: VenueClient, last: int) -> Posted:
    """Batches 1 to `last`: bytes from L1's logs, what is in them from the node's records."""
    first_block = await reader.read(views.DEPLOYED_AT)
    found = await reader.scan(first_block, await reader.client.block_number())
    payloads = {
        event.number: len(event.payload) for event in found if isinstance(event, BatchPosted)
    }
    missing = [number for number in range(1, last + 1) if number not in payloads]
    if missing:
        raise StoryFailed(f"L1 has no log of batches {missing}")
    records = [await venue.batch(number) for number in range(1, last + 1)]
    voided = [record.number for record in records if record.void]
    if voided:
        raise StoryFailed(f"batches {voided} are void")
    return Posted(
        batches=last,
        orders=sum(record.orders for record in records),
        fills=sum(record.fills for record in records),
        transactions=sum(record.transactions for record in records),
        payload=sum(payloads[number] for number in range(1, last + 1)),
    )


async def settled_output(reader: RollupReader, batch: int) -> Output:
    """The output of the confirmed claim on `batch`, from L1's logs."""
    number = batch.to_bytes(32, "big")

    async def logs(topic: bytes) -> list[L1Log]:
        return await reader.client.logs(
            address=reader.address,
            topics=[topic, number],
            first=await reader.read(views.DEPLOYED_AT),
            last=await reader.client.block_number(),
        )

    settled = {log.topics[2] for log in await logs(events.CONFIRMED.topic)}
    for log in await logs(events.CLAIMED.topic):
        claimed = events.CLAIMED.decode(log.topics, log.data)
        if claimed.claim in settled:
            return decode_output(claimed.output)
    raise StoryFailed(f"L1 has no log of a confirmed claim on batch {batch}")
