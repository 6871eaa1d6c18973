"""The help: its sections, an example for every command, and completion."""

import shlex

import click
import pytest
from click.testing import CliRunner

from node.cli.completion import SHELLS
from node.cli.examples import EXAMPLES
from node.cli.main import COMMANDS, SECTIONS, tallystick
from node.cli.schema import leaves

COMMANDS_BY_WORDS = {" ".join(words): command for words, command in leaves(tallystick)}
EVERY_EXAMPLE = [(words, line) for words, lines in EXAMPLES.items() for line in lines]


def said(*words: str, **environment: str) -> str:
    result = CliRunner().invoke(tallystick, words, prog_name="tallystick", env=environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_command_stands_in_one_section() -> None:
    placed = [name for names in SECTIONS.values() for name in names]
    assert sorted(placed) == sorted(COMMANDS)
    helped = said("--help")
    places = [helped.index(f"\n{title}:\n") for title in SECTIONS]
    assert places == sorted(places)


def test_every_command_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(COMMANDS_BY_WORDS)


@pytest.mark.parametrize("words", COMMANDS_BY_WORDS)
def test_the_help_of_every_command_ends_with_its_examples(words: str) -> None:
    helped = said(*words.split(), "--help").splitlines()
    lines = EXAMPLES[words]
    assert helped[-len(lines) - 1].strip() == "Examples:"
    assert [line.strip() for line in helped[-len(lines) :]] == [
        f"tallystick {line}" for line in lines
    ]


@pytest.mark.parametrize(("words", "line"), EVERY_EXAMPLE, ids=[line for _, line in EVERY_EXAMPLE])
def test_every_example_is_of_its_command_and_parses(
    words: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TALLYSTICK_CONFIG", raising=False)
    assert line == words or line.startswith(words + " ")
    rest = shlex.split(line.removeprefix(words))
    COMMANDS_BY_WORDS[words].make_context(words, rest)


def test_an_option_that_is_not_there_does_not_parse() -> None:
    with pytest.raises(click.UsageError):
        COMMANDS_BY_WORDS["book"].make_context("book", ["BTC-USD-PERP", "--dept", "3"])


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_a_script_that_asks_the_program(shell: str) -> None:
    script = said("completion", shell)
    assert f"_TALLYSTICK_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("tallystick jour", {"journal"}),
        ("tallystick order can", {"cancel", "cancel-all"}),
        ("tallystick book --de", {"--depth"}),
        ("tallystick order place X b", {"buy"}),
        ("tallystick order cancel --from a", {"alice"}),
    ],
)
def test_what_is_typed_is_completed(typed: str, completed: set[str]) -> None:
    words = typed.split()
    environment = {
        "_TALLYSTICK_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    answered = said(**environment).splitlines()
    assert {line.partition(",")[2] for line in answered} == completed
