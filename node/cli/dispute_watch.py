"""`dispute watch`: disputes as they go, in a terminal or as lines."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import msgspec
from rich.console import Group
from rich.live import Live
from rich.text import Text

from node.cli.dispute_words import DecidedStep, WrongClaim, drawn, drawn_list, plain_facts
from node.cli.disputing import Looking, catch_up, dispute_options, executed
from node.cli.failures import told
from node.cli.options import SECONDS, rollup_meant
from node.cli.output import console
from node.disputes.telling import DisputeFacts
from node.errors import L1Error, Retry


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What was last known; `away` says why nothing newer is."""

    disputes: list[DisputeFacts]
    decided: dict[str, DecidedStep]
    wrong: list[WrongClaim]
    batch: int | None
    away: str = ""

    def plain(self) -> dict[str, object]:
        """For programs."""
        return {
            "away": self.away or None,
            "disputes": [plain_facts(one) for one in self.disputes],
            "steps": {match: plain_facts(step) for match, step in self.decided.items()},
            "wrongClaims": [plain_facts(one) for one in self.wrong],
        }

    def drawn(self) -> Group:
        """For people."""
        away = [Text(self.away, style="red")] if self.away else []
        if self.batch is None:
            return Group(drawn_list(self.disputes, self.wrong), *away)
        if not self.disputes:
            return Group(Text(f"The claims of batch {self.batch} are not contested."), *away)
        return Group(*(drawn(one, self.decided) for one in self.disputes), *away)


Show = Callable[[Frame], None]


@click.command()
@click.argument("batch", type=click.IntRange(1), required=False)
@click.option("--seconds", type=SECONDS, default=2.0, show_default=True, help="Between two looks.")
@click.option("--once", is_flag=True, help="Show it once and end.")
@dispute_options
def watch(
    batch: int | None,
    seconds: float,
    once: bool,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Show who moves, which steps are left, until when and at what cost, until Ctrl-C.

    All disputes in short, or everything about those over BATCH. Where there is no terminal, or with
    --json, one frame follows another.
    """

    async def run(address: bytes) -> None:
        async with executed(l1_url, address, data) as follower:
            looking = Looking(follower)
            frame = await _look(looking, batch)
            with _screen(as_json or once, as_json) as show:
                show(frame)
                while not once:
                    await follower.clock.sleep(seconds)
                    frame = await _next(looking, batch, frame)
                    show(frame)

    with told(), suppress(KeyboardInterrupt):
        asyncio.run(run(rollup_meant(rollup, deployment)))


@contextmanager
def _screen(is_plain: bool, as_json: bool) -> Iterator[Show]:
    """Where frames go: in place on a terminal, one after the other elsewhere."""
    screen = console()
    if as_json:
        yield lambda frame: click.echo(msgspec.json.encode(frame.plain()))
    elif is_plain or not screen.is_terminal:
        yield lambda frame: screen.print(frame.drawn())
    else:
        with Live(console=screen, screen=True, auto_refresh=False) as live:
            yield lambda frame: live.update(frame.drawn(), refresh=True)


async def _look(looking: Looking, batch: int | None) -> Frame:
    seen = [one for one in await looking.disputes() if batch in (None, one.contest.batch)]
    decided: dict[str, DecidedStep] = {}
    if batch is not None:
        for one in seen:
            decided |= await looking.decided(one)
    return Frame(
        disputes=[await looking.facts(one) for one in seen],
        decided=decided,
        wrong=looking.wrong_claims(),
        batch=batch,
    )


async def _next(looking: Looking, batch: int | None, last: Frame) -> Frame:
    """A newer frame; while L1 is away, the last one with the reason."""
    try:
        await catch_up(looking.follower)
        return await _look(looking, batch)
    except (Retry, L1Error) as error:
        return msgspec.structs.replace(last, away=str(error))
