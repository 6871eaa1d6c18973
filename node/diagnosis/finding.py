"""What was looked at, what was found, and what to do about it."""

from typing import Literal

import msgspec

Level = Literal["ok", "warn", "fail"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `mend` is empty where nothing need be done."""

    name: str
    level: Level
    found: str
    expected: str = ""
    mend: str = ""


def judged(name: str, is_good: bool, found: str, expected: str, mend: str) -> Finding:
    """ok, or else a failure with its mend."""
    return Finding(name, "ok" if is_good else "fail", found, expected, "" if is_good else mend)


def advised(name: str, is_good: bool, found: str, expected: str, mend: str) -> Finding:
    """ok, or else a warning with its mend: a node runs without it."""
    return Finding(name, "ok" if is_good else "warn", found, expected, "" if is_good else mend)
