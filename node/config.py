"""Settings of the processes, each read once at its start and never changed.

They come from command-line flags, and every flag has a twin in the environment.
"""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from contracts.calls import Parameters
from contracts.disputes import DisputeParameters
from node.devnet.quotes import Ladder
from node.modes import OPTIMISTIC
from prover.dispute.terms import FAST

HOST = "127.0.0.1"
L1_PORT, SEQUENCER_PORT, FOLLOWER_PORT = 8545, 9545, 9546
L1_URL = f"http://{HOST}:{L1_PORT}"
SEQUENCER_URL = f"http://{HOST}:{SEQUENCER_PORT}"
FOLLOWER_URL = f"http://{HOST}:{FOLLOWER_PORT}"

EMBEDDED, ANVIL = "embedded", "anvil"
L1_KINDS = (EMBEDDED, ANVIL)
"""What a devnet can start as its L1."""

BATCH_SECONDS = 5.0
"""A claimant needs two L1 blocks for every batch: sealing faster than that, it falls behind."""

DOLLAR_MICRO = 10**6
DOLLAR_NANO = 10**9


class BotsConfig(Struct, frozen=True, kw_only=True):
    """Prices and liquidity on a devnet. Times in seconds, money in micro-USDC.

    A bar of the history stands for `bar_seconds`; its price is signed anew every
    `price_seconds`, since a price counts only while it is fresh. `cursor` remembers
    which bar came last.
    """

    rpc: str
    l1: str
    cursor: Path
    history: Path | None = None
    price_seconds: float = 1.0
    bar_seconds: float = 1.0
    collateral: int = 2_000_000 * DOLLAR_MICRO
    ladder: Ladder = Ladder(
        levels=4, inner=300, step=500, tolerance=400, notional=20_000 * DOLLAR_NANO
    )


class DevnetConfig(Struct, frozen=True, kw_only=True):
    """A whole venue on one machine. Port 0 takes any that is free; times in seconds.

    Without `data` everything lives in a folder that is removed at the end. `l1` is a kind of
    L1 to start, or the URL of one that runs already. Where `evil` names a kind of lie there is
    no claimant: who claims is started later, and lies. `mode` is one of node.modes; where claims
    are proven no window is waited for.
    """

    data: Path | None = None
    l1: str = EMBEDDED
    l1_port: int = L1_PORT
    sequencer_port: int = SEQUENCER_PORT
    follower_port: int = FOLLOWER_PORT
    block_seconds: float = 1.0
    batch_seconds: float = BATCH_SECONDS
    claim_window: int = FAST.claim_window
    price_seconds: float = 1.0
    bar_seconds: float = 1.0
    price_age_max: int = 60
    history: Path | None = None
    config_out: Path | None = None
    evil: str = ""
    has_challenger: bool = True
    mode: str = OPTIMISTIC

    @property
    def parameters(self) -> Parameters:
        """What the rollup is deployed with; only the window is a matter of taste."""
        return Parameters(
            inbox_delay=60,
            force_delay=600,
            time_lag_max=300,
            claim_window=self.claim_window,
            claim_bond=FAST.claim_bond,
            parameter_delay=10,
        )

    @property
    def dispute_parameters(self) -> DisputeParameters:
        """How this devnet decides between claims: fast, and after the window of rivals."""
        entry_window = self.claim_window + FAST.entry_time
        return DisputeParameters(**asdict(FAST.dispute) | {"entry_window": entry_window})
