"""The contract measured on the fastest L1 there is here, and compared with the venue."""

import os
import tempfile
from pathlib import Path

from node.benchmark.contract import ContractOutcome, PerpContract
from node.benchmark.figures import Figure, Gauge, Sample, of_r, single
from node.benchmark.following import GAS_OF_AN_ORDER
from node.clock import Clock
from node.config import ANVIL, EMBEDDED
from node.devnet.anvil import NoAnvil, find_anvil
from node.devnet.supervisor import Supervisor
from node.l1.client import L1Client


def engine() -> str:
    """anvil where it is installed, else our own L1."""
    try:
        find_anvil(os.environ)
    except NoAnvil:
        return EMBEDDED
    return ANVIL


async def run_contract(clock: Clock, orders: int, kind: str) -> ContractOutcome:
    """`orders` of the mix on a chain of its own, which ends with this."""
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        supervisor = Supervisor(Path(folder), clock)
        try:
            arguments = ("l1", "--kind", kind, "--port", "0", "--block-time", "0")
            child = await supervisor.start("l1", arguments)
            url = str((await supervisor.ready(child))["url"])
            async with L1Client(url, clock=clock) as client:
                contract = PerpContract(client, clock, await client.chain_id())
                await contract.deploy()
                flow = contract.flow()
                await contract.run(await contract.signed(flow.begin()), kind)
                return await contract.run(await contract.signed(flow.take(orders)), kind)
        finally:
            await supervisor.stop()


async def measure_contract(
    gauge: Gauge, clock: Clock, *, orders: int, venue: list[Figure]
) -> list[Figure]:
    """Orders and trades a second there, gas of an order, and how many times that we are.

    `venue` are the figures of the end-to-end part, none where it was not measured.
    """
    before = gauge.read()
    outcome = await run_contract(clock, orders, engine())
    r = (before + gauge.read()) / 2
    missed = f"{outcome.trades} trades, {outcome.reverted} reverted"
    figures = [
        of_r(
            f"perp contract on {outcome.engine}",
            [Sample(outcome.rate, r)],
            "orders/s",
            note=f"{outcome.orders} of the mix, {missed}; signed before, mined in full blocks",
        ),
        single("  trades there", outcome.trades / outcome.seconds, "trades/s"),
        single("  gas of an order there", outcome.gas_of_an_order, "gas"),
    ]
    ours = [one for one in venue if one.name.startswith("end to end") and one.ratio]
    if ours:
        times = max(one.ratio or 0.0 for one in ours) / (outcome.rate / r)
        figures.append(single("the venue, orders/s", times, "times", note="both in R"))
    gas = [one for one in venue if one.name == GAS_OF_AN_ORDER]
    if gas:
        saved = outcome.gas_of_an_order / gas[0].value
        figures.append(single("the venue, orders for the same gas", saved, "times"))
    return figures
