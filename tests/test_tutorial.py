"""README and documents keep their word: every command in a console block is run and compared."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from composed import composed
from console_blocks import Command, commands, is_shown
from whole_venue import ROOT

from node.evil.kinds import IN_WORDS

README = ROOT / "README.md"
DOCUMENTS = (README, *sorted((ROOT / "docs").glob("*.md")))
DEVNET = "make devnet"
EVIL_DEVNET = "tallystick devnet --evil"
EVIL_PORTS = {"--l1-port": "l1", "--sequencer-port": "rpc", "--follower-port": "follower"}
"""Which of its URLs each option of that devnet is about."""

START_SECONDS, LOOK_SECONDS, MOVE_SECONDS = 240, 60, 240
LOOKS = re.compile(
    r"tallystick (account|book|markets|status|watch|batch|prove|doctor|trades|candles|fills|orders"
    r"|positions|order (preview|show)|withdraw --status|dispute (list|show))\b|curl "
)
"""Commands that change nothing, so that they can be repeated until they show it."""

MOVES = re.compile(r"tallystick dispute move\b")
"""Commands that make what is due, and are given again until it is: the other side moves too."""


def patience(line: str) -> int:
    """For so many seconds the command is repeated until it prints what it should."""
    if MOVES.match(line):
        return MOVE_SECONDS
    return LOOK_SECONDS if LOOKS.match(line) else 0


@dataclass
class Terminal:
    """A shell in a folder that looks like the repository, beside a devnet on ports of its own."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, str] = field(default_factory=dict)

    def words(self, line: str) -> str:
        """`line` for the ports of this devnet."""
        for usual, own in self.ports.items():
            line = line.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{own}")
        return line

    def run(self, line: str) -> str:
        """What `line` prints; what it sets in the environment stays set."""
        kept = self.folder / "environment"
        script = f"{self.words(line)}\ncode=$?; env -0 > {shlex.quote(str(kept))}; exit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        pairs = kept.read_text().rstrip("\0").split("\0")
        self.environment = dict(pair.split("=", 1) for pair in pairs)
        return done.stdout

    def must_show(self, command: Command) -> None:
        """The command prints what stands under it, at once or, if it looks or moves, soon."""
        deadline = time.monotonic() + patience(command.line)
        while not is_shown(command.output, printed := self.run(command.line)):
            assert time.monotonic() < deadline, (
                f"{command.place}: $ {command.line}\nprints\n{printed}"
            )
            time.sleep(0.5)


