"""Where the time goes: cProfile's own times, by stage and by function.

A profiled run is slower, most of all where many small functions call one another, so shares
say where to look and not what would be won. Time in C is that of the function that called it.
"""

import cProfile
import pstats
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

STAGES = (
    ("recovery", ("node/signatures", "node/signers", "coincurve")),
    ("tree", ("state/tree", "state/radix", "state/commitment", "prover/trace", "prover/versions")),
    ("codec", ("state/chunks", "state/lz4_block", "sequencer/payload", "lz4/")),
    ("hashing", ("eth_hash", "state/crypto", "state/eip712")),
    ("rules", ("state/", "sequencer/")),
    ("journal", ("node/journal", "node/disk", "node/records", "node/sequencing/snapshot")),
    ("JSON", ("node/rpc", "msgspec", "json/")),
    ("sequencing", ("node/sequencing", "node/sequencer", "node/view", "node/tape")),
    ("L1", ("node/l1", "node/poster", "node/scanner", "node/rollup", "contracts/", "eth_account")),
    ("network", ("aiohttp", "asyncio", "socket", "selectors", "yarl", "multidict", "ssl")),
)
"""A function is of the first stage of which one of these is in its file's path."""

OTHER = "other"
IDLE = ("select.epoll", "select.poll", "select.select", "time.sleep")
FUNCTIONS_MAX = 8

Place = tuple[str, int, str]


class Spent(Struct, frozen=True, kw_only=True):
    """A stage, or a function with its stage, and its share of the time that was not waiting."""

    name: str
    stage: str
    seconds: float
    share: float
    calls: int = 0


class Profile(Struct, frozen=True, kw_only=True):
    """`busy` seconds, by stage and for the dearest functions of each."""

    title: str
    busy: float
    stages: tuple[Spent, ...]
    functions: tuple[Spent, ...]


def profiled(title: str, work: Callable[[], object]) -> Profile:
    """The profile of `work`, run here."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return summarised(title, pstats.Stats(profile))


def read_profile(title: str, path: Path) -> Profile:
    """The profile that another process left at `path`."""
    return summarised(title, pstats.Stats(str(path)))


def summarised(title: str, stats: pstats.Stats) -> Profile:
    """Stages and functions by what they spent themselves, waiting left out."""
    spent, calls = _own_times(stats)
    busy = sum(spent.values()) or 1e-9
    stages: dict[str, float] = {}
    functions: list[Spent] = []
    for place, seconds in spent.items():
        stage = stage_of(place[0])
        stages[stage] = stages.get(stage, 0.0) + seconds
        functions.append(
            Spent(
                name=_shown(place),
                stage=stage,
                seconds=round(seconds, 4),
                share=round(seconds / busy, 4),
                calls=calls[place],
            )
        )
    return Profile(
        title=title,
        busy=round(busy, 3),
        stages=_by_time(
            Spent(name=name, stage=name, seconds=round(spent, 4), share=round(spent / busy, 4))
            for name, spent in stages.items()
        ),
        functions=_dearest(functions),
    )


def stage_of(file: str) -> str:
    """The stage that a file belongs to."""
    path = file.replace("\\", "/")
    for stage, parts in STAGES:
        if any(part in path for part in parts):
            return stage
    return OTHER


def _own_times(stats: pstats.Stats) -> tuple[dict[Place, float], dict[Place, int]]:
    """Seconds of every Python function itself, what it called in C included, and its calls."""
    spent: dict[Place, float] = {}
    calls: dict[Place, int] = {}
    table: dict[Place, Any] = stats.stats  # type: ignore[attr-defined]
    for place, (_, count, own, _, callers) in table.items():
        if place[0] != "~":
            spent[place] = spent.get(place, 0.0) + own
            calls[place] = count
        elif not any(name in place[2] for name in IDLE):
            for caller, (_, _, part, _) in callers.items():
                spent[caller] = spent.get(caller, 0.0) + part
                calls.setdefault(caller, 0)
    return spent, calls


def _by_time(found: Iterable[Spent]) -> tuple[Spent, ...]:
    return tuple(sorted(found, key=lambda one: -one.seconds))


def _dearest(functions: Iterable[Spent]) -> tuple[Spent, ...]:
    ordered = _by_time(functions)
    by_stage: dict[str, list[Spent]] = {}
    for one in ordered:
        by_stage.setdefault(one.stage, []).append(one)
    return tuple(one for stage in by_stage.values() for one in stage[:FUNCTIONS_MAX])


def _shown(place: Place) -> str:
    """`folder/file.py:function`."""
    file, _, function = place
    return f"{'/'.join(Path(file).parts[-2:])}:{function}"
