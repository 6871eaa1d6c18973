"""What tests need from npm: found where `make tools` puts it, or on PATH."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from node.devnet.anvil import TOOLS

FOLDER = Path(os.environ.get(TOOLS) or Path(__file__).resolve().parents[1] / ".tools")
MODULES = FOLDER / "node_modules"
SECONDS = 60


def program(name: str) -> Path:
    """The program `name`; the test is skipped where it is absent."""
    found = shutil.which(name, path=str(MODULES / ".bin")) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is neither in {FOLDER.name} nor on PATH: `make tools` installs it")
    return Path(found)


def library(name: str) -> Path:
    """The folder that `import` of `name` is resolved from; skipped without Node.js or `name`."""
    if shutil.which("node") is None:
        pytest.skip(f"there is no Node.js to run {name} with")
    if not (MODULES / name).is_dir():
        pytest.skip(f"{name} is not in {FOLDER.name}: `make tools` installs it")
    return MODULES


def output_of(*command: str | Path, **variables: str) -> str:
    """What a command prints; its complaints where it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=os.environ | {"NO_COLOR": "1"} | variables,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
