"""Browsers: a page of this machine and a wallet's extension read answers, other pages get none."""

import pytest
from rpc_world import JSON, Sequencer, running

from node.rpc import wire

CALL = wire.encode({"jsonrpc": "2.0", "id": 1, "method": "rollup_config"})
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.mark.parametrize("origin", ["http://localhost:3000", "chrome-extension://nkbihfbeogaeaoeh"])
async def test_a_page_of_this_machine_and_a_wallet_read_answers(origin: str) -> None:
    async with running(Sequencer()) as rpc:
        url, headers = rpc.server.url, JSON | {"Origin": origin}
        async with rpc.session.options(url, headers={"Origin": origin} | ASKS) as preflight:
            assert preflight.status == 204
            assert preflight.headers["Access-Control-Allow-Origin"] == origin
            assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"
        async with rpc.session.post(url, data=CALL, headers=headers) as response:
            assert response.headers["Access-Control-Allow-Origin"] == origin
            assert (await response.json())["result"]["chainId"] == 31_337


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://chrome-extension://x"])
async def test_another_page_gets_no_preflight_and_no_answer(origin: str) -> None:
    async with running(Sequencer()) as rpc:
        for method in ("OPTIONS", "POST"):
            headers = JSON | {"Origin": origin} | ASKS
            async with rpc.session.request(
                method, rpc.server.url, data=CALL, headers=headers
            ) as response:
                assert response.status == 403
                assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_program_is_told_nothing_of_origins() -> None:
    async with (
        running(Sequencer()) as rpc,
        rpc.session.post(rpc.server.url, data=CALL, headers=JSON) as response,
    ):
        assert response.status == 200
        assert not [name for name in response.headers if name.startswith("Access-Control")]


async def test_a_welcome_page_reads_why_it_was_refused_and_another_does_not() -> None:
    async with running(Sequencer()) as rpc:
        for origin, status in (("http://localhost:3000", 415), ("https://evil.example", 403)):
            headers = {"Content-Type": "text/plain", "Origin": origin}
            async with rpc.session.post(rpc.server.url, data=CALL, headers=headers) as response:
                assert response.status == status
                allowed = response.headers.get("Access-Control-Allow-Origin")
                assert allowed == (origin if status == 415 else None)
