"""Settings of the devnet, read once."""

from dataclasses import dataclass, field
from pathlib import Path

from node.connections import ConnectionLimits


@dataclass(frozen=True, slots=True)
class L1Config:
    """`block_time` is in seconds, 0 mines each transaction at once. Port 0 takes a free one.

    `safe` and `finalized` are the head itself unless told otherwise: nothing here reorganises
    but `evm_revert`. Without a `data_directory` the chain ends with its process.
    `idle_seconds_max` bounds the wait for the head of a request.
    """

    host: str = "127.0.0.1"
    port: int = 8545
    chain_id: int = 31_337
    block_time: float = 0.0
    data_directory: Path | None = None
    block_gas_limit: int = 60_000_000
    safe_depth: int = 0
    finalized_depth: int = 0
    allowed_origins: tuple[str, ...] = ()
    body_bytes_max: int = 1_048_576
    body_seconds_max: float = 10.0
    idle_seconds_max: float = 30.0
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    log_blocks_max: int = 10_000
    log_results_max: int = 10_000
