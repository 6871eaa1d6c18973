"""Compiled contracts kept on disk, since compiling takes longer than the rest of a start.

A file per contract: the keccak of what follows, then fingerprint and artifact. One that is
damaged, or of other sources or another compiler, is compiled again and replaced. A cache
that cannot be written costs time and nothing else.
"""

import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec

from contracts.compiler import SOURCES, Artifact, compile_contract, fingerprint
from state.crypto import keccak

DIGEST_BYTES = 32


class Entry(msgspec.Struct, frozen=True):
    """What a file holds."""

    fingerprint: str
    artifact: Artifact


def cache_directory(environment: Mapping[str, str]) -> Path:
    """`TALLYSTICK_CACHE`, or `tallystick` in the user's cache folder."""
    chosen = environment.get("TALLYSTICK_CACHE")
    if chosen:
        return Path(chosen)
    home = environment.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "tallystick"


def cached_artifact(name: str, directory: Path, sources: Path = SOURCES) -> Artifact:
    """The contract `name` of `sources`, compiled only where `directory` lacks it."""
    wanted = fingerprint(sources)
    path = directory / f"{name}.artifact"
    entry = _read(path)
    if entry is not None and entry.fingerprint == wanted and entry.artifact.name == name:
        return entry.artifact
    artifact = compile_contract(name, sources)
    _write(path, Entry(wanted, artifact))
    return artifact


def compile_missing(names: Sequence[str], directory: Path, sources: Path = SOURCES) -> None:
    """Put those of `names` into `directory` that it lacks, compiled by as many processes as there
    are cores: the contracts of a step take half a minute one after the other.
    """
    wanted = fingerprint(sources)
    entries = {name: _read(directory / f"{name}.artifact") for name in names}
    missing = [
        name for name, entry in entries.items() if entry is None or entry.fingerprint != wanted
    ]
    if len(missing) < 2:
        return
    workers = min(len(missing), os.cpu_count() or 1)
    # Spawned: a fork of a process with threads can stand still for ever.
    spawned = get_context("spawn")
    compiled = partial(compile_contract, folder=sources)
    try:
        with ProcessPoolExecutor(workers, spawned, _ignore_interrupts) as pool:
            for name, artifact in zip(missing, pool.map(compiled, missing), strict=True):
                _write(directory / f"{name}.artifact", Entry(wanted, artifact))
    except BrokenProcessPool:
        return  # what is missing is compiled by whoever asks for it


def _ignore_interrupts() -> None:
    """Ctrl-C is for the process that waits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read(path: Path) -> Entry | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    if keccak(body) != digest:
        return None
    try:
        return msgspec.msgpack.decode(body, type=Entry)
    except msgspec.DecodeError:
        return None


def _write(path: Path, entry: Entry) -> None:
    """All of the file or none of it: another process may be reading."""
    body = msgspec.msgpack.encode(entry)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(keccak(body) + body)
        os.replace(file.name, path)
    except OSError:
        return
