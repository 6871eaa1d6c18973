"""One of each step contract, the router last: it is told the addresses of the others."""

import os
from collections.abc import Callable
from functools import cache

from eth_abi.abi import encode

from contracts.compiler import Artifact
from node.artifacts import cache_directory, cached_artifact

RULES = (
    *("leaves", "admission", "matching", "cancelling", "cash"),
    *("blocks", "prices", "items", "chunks"),
)
"""In the order in which the router's constructor takes their addresses."""

ROUTER = "step"

Deploy = Callable[[bytes], bytes]
"""Takes creation code, answers with the address of what it made."""


@cache
def artifact(name: str) -> Artifact:
    """A step contract, compiled once for all processes of one cache."""
    return cached_artifact(f"steps/{name}", cache_directory(os.environ))


def deploy_steps(deploy: Deploy) -> dict[str, bytes]:
    """The address of each contract, by name."""
    addresses = {name: deploy(artifact(name).creation_code) for name in RULES}
    told = ["0x" + address.hex() for address in addresses.values()]
    code = artifact(ROUTER).creation_code + encode(["address"] * len(told), told)
    return addresses | {ROUTER: deploy(code)}
