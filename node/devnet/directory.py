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
    devnet runs there, and where `data` holds what no devnet made: of any name if it is to be
    reset, else of a name that a devnet would use, which a later reset could not tell apart.
    """
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        _check_own(data, reset=reset)
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


def _check_own(data: Path, *, reset: bool) -> None:
    """A venue that is no devnet's may use all our names but the lock's and the bots'."""
    entries = sorted(data.iterdir())
    names = {entry.name for entry in entries}
    foreign = set[str]()
    if reset:
        foreign = {one.name for one in entries if one.name not in _OWN or one.is_symlink()}
    if LOCK not in names and not names >= {DEPLOYMENT, "bots"}:
        foreign |= names if reset else names & _OWN
    if foreign:
        raise Halt(
            f"{data} holds {min(foreign)!r}, which no devnet put there, so nothing is removed or "
            "begun: name an empty folder, or one that a devnet made"
        )


def _clear(data: Path) -> None:
    """The lock stays: it is held."""
    for entry in data.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
