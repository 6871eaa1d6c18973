"""What a follower makes of the batches that the load left on L1, and what they cost there."""

from collections.abc import Sequence
from time import process_time

from node.benchmark.devnet import LoadedVenue
from node.benchmark.end_to_end import Run
from node.benchmark.figures import Figure, Gauge, of_r, single
from node.benchmark.load import LoadFailed
from node.followed import Followed
from node.rollup_events import BatchPosted, RollupEvent

GAS_OF_AN_ORDER = "gas of an order on L1"


async def measure_following(
    venue: LoadedVenue, gauge: Gauge, runs: Sequence[Run], *, rounds: int
) -> list[Figure]:
    """Everything on L1 is read and executed from genesis, every sum recomputed after each batch.

    LoadFailed where that does not come to the sequencer's root, or lacks an acknowledged order.
    """
    terms = await venue.reader.deployment()
    events = await venue.reader.scan(terms.deployed_at, await venue.l1.block_number())
    replayed: list[Followed] = []

    def replay() -> float:
        replayed[:] = [Followed(terms)]
        began = process_time()
        done = sum(_orders(replayed[0], event) for event in events)
        return done / (process_time() - began)

    samples = gauge.interleaved(replay, rounds)
    followed = replayed[0]
    await _check(venue, followed, runs)
    fastest = max(run.outcome.rate / run.r for run in runs if run.plan.rate is None)
    figure = of_r("follower, replay from L1", samples, "orders/s", note=_told(followed))
    times = figure.ratio / fastest if figure.ratio else 0.0
    return [
        figure,
        single("follower to end to end", times, "times", aim=">= 1.5", note="both in R"),
        *await _costs(venue, followed, events),
    ]


def _orders(followed: Followed, event: RollupEvent) -> int:
    replayed = followed.take(event)
    return 0 if replayed is None else replayed.transactions


def _told(followed: Followed) -> str:
    transactions = sum(batch.record.transactions for batch in followed.batches)
    return f"{transactions:,} transactions in {len(followed.batches)} batches, roots as sequenced"


async def _check(venue: LoadedVenue, followed: Followed, runs: Sequence[Run]) -> None:
    last = followed.batches[-1].record
    sequenced = await venue.client.batch(last.number)
    if bytes(sequenced.state_root) != last.state_root:
        raise LoadFailed(f"follower and sequencer differ in the root of batch {last.number}")
    promised = sum(run.outcome.acknowledged + run.outcome.prepared for run in runs)
    found = sum(batch.record.transactions for batch in followed.batches)
    if found < promised:
        raise LoadFailed(f"{promised} transactions were acknowledged, L1 has {found}")


async def _costs(
    venue: LoadedVenue, followed: Followed, events: Sequence[RollupEvent]
) -> list[Figure]:
    """Gas of `post_batch` and compressed bytes, by order, over the batches that hold many."""
    records = {batch.record.number: batch.record for batch in followed.batches}
    gas, size, orders, posted = 0, 0, 0, 0
    for event in events:
        if not isinstance(event, BatchPosted) or records[event.number].transactions < 100:
            continue
        receipt = await venue.l1.receipt(event.transaction)
        assert receipt is not None, "a batch that was read has a receipt"
        gas += receipt.gas_used
        size += len(event.payload)
        orders += records[event.number].transactions
        posted += 1
    if not orders:
        return []
    told = f"{posted} batches of {orders // posted} orders"
    return [
        single(GAS_OF_AN_ORDER, gas / orders, "gas", note=f"post_batch, {told}"),
        single(
            "bytes of an order on L1", size / orders, "bytes", note="compressed, with signature"
        ),
    ]
