"""One of each step contract, the router last: it is told the addresses of the others."""

import os
from collections.abc import Callable
from functools import cache

from contracts.compiler import Artifact
from contracts.step import ROUTER, RULES, router, source
from node.artifacts import cache_directory, cached_artifact

NAMES = (*RULES, ROUTER)

Deploy = Callable[[bytes], bytes]
"""Takes creation code, answers with the address of what it made."""


@cache
def artifact(name: str) -> Artifact:
    """A step contract, compiled once for all processes of one cache."""
    return cached_artifact(source(name), cache_directory(os.environ))


def deploy_steps(deploy: Deploy) -> dict[str, bytes]:
    """The address of each contract, by name."""
    addresses = {name: deploy(artifact(name).creation_code) for name in RULES}
    return addresses | {ROUTER: deploy(router(artifact(ROUTER).creation_code, addresses))}
