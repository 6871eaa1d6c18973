"""What ails the nodes of a devnet, told when it begins and when it is over."""

from collections.abc import Callable, Mapping

from node.clock import Clock
from node.errors import Retry
from node.rpc.client import VenueClient
from node.rpc.errors import RpcError

LOOK_SECONDS = 5.0


class Health:
    """Asks every node by its JSON-RPC; each problem is told once."""

    def __init__(
        self, nodes: Mapping[str, VenueClient], clock: Clock, tell: Callable[[str], None]
    ) -> None:
        self._nodes = nodes
        self._clock = clock
        self._tell = tell
        self._known: dict[str, list[str]] = {name: [] for name in nodes}

    async def run(self) -> None:
        """Look every LOOK_SECONDS until cancelled."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Ask all nodes once, and tell what changed."""
        for name, node in self._nodes.items():
            problems, known = await _problems(node), self._known[name]
            for problem in problems:
                if problem not in known:
                    self._tell(f"{name}: {problem}")
            if known and not problems:
                self._tell(f"{name}: well again")
            self._known[name] = problems


async def _problems(node: VenueClient) -> list[str]:
    try:
        return (await node.status()).problems
    except (Retry, RpcError) as error:
        return [f"it does not answer: {error}"]
