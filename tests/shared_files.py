"""Third-party vectors and market history, which live beside the repository."""

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_path(name: str) -> Path:
    """A file or folder under ../shared; the test is skipped where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/{name} is not here: third-party files are not part of this repo")
    return path


def shared_json(name: str) -> Any:
    """A JSON file under ../shared."""
    return json.loads(shared_path(name).read_text())
