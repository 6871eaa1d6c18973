"""Progress bars: shown on a terminal, silent elsewhere, and out of the log's way."""

import io
import logging
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from fake_clock import FakeClock
from rich.console import Console

from node.cli.bars import bar, log_above, syncing
from node.errors import Retry


def terminal() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=True, width=80), text


def test_a_bar_shows_on_a_terminal_how_much_is_done() -> None:
    screen, text = terminal()
    with bar("checking", 200, screen) as done:
        done(100)
    assert "checking" in text.getvalue() and "50%" in text.getvalue()


def test_elsewhere_nothing_is_shown() -> None:
    text = io.StringIO()
    with bar("checking", 200, Console(file=text)) as done:
        done(100)
    assert text.getvalue() == ""


def test_log_lines_meanwhile_go_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    before, during = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(before)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    monkeypatch.setattr("sys.stderr", during)
    with log_above():
        handler.emit(logging.makeLogRecord({"msg": "between"}))
    handler.emit(logging.makeLogRecord({"msg": "after"}))
    assert (during.getvalue(), before.getvalue()) == ("between\n", "after\n")


@dataclass
class Reading:
    """A follower that reads ten blocks whenever it is looked at; L1 is away at first."""

    head: int = 100
    away: int = 1
    read: int = 0
    looks: list[int] = field(default_factory=list)

    @property
    def client(self) -> "Reading":
        return self

    async def block_number(self) -> int:
        self.away -= 1
        if self.away >= 0:
            raise Retry("L1 is away")
        return self.head

    @property
    def scanned(self) -> int:
        self.read = min(self.head, self.read + 10)
        self.looks.append(self.read)
        return self.read


async def test_a_followers_first_reading_is_shown_to_its_end() -> None:
    screen, text = terminal()
    service, clock = Reading(), FakeClock()
    async with syncing(cast(Any, service), clock, screen):
        while service.read < service.head:
            await clock.sleep(0.1)
    assert "reading L1" in text.getvalue()
    assert service.looks[-1] == 100


async def test_a_follower_without_a_terminal_is_not_even_asked() -> None:
    service = Reading()
    async with syncing(cast(Any, service), FakeClock(), Console(file=io.StringIO())):
        pass
    assert service.looks == [] and service.away == 1
