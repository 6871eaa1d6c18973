"""The CPU that other processes have used, as Linux tells it."""

import os
from pathlib import Path

_PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, of those it started, and of those it has outlived.

    0 where the system does not tell.
    """
    stats = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue  # it has just ended
        # The name, in parentheses, may hold anything.
        stats[int(folder.name)] = text[text.rindex(")") + 2 :].split()
    ticks = sum(sum(int(field) for field in stats[one][11:15]) for one in _family(pid, stats))
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(pid: int, stats: dict[int, list[str]]) -> list[int]:
    """The process and its descendants that still run."""
    found = [pid] if pid in stats else []
    for one in found:
        found += [child for child, fields in stats.items() if int(fields[1]) == one]
    return found
