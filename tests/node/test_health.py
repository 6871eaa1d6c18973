"""Problems of a devnet's nodes are told once, and so is their end."""

from fake_clock import FakeClock
from rpc_world import Sequencer, running

from node.devnet.health import Health
from node.rpc.client import VenueClient


async def test_a_problem_is_told_once_and_its_end_too() -> None:
    node, said = Sequencer(), list[str]()
    async with running(node) as rpc:
        health = Health({"sequencer": rpc.client}, FakeClock(), said.append)
        await health.look()
        assert said == []
        node.troubles = ["L1_SILENT: start L1", "JOURNAL: free the disk"]
        await health.look()
        await health.look()
        assert said == ["sequencer: L1_SILENT: start L1", "sequencer: JOURNAL: free the disk"]
        node.troubles = ["JOURNAL: free the disk"]
        await health.look()
        node.troubles = []
        await health.look()
        assert said[2:] == ["sequencer: well again"]


async def test_a_node_that_does_not_answer_is_a_problem() -> None:
    said: list[str] = []
    async with VenueClient("http://127.0.0.1:1") as client:
        health = Health({"follower": client}, FakeClock(), said.append)
        await health.look()
        await health.look()
    (told,) = said
    assert told.startswith("follower: it does not answer: the node at http://127.0.0.1:1")
