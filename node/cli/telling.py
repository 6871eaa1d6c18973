"""How a devnet and a demonstration tell of themselves on a terminal, and in a pipe."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.status import Status
from rich.text import Text

from node.cli.output import facts, table
from node.config import L1_URL, SEQUENCER_PORT, DevnetConfig
from node.devnet.outcome import Outcome
from node.devnet.people import role_of
from node.devnet.venue import RunningVenue
from node.l1.accounts import dev_accounts
from node.modes import OPTIMISTIC, settled_by

UNPROVEN = settled_by("")


def show_plain(screen: Console, text: str) -> None:
    """A line as it is: what processes say is no markup."""
    screen.print(Text(text))


@contextmanager
def progress(screen: Console) -> Iterator[Callable[[str], None]]:
    """Shows what is being done: in place on a terminal, line by line elsewhere."""
    if not screen.is_terminal:
        yield partial(show_plain, screen)
        return
    with screen.status("starting") as status:
        yield status.update


class ConsoleNarrator:
    """Numbers the steps; what is waited for is shown on terminals only."""

    def __init__(self, screens: Sequence[Console], status: Status | None) -> None:
        self._screens = screens
        self._status = status
        self._number = 0

    def step(self, text: str) -> None:
        self._number += 1
        self._tell(Text(f"{self._number} {text}", style="bold"))

    def detail(self, text: str) -> None:
        self._tell(Text(f"  {text}"))

    def wait(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)

    def _tell(self, line: Text) -> None:
        for screen in self._screens:
            screen.print(line)


@contextmanager
def narrated(screen: Console, *others: Console) -> Iterator[ConsoleNarrator]:
    """A narrator, with something that moves on `screen` while there is nothing to tell."""
    if not screen.is_terminal:
        yield ConsoleNarrator((screen, *others), None)
        return
    with screen.status("") as status:
        yield ConsoleNarrator((screen, *others), status)


def banner(config: DevnetConfig, venue: RunningVenue) -> Iterator[Any]:
    """Where everything is, who is there, and a line to paste that trades."""
    yield facts(
        "The venue stands",
        [
            ("L1", f"{venue.l1}  (chain {venue.deployment.chain_id})"),
            ("sequencer", venue.sequencer),
            ("follower", venue.follower),
            ("rollup", venue.rollup),
            ("token", "0x" + venue.deployment.token.hex()),
            *([] if config.mode == OPTIMISTIC else [("mode", f"{config.mode}: proofs are mocks")]),
            ("logs", str(venue.directory / "logs")),
        ],
    )
    rows = [
        (account.name, role_of(account.name), "0x" + account.address.hex())
        for account in dev_accounts()
    ]
    yield table("Test accounts (their keys are public)", ("name", "role", "address"), rows)
    rpc = "" if config.sequencer_port == SEQUENCER_PORT else f" --rpc {venue.sequencer}"
    l1 = "" if venue.l1 == L1_URL else f" --l1 {venue.l1}"
    command = command_name()
    yield Panel.fit(
        f"{command} deposit --from alice 10000{rpc}{l1}\n"
        f"{command} order place --from alice BTC-USD-PERP buy 0.01{rpc}\n"
        f"{command} account alice{rpc}",
        title="Paste into another terminal to trade",
        title_align="left",
    )
    yield "Ctrl-C stops everything."


def command_name() -> str:
    """`tallystick`, with the folder it is in where the shell would not find it."""
    if shutil.which("tallystick"):
        return "tallystick"
    return os.path.relpath(Path(sys.executable).parent / "tallystick")


def summary(outcome: Outcome) -> Any:
    """What the demonstration came to, for people."""
    return facts(
        "Everything holds",
        [
            ("orders", f"{outcome.orders} on L1, {outcome.fills} fills"),
            ("batches", f"{outcome.batches}, {outcome.bytes_posted} bytes"),
            ("bytes per order", f"{outcome.bytes_per_order:.1f}, signature included"),
            ("sequencer's root", outcome.sequencer_root),
            ("follower's root", outcome.follower_root),
            ("claimed root", outcome.claimed_root),
            *([] if outcome.settlement == UNPROVEN else [("claim", outcome.settlement)]),
            ("withdrawn", f"{outcome.withdrawn_usdc} USDC"),
            ("seconds", f"{outcome.seconds:.1f}, and {outcome.set_up_seconds:.1f} to set up"),
        ],
    )
