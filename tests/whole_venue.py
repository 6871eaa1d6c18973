"""The `tallystick` command as a process of its own, for tests of the whole."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment(cache: Path) -> dict[str, str]:
    """Where the rooms are, and what is compiled already."""
    return os.environ | {"PYTHONPATH": str(ROOT), "TALLYSTICK_CACHE": str(cache)}


def start(cache: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a terminal would start it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "node.cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(cache),
        start_new_session=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    """Leave nothing behind, whatever the test came to."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def run(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "node.cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(cache),
        timeout=120,
        check=False,
    )


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or ") Z " not in status.read_text()
