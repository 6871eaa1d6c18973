"""A venue on L1 with batches of every sort and claims right and wrong, and commands that look."""

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from cli_world import Background
from click.testing import CliRunner, Result
from l1_venue import CLAIMANT, LIAR, L1Venue, l1_venue, person
from msgspec.structs import replace

from node.cli.main import tallystick
from node.deploy import Contracts
from state.chunks import Row
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.transactions import CancelAll, NewOrder

TRADING, VOID, BUSY = 1, 2, 3
"""The batches: one that trades, a void one, and one with a FOK, a withdrawal and refusals."""


@dataclass
class ProvingWorld:
    """The venue, and a way to say `tallystick ...` of it."""

    background: Background
    venue: L1Venue

    def run(self, *arguments: str, code: int = 0) -> Result:
        """The result of a command, which must end with `code` and never with a traceback.

        What `arguments` say of L1 or the rollup goes before the venue's own.
        """
        rollup = "0x" + self.venue.deployment.rollup.hex()
        place = ["--l1", self.venue.server.url, "--rollup", rollup]
        named = 2 if arguments[0] == "batch" else 1
        words = [*arguments[:named], *place, *arguments[named:]]
        result = CliRunner().invoke(tallystick, words, prog_name="tallystick")
        assert result.exit_code == code, result.output + repr(result.exception)
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)


def _order(venue: L1Venue, name: str, tx: NewOrder | CancelAll) -> Row:
    return venue.row(tx, person(name))


def _busy_rows(venue: L1Venue, now: int) -> list[Row]:
    """A FOK that is killed, one that is kept, an order of nobody, a cancel all, a withdrawal."""
    alice, bob = venue.numbers["alice"], venue.numbers["bob"]
    ticks, life = 500_000, now + 3_600
    resting = NewOrder(
        alice, 0, next(venue.sequences), 0, encode_flags(Flags(SELL)), ticks, 9, life
    )
    fok = encode_flags(Flags(BUY, life=Life.FOK))
    killed = NewOrder(bob, 0, next(venue.sequences), 0, fok, ticks, 10, life)
    kept = NewOrder(bob, 0, next(venue.sequences), 0, fok, ticks, 4, life)
    strange = NewOrder(bob, 0, next(venue.sequences), 0, fok, ticks, 4, life)
    rest = CancelAll(alice, 0, next(venue.sequences), 1, 0, life)
    return [
        _order(venue, "alice", resting),
        _order(venue, "bob", killed),
        _order(venue, "bob", kept),
        _order(venue, "carol", strange),
        _order(venue, "alice", rest),
        venue.withdraw("carol", 10, now),
    ]


async def _play(venue: L1Venue) -> None:
    await venue.fund()
    await venue.trading_day(lots=100)
    now = await venue.now()
    await venue.post([venue.opening(now)], flip=4)
    await venue.mine(30)
    await venue.deposit("alice", 5)
    now = await venue.now()
    await venue.post([venue.opening(now), _busy_rows(venue, now)])
    for executed in venue.executed[:VOID]:
        await venue.claim(CLAIMANT, executed.output, executed.parent_claim, executed.header)
    last = venue.executed[-1]
    lie = replace(last.output, state_root=bytes(32))
    await venue.claim(LIAR, lie, last.parent_claim, last.header)


@contextmanager
def proving_world(contracts: Contracts | None = None) -> Iterator[ProvingWorld]:
    """Three batches; the first two are claimed rightly, the last one wrongly."""
    background = Background()
    stack = AsyncExitStack()
    try:
        venue = background.run(stack.enter_async_context(l1_venue(contracts=contracts)))
        background.run(_play(venue))
        yield ProvingWorld(background, venue)
    finally:
        background.run(stack.aclose())
        background.close()
