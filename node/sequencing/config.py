"""Settings of the sequencer service."""

from pathlib import Path

from msgspec import Struct

from node.sequencing.engine import EngineConfig
from node.snapshot_policy import SnapshotPolicy


class SequencerConfig(Struct, frozen=True, kw_only=True):
    """Settings of the service. `rollup` is its address, `queue_max` counts transactions.

    `confirmations` are the blocks under L1's head that are not believed yet. Where L1 is
    silent for longer than `silence_seconds` nothing is taken. At most `posting_ahead` batches
    are on their way to L1 at once; with 1 each waits for the one before. `corrupt_batch` names a
    batch to post with a flipped byte, for drills on a devnet. Snapshots go to the folder
    `snapshots`; without it every restart replays the whole journal. `signature_workers`
    recover signers in processes of their own; with none it is done between two orders.
    """

    journal: Path
    rollup: bytes
    engine: EngineConfig = EngineConfig()
    queue_max: int = 4_096
    poll_seconds: float = 0.5
    tick_seconds: float = 0.05
    silence_seconds: float = 60.0
    confirmations: int = 0
    posting_ahead: int = 4
    corrupt_batch: int | None = None
    snapshots: Path | None = None
    snapshot_policy: SnapshotPolicy = SnapshotPolicy()
    signature_workers: int = 0
