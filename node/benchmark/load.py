"""What the load generator is told, and what it tells: it runs in a process of its own."""

import asyncio
import sys
from enum import StrEnum

import msgspec
from msgspec import Struct

from node.benchmark.figures import Sample
from node.errors import Halt


class LoadFailed(Halt):
    """The load did not come to its end, or did not come to what was sent."""


class Shape(StrEnum):
    """How orders are sent over a WebSocket."""

    FRAMES = "a frame an order"
    RPC_BATCHES = "JSON-RPC batches"
    SUBMIT_BATCHES = "venue_submitBatch"


class Signer(Struct, frozen=True):
    """An account and the key of a devnet that signs for it."""

    account: int
    owner: bytes
    private_key: bytes


class LoadPlan(Struct, frozen=True, kw_only=True):
    """`messages` of the mix over `sockets`, `size` of them in a frame.

    Without `rate` there are `window` frames in flight on each socket, and a next one as soon
    as one is answered. With `rate`, in messages a second over all sockets, every frame has its
    time, whatever became of those before, and its latency is counted from that time.
    `first` is the sequence number from which every account's are new.
    """

    url: str
    chain_id: int
    rollup: bytes
    signers: tuple[Signer, ...]
    messages: int
    shape: Shape
    ticks: int
    expiry: int
    first: int
    size: int = 1
    sockets: int = 4
    window: int = 32
    rate: float | None = None
    seed: int = 1


class LoadOutcome(Struct, frozen=True, kw_only=True):
    """Times are of the machine's monotonic clock, in seconds; `late` is how far behind its
    schedule a frame was sent at the most. `last_batch` is the highest that a receipt names,
    `cpu` what sending and receiving took of a core, without signing.
    """

    acknowledged: int
    refused: dict[str, int]
    signing: Sample
    began: float
    ended: float
    last_batch: int
    prepared: int
    cpu: float = 0.0
    latencies: tuple[float, ...] = ()
    late: float = 0.0

    @property
    def rate(self) -> float:
        """Acknowledged orders a second, from the first send to the last acknowledgement."""
        return self.acknowledged / max(self.ended - self.began, 1e-9)

    def latency(self, share: float) -> float:
        """The latency in seconds that `share` of all orders stayed within."""
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


async def run_load(plan: LoadPlan) -> LoadOutcome:
    """Run `plan` in a process of its own. LoadFailed where that process fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "node.benchmark.load_process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, complaint = await process.communicate(msgspec.json.encode(plan))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:]
        raise LoadFailed(f"the load generator failed: {' '.join(last) or process.returncode}")
    return msgspec.json.decode(told, type=LoadOutcome)
