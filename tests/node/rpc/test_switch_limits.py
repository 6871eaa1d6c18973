"""Switches under attack and in bad luck: nobody takes the room of all, none holds up another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from builders import FAR, NOW
from fake_clock import TickingClock
from rpc_world import Sequencer

from node.errors import Halt, Retry
from node.rpc import switches as switches_module
from node.rpc.errors import RpcError
from node.rpc.switch_file import KeptSwitch, kept, read_switches, write_switches
from node.rpc.switches import Switches
from node.rpc.wire import Hex
from node.view import SequencedReceipt
from state.execution import Receipt
from state.status import Status
from state.transactions import CancelAll, Transaction

SIGNATURE = b"\x01" * 64


def cancel_all(account: int, epoch: int = 1) -> CancelAll:
    return CancelAll(account, epoch, 1, 1, 0, FAR)


class Slow(Sequencer):
    """Answers nothing before its gate is open; account 9 it cannot even read."""

    def begin(self) -> "Slow":
        self.gate = asyncio.Event()
        self.begun: list[int] = []
        return self

    async def submit(self, tx: Transaction, signature: bytes, client_order_id: str = "") -> Receipt:
        assert isinstance(tx, CancelAll) and (signature, client_order_id) == (SIGNATURE, "")
        self.begun.append(tx.account)
        if tx.account == 9:
            raise KeyError("a fault of ours")
        await self.gate.wait()
        return SequencedReceipt(Status.OK, (), 1, batch=1)


@asynccontextmanager
async def firing(found: Switches) -> AsyncIterator[None]:
    task = asyncio.create_task(found.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def armed(node: Sequencer, *accounts: int, path: Path | None = None) -> Switches:
    """Dead-man switches of these accounts, due at once."""
    found = Switches(node, TickingClock(), path)
    for account in accounts:
        await found.arm_dead_man(cancel_all(account), SIGNATURE, 0)
    return found


async def a_while() -> None:
    for _ in range(20):
        await asyncio.sleep(0.001)


async def test_one_account_does_not_take_the_room_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switches_module, "ACCOUNT_SWITCHES_MAX", 3)
    found = Switches(Sequencer(), TickingClock(), None)
    connections = [switches_module._Gone() for _ in range(4)]
    for connection in connections[:3]:
        await found.arm_disconnect(connection, cancel_all(1), SIGNATURE)
    with pytest.raises(RpcError, match="of one account") as refused:
        await found.arm_disconnect(connections[3], cancel_all(1), SIGNATURE)
    assert refused.value.reason == "too_many_switches"
    await found.arm_disconnect(connections[0], cancel_all(1), SIGNATURE)
    await found.arm_disconnect(connections[3], cancel_all(2), SIGNATURE)
    assert len(found) == 4


async def test_switches_that_are_due_together_are_handed_in_together() -> None:
    node = Slow().begin()
    found = await armed(node, *range(100, 110))
    async with firing(found):
        await a_while()
        assert node.begun == list(range(100, 110)), "none waits for the answer of another"
        node.gate.set()
        await a_while()
    assert len(found) == 0


async def test_one_that_cannot_be_submitted_does_not_stop_the_others() -> None:
    node = Slow().begin()
    node.gate.set()
    found = await armed(node, 9, 100)
    async with firing(found):
        await a_while()
        await found.arm_dead_man(cancel_all(101), SIGNATURE, 0)
        await a_while()
    assert {100, 101} <= set(node.begun)
    assert len(found) == 1, "what had no answer is tried again"


async def test_what_is_being_submitted_is_not_armed_again_with_a_message_that_is_used_up() -> None:
    node = Slow().begin()
    found = await armed(node, 100)
    async with firing(found):
        await a_while()
        with pytest.raises(Retry, match="being submitted"):
            await found.arm_dead_man(cancel_all(100), SIGNATURE, 60)
        node.gate.set()
        await a_while()
        assert len(found) == 0
        await found.arm_dead_man(cancel_all(100), SIGNATURE, 60)
        assert len(found) == 1


ROW = kept(cancel_all(1), SIGNATURE, None)


@pytest.mark.parametrize(
    "damaged",
    [
        KeptSwitch(ROW.body, Hex(SIGNATURE[:-1]), None),
        KeptSwitch(ROW.body, Hex(SIGNATURE * 2), None),
        KeptSwitch(Hex(ROW.body[:-1]), ROW.signature, None),
        KeptSwitch(Hex(ROW.body + b"\x00"), ROW.signature, NOW + 5.0),
        KeptSwitch(Hex(b"\x03" + ROW.body[1:]), ROW.signature, None),
        KeptSwitch(Hex(b"\xee" + ROW.body[1:]), ROW.signature, None),
        KeptSwitch(Hex(), ROW.signature, None),
    ],
)
def test_a_switch_that_is_damaged_halts_before_it_is_armed(
    damaged: KeptSwitch, tmp_path: Path
) -> None:
    path = tmp_path / "switches.json"
    write_switches(path, [ROW, damaged])
    with pytest.raises(Halt, match="restore it, or delete it"):
        read_switches(path)
    write_switches(path, [ROW])
    assert read_switches(path) == [ROW]
