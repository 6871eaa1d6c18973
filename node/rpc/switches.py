"""Cancel-on-disconnect and dead-man switches: signed cancels that the node holds back.

Nobody but a trader cancels a trader's orders: the node only hands in what was signed, when a
connection has ended or nobody renewed the switch. An armed one outlives the process in a file;
after a restart all connections are gone, so what waited for their end is due at once.
"""

import asyncio
import contextlib
from itertools import count
from pathlib import Path
from typing import Any
from weakref import WeakSet

import structlog
from msgspec import Struct
from msgspec.structs import replace

from node.clock import Clock
from node.errors import Halt, Retry
from node.rpc.errors import Code, RpcError
from node.rpc.switch_file import KeptSwitch, kept, read_switches, write_switches
from node.view import VenueWriter
from state.status import Status
from state.transactions import CancelAll

log = structlog.get_logger(__name__)

SWITCHES_MAX = 4_096
ACCOUNT_SWITCHES_MAX = 32
"""Of one account: its keys on a few connections each, and never the room of all others."""

FIRED_AT_ONCE = 256
"""So many are handed in together: a cut cable ends all connections in the same moment."""

RETRY_SECONDS = 0.25

Key = tuple[object, int, int]
"""The connection (None: a dead-man switch), account and key epoch."""


class _Gone:
    """Stands for a connection that has ended."""


class Armed(Struct, frozen=True, eq=False, weakref=True):
    """A cancel that is held back until `due`, by the clock that never goes back; None: until its
    connection ends. `deadline` is the same in seconds since 1970.
    """

    tx: CancelAll
    signature: bytes
    due: float | None
    deadline: float | None
    row: KeptSwitch


def armed_until(
    tx: CancelAll, signature: bytes, due: float | None, deadline: float | None
) -> Armed:
    """With what the file has of it, which is made once however often the file is written."""
    return Armed(tx, signature, due, deadline, kept(tx, signature, deadline))


