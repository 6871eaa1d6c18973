"""The two runs that are profiled: the rules alone, and a sequencer under load."""

import tempfile
from pathlib import Path

from node.benchmark.devnet import Setting, loaded_venue
from node.benchmark.end_to_end import Loads
from node.benchmark.figures import Gauge
from node.benchmark.load import Shape
from node.benchmark.profile import Profile, profiled, read_profile
from node.benchmark.rules import Replay, prepared
from node.clock import Clock


def profile_rules(*, accounts: int, messages: int) -> Profile:
    """`rules alone`, once more."""
    replay = Replay(prepared(accounts, messages))
    return profiled("rules alone", replay.measure)


async def profile_sequencer(
    gauge: Gauge,
    clock: Clock,
    setting: Setting,
    *,
    accounts: int,
    messages: int,
    shape: Shape,
) -> Profile:
    """The main thread of a sequencer's process, while it is given that load."""
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        file = Path(folder) / "sequencer.profile"
        async with loaded_venue(clock, accounts, setting, profile=file) as venue:
            venue.begin_profile()
            await Loads(venue, gauge).run(messages, shape)
            await venue.end_sequencer()
        return read_profile(f"sequencer, {messages:,} orders, {shape.value}", file)
