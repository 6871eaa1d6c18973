"""Cancel-on-disconnect and dead-man switches: signed in advance, submitted when it is time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import FAR, NOW, Key, Venue, key, sign_transaction
from fake_clock import FakeClock
from rpc_world import Follower, Rpc, Sequencer, running

from node.errors import Halt, Retry
from node.rpc import switches as switches_module
from node.rpc import wire
from node.rpc.messages import message_of
from node.rpc.server import RpcConfig
from node.rpc.switch_file import kept, read_switches, write_switches
from node.sequencing.intake import Unavailable, UnavailableReason
from state.accounts import PERMIT_CANCEL, PERMIT_TRADE
from state.transactions import CancelAll

ALICE = 1 << 8
GUARD = key("guard")


class HeldClock(FakeClock):
    """Sleepers wake when a test moves the clock, and look whether their time has come."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self._moved = asyncio.Event()

    def move(self, seconds: float) -> None:
        self.advance(seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while self.monotonic() < until:
            await self._moved.wait()


def node(permissions: int = PERMIT_CANCEL) -> Sequencer:
    """Alice has two orders in the book, and a session key: epoch 1."""
    venue = Venue()
    venue.open("alice", 10_000)
    venue.buy("alice", 100, 490_000)
    venue.buy("alice", 100, 480_000)
    venue.add_key("alice", "guard", permissions)
    return Sequencer(venue)


def switch(signer: Key = GUARD, **changed: Any) -> dict[str, Any]:
    """The params of a cancel-all by Alice's session key."""
    fields = {"account": ALICE, "epoch": 1, "sequence": 1, "every_market": 1, "market": 0}
    tx = CancelAll(**(fields | {"expiry": FAR} | changed))
    message = wire.plain(message_of(tx)[1])
    return {"message": message, "signature": wire.Hex(sign_transaction(tx, signer))}


def open_orders(node: Sequencer) -> int:
    return len(node.state.account(ALICE).orders)


async def until_cancelled(node: Sequencer) -> None:
    async with asyncio.timeout(60):
        while open_orders(node):
            await asyncio.sleep(0.01)


async def a_while() -> None:
    """Long enough for what must not happen to happen."""
    for _ in range(20):
        await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(
    node: Follower, clock: FakeClock | None = None, path: Path | None = None
) -> AsyncIterator[Rpc]:
    async with running(node, RpcConfig(switches=path), clock or HeldClock()) as rpc:
        yield rpc


async def said(socket: Any, method: str, **params: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    await socket.send_bytes(wire.encode(request))
    return json.loads((await socket.receive()).data)


# --- cancel on disconnect ---


@pytest.mark.parametrize("ending", ["close", "abort"])
async def test_orders_are_cancelled_when_their_connection_ends(ending: str) -> None:
    made = node()
    async with serving(made) as rpc:
        socket = await rpc.session.ws_connect(rpc.server.url)
        reply = await said(socket, "venue_cancelOnDisconnect", **switch())
        assert (reply["result"]["on"], reply["result"]["armed"]) == ("disconnect", True)
        await a_while()
        assert open_orders(made) == 2
        if ending == "close":
            await socket.close()
        else:
            socket._response.connection.transport.abort()  # type: ignore[union-attr]
        await until_cancelled(made)
    assert [type(tx) for tx, _ in made.submitted] == [CancelAll]


async def test_another_connections_end_is_nothing_to_a_switch() -> None:
    made = node()
    async with serving(made) as rpc, rpc.session.ws_connect(rpc.server.url) as socket:
        assert "result" in await said(socket, "venue_cancelOnDisconnect", **switch())
        async with rpc.session.ws_connect(rpc.server.url):
            pass
        await rpc.post(b"{}")
        await a_while()
        assert open_orders(made) == 2


async def test_a_disarmed_switch_stays_silent() -> None:
    made = node()
    async with serving(made) as rpc:
        async with rpc.session.ws_connect(rpc.server.url) as socket:
            await said(socket, "venue_cancelOnDisconnect", **switch())
            reply = await said(socket, "venue_cancelOnDisconnect", **switch(), armed=False)
            assert reply["result"]["armed"] is False
        await a_while()
    assert (open_orders(made), made.submitted) == (2, [])


async def test_what_is_armed_while_its_connection_ends_is_submitted_too() -> None:
    made, gone = node(), switches_module._Gone()
    found = switches_module.Switches(made, HeldClock(), None)
    found.connection_ended(gone)
    tx = CancelAll(ALICE, 1, 1, 1, 0, FAR)
    await found.arm_disconnect(gone, tx, sign_transaction(tx, GUARD))
    task = asyncio.create_task(found.run())
    await until_cancelled(made)
    task.cancel()


async def test_it_needs_a_connection_that_can_end() -> None:
    async with serving(node()) as rpc:
        error = await rpc.error("venue_cancelOnDisconnect", **switch())
    assert error["data"]["reason"] == "needs_websocket"


# --- dead man ---


async def test_a_switch_that_nobody_renews_is_submitted_at_its_time() -> None:
    made, clock = node(), HeldClock()
    async with serving(made, clock) as rpc:
        found = await rpc.result("venue_deadManSwitch", **switch(), seconds=60)
        assert (found["armed"], found["firesAt"], found["warnings"]) == (True, NOW + 60, [])
        clock.move(59)
        await a_while()
        assert open_orders(made) == 2
        clock.move(1)
        await until_cancelled(made)


async def test_renewing_puts_it_off_with_the_same_message() -> None:
    made, clock = node(), HeldClock()
    async with serving(made, clock) as rpc:
        for _ in range(3):
            await rpc.result("venue_deadManSwitch", **switch(), seconds=60)
            clock.move(50)
            await a_while()
        assert open_orders(made) == 2
        clock.move(10)
        await until_cancelled(made)


async def test_zero_seconds_end_it() -> None:
    made, clock = node(), HeldClock()
    async with serving(made, clock) as rpc:
        await rpc.result("venue_deadManSwitch", **switch(), seconds=60)
        ended = await rpc.result("venue_deadManSwitch", **switch(), seconds=0)
        assert ended["armed"] is False
        clock.move(3_600)
        await a_while()
    assert open_orders(made) == 2


async def test_nobody_else_ends_a_switch() -> None:
    async with serving(node()) as rpc:
        await rpc.result("venue_deadManSwitch", **switch(), seconds=60)
        error = await rpc.error("venue_deadManSwitch", **switch(key("mallory")), seconds=0)
    assert error["data"]["reason"] == "bad_signature"


async def test_a_key_that_trades_too_is_warned() -> None:
    async with serving(node(PERMIT_TRADE)) as rpc:
        session = await rpc.result("venue_deadManSwitch", **switch(), seconds=60)
        owners = switch(key("alice"), epoch=0, sequence=99)
        owner = await rpc.result("venue_deadManSwitch", **owners, seconds=60)
    for found in (session, owner):
        assert "may only cancel" in found["warnings"][0]


@pytest.mark.parametrize(
    ("params", "reason", "field"),
    [
        (switch(key("mallory")), "bad_signature", "signature"),
        (switch(epoch=7), "unknown_key", "keyEpoch"),
        (switch(account=9 << 8), "unknown_account", "account"),
        (switch(sequence=0), "sequence_used", "sequence"),
        (switch(expiry=NOW - 1), "expired", "expiry"),
        (switch(expiry=NOW + 59), "expired", "expiry"),
    ],
)
async def test_what_would_be_refused_is_not_armed(
    params: dict[str, Any], reason: str, field: str
) -> None:
    made, clock = node(), HeldClock()
    async with serving(made, clock) as rpc:
        error = await rpc.error("venue_deadManSwitch", **params, seconds=60)
        assert (error["data"]["reason"], error["data"]["field"]) == (reason, field)
        clock.move(3_600)
        await a_while()
    assert made.submitted == []


async def test_a_key_that_will_have_run_out_by_then_is_not_armed() -> None:
    venue = Venue()
    venue.open("alice", 10_000)
    venue.add_key("alice", "guard", PERMIT_CANCEL, NOW + 30)
    async with serving(Sequencer(venue)) as rpc:
        await rpc.result("venue_deadManSwitch", **switch(), seconds=30)
        error = await rpc.error("venue_deadManSwitch", **switch(), seconds=31)
    assert error["data"]["reason"] == "not_permitted"


@pytest.mark.parametrize("seconds", [86_401, 2**32 - 1])
async def test_a_switch_is_armed_for_a_day_at_most(seconds: int) -> None:
    async with serving(node()) as rpc:
        error = await rpc.error("venue_deadManSwitch", **switch(), seconds=seconds)
    assert error["data"]["reason"] == "seconds_out_of_range"


async def test_a_follower_arms_nothing() -> None:
    async with serving(Follower()) as rpc:
        error = await rpc.error("venue_deadManSwitch", **switch(), seconds=60)
    assert error["data"]["reason"] == "read_only"


async def test_there_are_only_so_many_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switches_module, "SWITCHES_MAX", 0)
    async with serving(node()) as rpc:
        error = await rpc.error("venue_deadManSwitch", **switch(), seconds=60)
    assert error["data"]["reason"] == "too_many_switches"


async def test_a_client_arms_both_kinds() -> None:
    made = node()
    async with serving(made) as rpc:
        params = switch()
        message, signature = params["message"], bytes(params["signature"])
        async with rpc.client.cancel_on_disconnect(message, signature) as standing:
            assert (standing.on, standing.armed, standing.sequence) == ("disconnect", True, 1)
        await until_cancelled(made)
        later = switch(sequence=2)
        message, signature = later["message"], bytes(later["signature"])
        found = await rpc.client.dead_man_switch(message, signature, 60)
        assert found.fires_at == NOW + 60
        assert not (await rpc.client.dead_man_switch(message, signature, 0)).armed


# --- while the node cannot, and after a restart ---


@pytest.mark.parametrize(
    "fault", [Unavailable(UnavailableReason.L1_SILENT, "no word"), Halt("the disk is full")]
)
async def test_it_is_tried_again_until_the_node_takes_it(fault: Exception) -> None:
    made, clock = node(), HeldClock()
    async with serving(made, clock) as rpc:
        await rpc.result("venue_deadManSwitch", **switch(), seconds=60)
        made.fault = fault
        clock.move(60)
        for _ in range(3):
            await a_while()
            clock.move(1)
        assert open_orders(made) == 2
        made.fault = None
        clock.move(1)
        await until_cancelled(made)


async def test_switches_survive_a_restart(tmp_path: Path) -> None:
    """The disconnected fire at once, a dead man's when its time comes."""
    path, made, clock = tmp_path / "switches.json", node(), HeldClock()
    made.fault = Retry("the node is stopping")
    async with serving(made, clock, path) as rpc:
        await rpc.result("venue_deadManSwitch", **switch(), seconds=60)
        async with rpc.session.ws_connect(rpc.server.url) as socket:
            own = switch(key("alice"), epoch=0, sequence=99)
            assert "result" in await said(socket, "venue_cancelOnDisconnect", **own)
    assert sorted(str(one.deadline) for one in read_switches(path)) == ["1700000060.0", "None"]
    made.fault = None
    async with serving(made, clock, path):
        await until_cancelled(made)
        assert [tx.sequence for tx, _ in made.submitted] == [99]  # type: ignore[union-attr]
        clock.move(60)
        async with asyncio.timeout(60):
            while read_switches(path):
                await asyncio.sleep(0.01)
                clock.move(1)
    assert [tx.sequence for tx, _ in made.submitted] == [99, 1]  # type: ignore[union-attr]


async def test_a_switch_that_cannot_be_kept_is_not_armed(tmp_path: Path) -> None:
    made, clock = node(), HeldClock()
    async with serving(made, clock, tmp_path / "folder" / "switches.json") as rpc:
        (tmp_path / "folder").write_text("in the way")
        error = await rpc.error("venue_deadManSwitch", **switch(), seconds=60)
        assert error["data"]["reason"] == "unavailable"
        clock.move(60)
        await a_while()
    assert made.submitted == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"version": 2, "switches": []}'])
def test_a_file_that_holds_no_switches_halts_with_its_mend(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "switches.json"
    path.write_bytes(content)
    with pytest.raises(Halt, match="restore it, or delete it"):
        read_switches(path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    tx = CancelAll(ALICE, 1, 1, 1, 0, FAR)
    switches = [kept(tx, b"\x01" * 64, None), kept(tx, b"\x02" * 64, NOW + 0.5)]
    write_switches(tmp_path / "new" / "switches.json", switches)
    found = read_switches(tmp_path / "new" / "switches.json")
    assert found == switches and found[0].tx == tx
