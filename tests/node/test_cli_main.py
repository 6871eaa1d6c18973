"""The command itself: what it lists, when it refuses to run, and how little it loads."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from node.cli.main import COMMANDS, tallystick

ROOT = Path(__file__).parents[2]
HEAVY = ("eth", "vyper", "eth_account", "plyvel", "web3")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_command_is_listed_with_its_line() -> None:
    listed = CliRunner().invoke(tallystick, ["--help"], prog_name="tallystick")
    assert listed.exit_code == 0
    for name, (_, line) in COMMANDS.items():
        assert any(row.split() == [name, *line.split()] for row in listed.output.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_list_says(name: str) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    helped = CliRunner().invoke(tallystick, [name, "--help"], prog_name="tallystick")
    assert helped.exit_code == 0 and "Usage: tallystick " + name in helped.output


@pytest.mark.parametrize("switch", [["-O"], []])
def test_it_refuses_to_run_without_its_assertions(switch: list[str]) -> None:
    environment = {} if switch else {"PYTHONOPTIMIZE": "1"}
    done = run(*switch, "-m", "node.cli.main", "--help", **environment)
    assert done.returncode == 1
    assert done.stderr.startswith("error: tallystick checks itself by assertions")
    assert done.stdout == ""


@pytest.mark.parametrize(
    "module", ["node.cli.main", "node.cli.readings", "node.cli.batches", "node.cli.orders"]
)
def test_light_commands_load_no_heavy_library(module: str) -> None:
    script = f"import sys, {module}; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = run("-c", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_no_option_takes_a_private_key() -> None:
    for name in COMMANDS:
        module, _, attribute = COMMANDS[name][0].partition(":")
        command = getattr(import_module(module), attribute)
        inner = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        for one in inner:
            options = [opt for param in one.params for opt in param.opts]
            assert not any("key" in opt and opt != "--key-file" for opt in options), name


def test_a_wrong_command_is_an_error_of_usage() -> None:
    wrong = CliRunner().invoke(tallystick, ["ordr"], prog_name="tallystick")
    assert wrong.exit_code == 2 and "No such command 'ordr'" in wrong.output
