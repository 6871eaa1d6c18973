"""The command line against a node in memory: real sockets, and a server on a thread of its own."""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from builders import PUBLISHER, Venue, sign_transaction
from click.testing import CliRunner, Result
from rpc_world import Sequencer

from node.cli.main import tallystick
from node.clock import SystemClock
from node.l1.accounts import dev_accounts
from node.rpc.server import RunningServer, serve
from state.status import Status
from state.transactions import Header, SignedPrice
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind

T = TypeVar("T")
MARK = 50_000_000
"""$50,000 a bitcoin."""


class Background:
    """An event loop on a thread: commands under test have one of their own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class CliWorld:
    """A sequencer with devnet people on it, and a way to say `tallystick ...` to it."""

    node: Sequencer
    server: RunningServer

    def run(self, *arguments: str, code: int = 0, **environment: str) -> Result:
        """The result of a command, which must end with `code` and never with a traceback."""
        result = CliRunner().invoke(
            tallystick,
            [*arguments, "--rpc", self.server.url],
            prog_name="tallystick",
            auto_envvar_prefix="TALLYSTICK",
            env=environment,
        )
        assert result.exit_code == code, result.output + repr(result.exception)
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    def error(self, *arguments: str, code: int = 1) -> str:
        """The one line that a failing command leaves."""
        (line,) = self.run(*arguments, code=code).stderr.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")


def present_venue() -> Venue:
    """A venue whose clock shows the present, as commands sign expiries by theirs."""
    venue = Venue(mark=MARK)
    now = int(SystemClock().now())
    venue.run(Header(now))
    price = SignedPrice(0, MARK, now)
    assert venue.run(price, sign_transaction(price, PUBLISHER)).status == Status.OK
    return venue


def open_account(venue: Venue, name: str, dollars: int) -> int:
    """An account of a devnet person."""
    people = dev_accounts()
    number = next(place for place, one in enumerate(people, 1) if one.name == name) << 8
    owner = next(one.address for one in people if one.name == name)
    deposit = Deposit(number, owner, dollars * 10**6)
    assert venue.item(InboxKind.DEPOSIT, encode_deposit(deposit)) == Status.OK
    return number


@contextmanager
def cli_world() -> Iterator[CliWorld]:
    """One market at $50,000; alice and bob with $100,000 each."""
    venue = present_venue()
    for name in ("alice", "bob"):
        open_account(venue, name, 100_000)
    node = Sequencer(venue)
    background = Background()
    try:
        server = background.run(serve(node, port=0))
        yield CliWorld(node, server)
        background.run(server.close())
    finally:
        background.close()