class Switches:
    """All that are armed. Without a `path` they end with the process."""

    def __init__(self, writer: VenueWriter, clock: Clock, path: Path | None) -> None:
        self._writer = writer
        self._clock = clock
        self._path = path
        self._armed: dict[Key, Armed] = {}
        self._ended: WeakSet[object] = WeakSet()
        self._told: WeakSet[Armed] = WeakSet()
        self._in_flight: set[Armed] = set()
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._changes = count(1)
        self._change = self._written = 0
        for found in read_switches(path) if path is not None else ():
            self._resume(found.tx, bytes(found.signature), found.deadline)

    def _resume(self, tx: CancelAll, signature: bytes, deadline: float | None) -> None:
        wait = 0.0 if deadline is None else max(0.0, deadline - self._clock.now())
        due = self._clock.monotonic() + wait
        connection = None if deadline is not None else _Gone()
        self._armed[connection, tx.account, tx.epoch] = armed_until(tx, signature, due, deadline)

    def __len__(self) -> int:
        return len(self._armed)

    # --- arming ---

    async def arm_dead_man(self, tx: CancelAll, signature: bytes, seconds: int) -> float:
        """Instead of the one this key had; the time at which it is submitted. Retry if not kept."""
        deadline = self._clock.now() + seconds
        due = self._clock.monotonic() + seconds
        key = (None, tx.account, tx.epoch)
        await self._arm(key, armed_until(tx, signature, due, deadline))
        return deadline

    async def arm_disconnect(self, connection: object, tx: CancelAll, signature: bytes) -> None:
        """Instead of the one this key had on this connection. Retry if it could not be kept."""
        key = (connection, tx.account, tx.epoch)
        await self._arm(key, armed_until(tx, signature, None, None))

    async def _arm(self, key: Key, armed: Armed) -> None:
        before = self._armed.get(key)
        if before in self._in_flight:
            # Answered as armed it would be a switch whose message is used up.
            raise Retry("the switch of this key is being submitted")
        if before is None:
            self._check_room(key[1])
        self._armed[key] = armed
        try:
            await self._save()
        except OSError as fault:
            if self._armed.get(key) is armed:
                self._put_back(key, before)
            raise Retry(f"the switch could not be kept on disk: {fault}") from None
        if key[0] in self._ended:
            # It ended while the switch was on its way to disk.
            self.connection_ended(key[0])
        self._wake.set()

    def _check_room(self, account: int) -> None:
        of_account = sum(key[1] == account for key in self._armed)
        for armed, limit, of in (
            (of_account, ACCOUNT_SWITCHES_MAX, " of one account"),
            (len(self._armed), SWITCHES_MAX, ""),
        ):
            if armed >= limit:
                raise RpcError(
                    *(Code.TOO_MANY, "too_many_switches", f"Too many switches{of} are armed"),
                    "end one of them, try again later, or cancel by yourself",
                    expected=f"at most {limit}{of}",
                )

    def _put_back(self, key: Key, before: Armed | None) -> None:
        if before is None:
            del self._armed[key]
        else:
            self._armed[key] = before

    async def disarm(self, connection: object, account: int, epoch: int) -> bool:
        """Whether there was one. `connection` is None for a dead-man switch."""
        found = self._armed.pop((connection, account, epoch), None)
        if found is not None:
            await self._save_if_possible()
        return found is not None

    def holds(self, connection: object, tx: CancelAll, signature: bytes) -> bool:
        """Whether this very message under this very signature is armed."""
        found = self._armed.get((connection, tx.account, tx.epoch))
        return found is not None and (found.tx, found.signature) == (tx, signature)

    def connection_ended(self, connection: object) -> None:
        """Whatever waited for the end of `connection` is due now."""
        self._ended.add(connection)
        now = self._clock.monotonic()
        for key in [key for key in self._armed if key[0] is connection]:
            armed = self._armed.pop(key)
            self._armed[_Gone(), *key[1:]] = replace(armed, due=now)
            self._wake.set()

    # --- firing ---

    async def run(self) -> None:
        """Submit what is due, for as long as this task lives."""
        while True:
            self._wake.clear()
            await self._fire_due()
            await self._pause()

    async def _fire_due(self) -> None:
        now = self._clock.monotonic()
        due = [(k, a) for k, a in self._armed.items() if a.due is not None and a.due <= now]
        for at in range(0, len(due), FIRED_AT_ONCE):
            # Renewed or disarmed while others were submitted: no longer meant.
            meant = [(k, a) for k, a in due[at : at + FIRED_AT_ONCE] if self._armed.get(k) is a]
            self._in_flight = {armed for _, armed in meant}
            try:
                answered = await asyncio.gather(*(self._fire(armed) for _, armed in meant))
            finally:
                self._in_flight = set()
            for (key, armed), is_answered in zip(meant, answered, strict=True):
                if is_answered and self._armed.get(key) is armed:
                    del self._armed[key]
            if any(answered):
                await self._save_if_possible()

    async def _fire(self, armed: Armed) -> bool:
        """Whether it has been answered; otherwise it is tried again."""
        tx = armed.tx
        about = {"account": tx.account, "epoch": tx.epoch, "sequence": tx.sequence}
        try:
            receipt = await self._writer.submit(tx, armed.signature)
        except Exception as fault:
            # Also where the fault is ours: one switch must not keep the others from being tried.
            if armed not in self._told:
                self._told.add(armed)
                is_ours = not isinstance(fault, Retry | Halt)
                log.warning("switch_waits", reason=str(fault), exc_info=is_ours, **about)
            return False
        if receipt.status == Status.OK:
            log.info("switch_fired", cancelled=receipt.steps - 1, **about)
        else:
            log.warning("switch_refused", status=receipt.status.name, **about)
        return True

    async def _pause(self) -> None:
        """Until something is armed or ends, or time may have made something due."""
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._wake.wait())]
        if any(armed.due is not None for armed in self._armed.values()):
            waits.append(asyncio.create_task(self._clock.sleep(RETRY_SECONDS)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    # --- the file ---

    async def _save_if_possible(self) -> None:
        """What is gone from memory but not from disk would only be refused or repeated later."""
        with contextlib.suppress(OSError):
            await self._save()

    async def _save(self) -> None:
        """On disk when this returns; those that come together share one write."""
        self._change = wanted = next(self._changes)
        path = self._path
        if path is None:
            return
        async with self._writing:
            if self._written >= wanted:
                return
            change = self._change
            switches = [armed.row for armed in self._armed.values()]
            await asyncio.to_thread(write_switches, path, switches)
            self._written = change
