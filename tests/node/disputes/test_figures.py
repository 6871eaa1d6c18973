"""A challenger's figures for Prometheus, and the server on loopback that shows them."""

import asyncio
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from disputed_venue import TERMS, act, disputed_venue, lying
from l1_venue import LIAR
from prometheus_client.parser import text_string_to_metric_families

from node.challenger import ChallengerService
from node.disputes.figures import ChallengerFigures
from node.metrics import MetricsServer


def read(url: str) -> dict[str, float]:
    """Every figure by its name; each has one sample here."""
    with urllib.request.urlopen(url) as answer:
        text = answer.read().decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {one.name.removeprefix("tallystick_"): one.value for one in samples}


async def figures(challenger: ChallengerService) -> dict[str, float]:
    server = MetricsServer(ChallengerFigures(challenger), 0)
    await server.start()
    try:
        assert server.url.startswith("http://127.0.0.1:")
        with pytest.raises(HTTPError, match="404"):
            await asyncio.to_thread(read, server.url.replace("/metrics", "/"))
        return await asyncio.to_thread(read, server.url)
    finally:
        await server.close()


async def test_cost_and_time_left_of_a_dispute_are_shown_while_it_lasts(tmp_path: Path) -> None:
    async with disputed_venue(tmp_path) as world, world.challenging() as challenger:
        assert (await figures(challenger))["challenger_problems"] == 0
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        liar = world.player(LIAR, lie)
        await act(challenger)
        await world.play(LIAR, liar)
        await act(challenger)
        shown = await figures(challenger)
        assert shown["challenger_wrong_claims"] == 1 and shown["dispute_open_matches"] == 1
        assert shown["dispute_entries"] == 2 and shown["challenger_balance_wei"] > 10**18
        window = TERMS.entry_window
        assert window - 100 < shown["dispute_seconds_left"] <= window
        assert 300_000 < shown["dispute_cost_gas"] < 600_000 < shown["dispute_cost_wei"]
        await world.duel(challenger, (LIAR, liar))
        dearer = await figures(challenger)
        assert dearer["dispute_cost_gas"] > shown["dispute_cost_gas"] + 500_000
        await world.wait(challenger, TERMS.entry_window + 1)
        over = await figures(challenger)
        assert over["challenger_wrong_claims"] == 0 and "dispute_seconds_left" not in over


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    async with disputed_venue(tmp_path) as world, world.challenging() as challenger:
        first = MetricsServer(ChallengerFigures(challenger), 0)
        await first.start()
        port = int(first.url.split(":")[2].split("/")[0])
        try:
            with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 is taken: choose another"):
                await MetricsServer(ChallengerFigures(challenger), port).start()
        finally:
            await first.close()
