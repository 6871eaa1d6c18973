"""A devnet in a process of its own, to be killed: prints its URL and serves until then."""

import asyncio
import sys
from pathlib import Path

from node.l1.config import L1Config
from node.l1.server import run_l1


def announce(url: str) -> None:
    print(url, flush=True)


if __name__ == "__main__":
    config = L1Config(port=0, data_directory=Path(sys.argv[1]))
    asyncio.run(run_l1(config, asyncio.Event(), started=announce))
