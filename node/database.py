"""Ordered keys and values on disk, as an argument, so that a simulation can hand in its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import plyvel

OpenDatabase = Callable[[Path], Any]
"""Opens the database of a folder: plyvel's `DB`, or what has the same methods."""


def open_leveldb(directory: Path) -> Any:
    """The folder's LevelDB, made where there is none. plyvel.Error where that cannot be."""
    # LevelDB would make an empty database in place of one whose main file is gone.
    is_new = not (directory.is_dir() and any(directory.iterdir()))
    directory.mkdir(parents=True, exist_ok=True)
    return plyvel.DB(str(directory), create_if_missing=is_new, paranoid_checks=True)
