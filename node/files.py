"""Small files that other processes look at."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """All of a file or none of it, whoever reads it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, path)