def clean_environment() -> dict[str, str]:
    """This process's, without a configuration and without paths of its own."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == "TALLYSTICK_CACHE" or not name.startswith(("TALLYSTICK_", "PYTHON", "COV_"))
    }


def made(target: str) -> str:
    """The line that `make target` runs, and prints."""
    done = subprocess.run(
        ["make", "-n", "--no-print-directory", target],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


@contextmanager
def devnet(folder: Path, shown: Command, line: str, echo: str = "") -> Iterator[dict[str, str]]:
    """The devnet that `line` starts, told of by its file, once it has printed what is shown of it.

    `echo` is what is printed before the devnet itself says a word.
    """
    told = folder / "devnet.json"
    ports = ("L1_PORT", "SEQUENCER_PORT", "FOLLOWER_PORT")
    free = {f"TALLYSTICK_DEVNET_{port}": "0" for port in ports}
    with (folder / "devnet.log").open("w") as log_file:
        process = subprocess.Popen(
            shlex.split(line),
            cwd=folder,
            env=clean_environment() | free | {"TALLYSTICK_DEVNET_CONFIG_OUT": str(told)},
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline, log = time.monotonic() + START_SECONDS, ""
        while not is_shown(shown.output, log):
            is_late = process.poll() is not None or time.monotonic() > deadline
            assert not is_late, f"{shown.place}\n{line}\n{log}"
            time.sleep(0.2)
            log = echo + (folder / "devnet.log").read_text()
        yield json.loads(told.read_text())
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def links(folder: Path) -> None:
    """Make `folder` look like the repository to whoever types commands."""
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "examples").symlink_to(ROOT / "examples")


def terminal(folder: Path, told: dict[str, str]) -> Terminal:
    """A second terminal, which knows where this devnet listens."""
    urls = {"8545": told["l1"], "9545": told["rpc"], "9546": told["follower"]}
    known = {"TALLYSTICK_L1": told["l1"], "TALLYSTICK_RPC": told["rpc"]}
    ports = {usual: port_of(url) for usual, url in urls.items()}
    return Terminal(folder, clean_environment() | known, ports)


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


def tutorial() -> list[Command]:
    """Every command of all documents, in order."""
    return [command for document in DOCUMENTS for command in commands(document)]


def of_the_liar(shown: list[Command]) -> list[Command]:
    """Those of the section that starts a devnet with a liar in it."""
    (section,) = {one.section for one in shown if one.line.startswith(EVIL_DEVNET)}
    return [one for one in shown if one.section == section]


@pytest.mark.timeout(400)
def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    shown = tutorial()
    apart = of_the_liar(shown)
    first, *rest = [command for command in shown if command not in apart]
    assert first.line == DEVNET and len(rest) >= 10
    links(tmp_path)
    line = made("devnet")
    with devnet(tmp_path, first, line, echo=f"{line}\n") as told:
        second_terminal = terminal(tmp_path, told)
        for command in rest:
            second_terminal.must_show(command)


@pytest.mark.timeout(600)
def test_the_liar_is_caught_as_it_is_shown(tmp_path: Path) -> None:
    first, *rest = of_the_liar(tutorial())
    assert first.line.startswith(EVIL_DEVNET) and len(rest) >= 6
    links(tmp_path)
    usual = dict(re.findall(r"(--\w+-port) (\d+)", first.line))
    assert usual.keys() == EVIL_PORTS.keys()
    own = re.sub(r"(--\w+-port) \d+", r"\1 0", first.line)
    with devnet(tmp_path, first, f"{sys.prefix}/bin/{own}") as told:
        ports = {usual[option]: port_of(told[url]) for option, url in EVIL_PORTS.items()}
        third_terminal = Terminal(tmp_path, clean_environment(), ports)
        third_terminal.must_show(Command("", ". .venv/bin/activate", "", ""))
        for command in rest:
            third_terminal.must_show(command)


# --- how it is compared ---


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("bought 0.05 at 59,970.4, fee 1.50 USD", "bought 0.1 at 61,000, fee 3 USD"),
        ("root  0xd70290171b…", "root 0x21e4b67aa1…"),
        ("paid to 0x12 in block 7", "paid to 0xab in block 1234"),
        (" size   2 ", "size 0.000001"),
        ("loss -12.17", "loss 3"),
        ("logs /tmp/tallystick-rh8dsb6f/logs", "logs /tmp/tallystick-_x1/logs"),
        ("first\n…\nlast", "first\nsecond\nthird\nlast"),
        ("first\n…\nlast", "first\nlast"),
        ("too much: …", "too much: deposit"),
    ],
)
def test_what_differs_from_run_to_run_is_no_difference(shown: str, printed: str) -> None:
    assert is_shown(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("order 0:1: filled", "order 0:1: resting"),
        ("price size", "price size orders"),
        ("price size", "size price"),
        ("healthy yes", ""),
        ("", "a word"),
        ("one line", "one line\nand another"),
        ("first\n…\nlast", "first\nsecond"),
        ("too much: …", "too little: deposit"),
        ("10000 USDC", "ten thousand USDC"),
    ],
)
def test_another_word_is_a_difference(shown: str, printed: str) -> None:
    assert not is_shown(shown, printed)


# --- what else the README says ---


def test_the_table_of_lies_has_every_kind() -> None:
    section = README.read_text().partition("## Catch a liar\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
    assert named == [(kind.value, words) for kind, words in IN_WORDS.items()]


def test_the_profiles_of_containers_are_those_of_the_file() -> None:
    profiles = {name for one in composed()["services"].values() for name in one.get("profiles", [])}
    named = re.findall(r"COMPOSE_PROFILES=([\w,]+)", README.read_text())
    assert named and set(",".join(named).split(",")) <= profiles


def sources() -> dict[str, str]:
    """Every file that could print an error, as one line, strings that go on joined."""
    files = [*(ROOT / "node").rglob("*.py"), *(ROOT / "scripts").glob("*.sh"), ROOT / "Makefile"]
    joined = re.compile(r"\"\s+f?\"")
    return {str(file): joined.sub("", file.read_text()) for file in files}


def troubles() -> list[str]:
    """The error texts of the README's table."""
    section = README.read_text().partition("## Troubleshooting\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_every_error_of_the_table_is_one_that_the_code_tells() -> None:
    found, known = troubles(), sources()
    assert len(found) >= 8
    for text in found:
        pieces = [piece.strip() for piece in text.split("…") if piece.strip()]
        told = [name for name, code in known.items() if all(piece in code for piece in pieces)]
        assert told, text
