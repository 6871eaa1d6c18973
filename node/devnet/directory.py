"""The folder of a devnet: one devnet at a time lives in it, and only its own is ever removed."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import Halt

LOCK = "devnet.lock"
DEPLOYMENT = "deployment.json"
_OWN = frozenset(
    {LOCK, DEPLOYMENT, "l1", "sequencer", "follower", "claimant", "bots", "logs", "run"}
)


@contextmanager
def venue_directory(data: Path | None, *, reset: bool = False) -> Iterator[Path]:
    """`data`, or a temporary folder that is removed at the end, but kept after an error.

    `reset` removes first what an earlier devnet left in `data`. Raises Halt where another
    devnet runs there, or where `data` holds what no devnet made and is to be reset.
    """
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        if reset:
            _check_own(data)
        with _locked(data):
            if reset:
                _clear(data)
            yield data.resolve()
        return
    directory = Path(tempfile.mkdtemp(prefix="tallystick-"))
    try:
        yield directory
    except Exception:
        raise
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    with (data / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Halt(f"{data} is in use by another devnet: stop that one") from None
        yield


def _check_own(data: Path) -> None:
    entries = sorted(data.iterdir())
    names = {entry.name for entry in entries}
    foreign = [entry.name for entry in entries if entry.name not in _OWN or entry.is_symlink()]
    if not foreign and names and names.isdisjoint((LOCK, DEPLOYMENT)):
        foreign = sorted(names)
    if foreign:
        raise Halt(
            f"{data} holds {foreign[0]!r}, which no devnet put there, so nothing is removed: "
            "name a folder that a devnet made, or remove it yourself"
        )


def _clear(data: Path) -> None:
    """The lock stays: it is held."""
    for entry in data.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
