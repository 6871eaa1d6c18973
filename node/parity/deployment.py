"""One of each step contract, the router last: it is told the addresses of the others."""

import os
from collections.abc import Callable
from functools import cache

from contracts.compiler import RUNTIME_BYTES_MAX, Artifact
from contracts.step import ROUTER, RULES, router, source
from node.artifacts import cache_directory, cached_artifact

NAMES = (*RULES, ROUTER)

Deploy = Callable[[bytes], bytes]
"""Takes creation code, answers with the address of what it made."""


class TooLarge(Exception):
    """No L1 deploys the contract."""

    def __init__(self, name: str, size: int) -> None:
        super().__init__(
            f"the contract {name} has {size:,} bytes of code, and L1 deploys none of more than "
            f"{RUNTIME_BYTES_MAX:,}; tallystick gas tells the size of each"
        )


@cache
def artifact(name: str) -> Artifact:
    """A step contract, compiled once for all processes of one cache."""
    return cached_artifact(source(name), cache_directory(os.environ))


def sizes() -> dict[str, int]:
    """Bytes of runtime code of each contract, by name."""
    return {name: len(artifact(name).runtime_code) for name in NAMES}


def deploy_steps(deploy: Deploy) -> dict[str, bytes]:
    """The address of each contract, by name. TooLarge where one cannot be deployed anywhere."""
    for name, size in sizes().items():
        if size > RUNTIME_BYTES_MAX:
            raise TooLarge(name, size)
    addresses = {name: deploy(artifact(name).creation_code) for name in RULES}
    return addresses | {ROUTER: deploy(router(artifact(ROUTER).creation_code, addresses))}
