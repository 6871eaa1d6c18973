"""The machine: Python, libraries, disk and the programs of others."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from node.clock import Clock
from node.devnet.anvil import TOOLS
from node.diagnosis.finding import Finding, advised, judged
from node.preflight import faults

PYTHONS = ((3, 11), (3, 12))
LOCK = Path(__file__).resolve().parents[2] / "requirements" / "run.txt"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)

FREE_FAIL, FREE_WARN = 2**28, 2**32
"""Bytes: with less a node stops soon, with less somebody should know."""

SYNC_SLOW_SECONDS = 0.05
"""An acknowledgement waits for one sync of the journal."""

SYNCS = 8


def python(version: tuple[int, int]) -> Finding:
    """Whether this Python is one that the locked libraries have wheels for."""
    known = " or ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    found = f"{version[0]}.{version[1]} at {sys.executable}"
    mend = f"make the environment with Python {known}: make setup PYTHON=python3.12"
    return judged("python", version in PYTHONS, found, known, mend)


def libraries(lock: Path = LOCK) -> Finding:
    """Whether every locked library is there in its locked version."""
    try:
        wanted = dict(_PINNED.findall(lock.read_text()))
    except OSError:
        found = "this installation has no requirements/run.txt to compare with"
        return Finding("libraries", "ok", found, "the versions of requirements/run.txt")
    wrong = []
    for name, version in wanted.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = "none"
        if installed != version:
            wrong.append(f"{name} {installed} instead of {version}")
    return judged(
        "libraries",
        not wrong,
        ", ".join(wrong) or f"all {len(wanted)} as locked",
        "the versions of requirements/run.txt",
        "install them again: make setup",
    )


def cryptography() -> list[Finding]:
    """Whether keccak and secp256k1 are those that a node refuses to start without."""
    wrong = [Finding(one.name, "fail", one.found, one.expected, one.mend) for one in faults()]
    expected = "coincurve's C library and pysha3, with right answers"
    return wrong or [Finding("cryptography", "ok", "in C, with right answers", expected)]


def disk(folder: Path, clock: Clock) -> Iterator[Finding]:
    """Whether `folder` can be written and synced, how fast, and how much is free in it."""
    existing = next(
        (one for one in (folder, *folder.absolute().parents) if one.is_dir()), Path("/")
    )
    mend = f"give this user a folder of its own on a local disk (here: {existing})"
    try:
        seconds = _sync_seconds(existing, clock)
    except OSError as error:
        found = f"cannot be written: {error.strerror}"
        yield Finding("disk", "fail", found, "a folder that can be written and synced", mend)
        return
    yield advised(
        "disk",
        seconds <= SYNC_SLOW_SECONDS,
        f"a sync takes {seconds * 1000:.1f} ms in {existing}",
        f"at most {SYNC_SLOW_SECONDS * 1000:.0f} ms: every acknowledgement waits for one",
        "keep the journal on a local SSD",
    )
    free = shutil.disk_usage(existing).free
    yield Finding(
        "space",
        "fail" if free < FREE_FAIL else "warn" if free < FREE_WARN else "ok",
        f"{free / 2**30:.1f} GiB free in {existing}",
        f"{FREE_WARN / 2**30:.0f} GiB",
        "make room: a node whose disk is full stops" if free < FREE_WARN else "",
    )


def _sync_seconds(folder: Path, clock: Clock) -> float:
    """Of several synced writes, the middle one; some devices are slow at the first."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            began = clock.monotonic()
            os.write(file.fileno(), b"tallystick")
            os.fdatasync(file.fileno())
            taken.append(clock.monotonic() - began)
    return sorted(taken)[SYNCS // 2]


def tools(environment: Mapping[str, str]) -> Finding:
    """anvil and cast, which nothing needs but other L1s to try with."""
    folder = environment.get(TOOLS) or str(Path(__file__).resolve().parents[2] / ".tools")
    places = f"{folder}/node_modules/.bin{os.pathsep}{environment.get('PATH', os.defpath)}"
    missing = [name for name in ("anvil", "cast") if shutil.which(name, path=places) is None]
    return advised(
        "tools",
        not missing,
        f"not here: {', '.join(missing)}" if missing else "anvil and cast are here",
        "anvil and cast, to run a devnet on another L1 than the embedded one (optional)",
        "make tools",
    )
