"""What the documents name is there: links, files, commands, targets, variables, methods."""

import re
import shlex
from pathlib import Path

import click
import pytest
from documents import NAMES, ROOT, anchors, links, page, shell_lines

from node.cli.main import tallystick
from node.cli.schema import leaves, settings, variables_of

COMMANDS = dict(leaves(tallystick))
CODE = ("node", "sequencer", "prover", "state", "contracts", "tests", "scripts")
SUFFIXES = (".py", ".vy", ".md", ".sh", ".yml", ".svg")

every_page = pytest.mark.parametrize("name", NAMES)


@every_page
def test_every_link_and_anchor_leads_somewhere(name: str) -> None:
    for link in links(name):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), f"{name} links to {link}"
        if anchor:
            known = anchors(str(target.resolve().relative_to(ROOT)))
            assert anchor in known, f"{name}: {link} is none of {sorted(known)}"


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("docs/")])
def test_every_page_is_linked_from_another(name: str) -> None:
    def leads_here(other: str) -> bool:
        folder = (ROOT / other).parent
        paths = (link.partition("#")[0] for link in links(other))
        return any(path and (folder / path).resolve() == ROOT / name for path in paths)

    assert any(leads_here(other) for other in NAMES if other != name)


@every_page
def test_every_target_of_make_is_one(name: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    lines = [*page(name).spans, *shell_lines(name, "make")]
    for line in lines:
        if found := re.match(r"make (\w+)", line):
            assert found[1] in targets, f"{name}: {line}"


def parse(line: str) -> None:
    """Have the command line take `line`, without doing anything. UsageError where it does not."""
    words = shlex.split(line)[1:]
    for count in range(len(words), 0, -1):
        command = COMMANDS.get(tuple(words[:count]))
        if command is not None:
            # A folder or file that a reader will have made by then need not be here.
            command.make_context(" ".join(words[:count]), words[count:])
            return
    if any(path[: len(words)] == tuple(words) for path in COMMANDS):
        raise click.MissingParameter(f"{line} is a group of commands")
    if not (len(words) == 1 and words[0].startswith("--")):
        raise click.UsageError(f"no command begins so: {line}")


@every_page
def test_every_command_in_a_block_of_code_parses(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TALLYSTICK_CONFIG", raising=False)
    for line in shell_lines(name, "tallystick"):
        try:
            parse(line)
        except click.exceptions.Exit:
            assert "--help" in line or "--version" in line, line
        except click.UsageError as error:
            pytest.fail(f"{name}: {line}: {error.format_message()}")


@every_page
def test_every_command_in_the_text_begins_as_one_does(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There words in capitals stand for values, and what must be given may be left out."""
    monkeypatch.delenv("TALLYSTICK_CONFIG", raising=False)
    for span in page(name).spans:
        line = re.sub(r"[\[\]…]", "", span.removeprefix(".venv/bin/"))
        if not re.match(r"tallystick [a-z-]", line):
            continue
        try:
            parse(line.replace("|", " "))
        except (click.exceptions.Exit, click.MissingParameter):
            continue
        except click.BadOptionUsage as error:
            assert error.message.endswith("requires an argument."), f"{name}: {span}: {error}"
        except click.BadParameter as error:
            assert re.search(r"'[A-Z]+'", error.format_message()), f"{name}: {span}: {error}"
        except click.UsageError as error:
            pytest.fail(f"{name}: {span}: {error.format_message()}")


def is_there(name: str, path: str) -> bool:
    """From the page's folder, from the root, or by its bare name anywhere in the code."""
    if any((folder / path).exists() for folder in (ROOT, (ROOT / name).parent)):
        return True
    return any(True for room in CODE for _ in (ROOT / room).rglob(path))


@every_page
def test_every_file_that_is_named_exists(name: str) -> None:
    rooms = "|".join((*CODE, "docs", "examples", "requirements"))
    for span in page(name).spans:
        for word in span.split():
            path = re.split(r"::|:", word.rstrip(".,;"))[0]
            is_file = re.fullmatch(r"[\w./-]+", path) and path.endswith(SUFFIXES)
            if (is_file or re.fullmatch(rf"(?:{rooms})/[\w./-]*", path)) and ".." not in path:
                assert is_there(name, path), f"{name} names {path}"


@every_page
def test_every_test_that_is_named_is_there(name: str) -> None:
    for span in page(name).spans:
        path, mark, test = span.partition("::")
        if not (mark and path.endswith(".py")):
            continue
        definition = re.compile(rf"^(?:async )?def {re.escape(test)}\(", re.MULTILINE)
        files = (ROOT / "tests").rglob(Path(path).name)
        assert any(definition.search(file.read_text()) for file in files), f"{name} names {span}"


def test_every_attack_has_one_row_with_a_test_or_a_reason() -> None:
    table = page("docs/testing.md").prose.split("## 7. Attacks")[1]
    rows = [line.strip("|").split(" | ") for line in table.splitlines()]
    cases = {int(cells[0]): cells for cells in rows if cells[0].strip().isdigit()}
    merged = {5, 12, 17, 28, 37, 41, 45, 51, 53, 55, 59, 61, 65}
    assert list(cases) == [case for case in range(1, 71) if case not in merged]
    for case, (_, _, tests, outcome) in cases.items():
        assert "::test_" in tests or "does not apply" in outcome, case


def test_every_variable_that_is_named_is_read() -> None:
    known = {
        variable
        for command in COMMANDS.values()
        for option in settings(command)
        for variable in variables_of(option)
    }
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix in (".py", ".sh") and path != Path(__file__):
                known |= set(re.findall(r"[\"'$ {]_?(TALLYSTICK_[A-Z0-9_]+)", path.read_text()))
    for name in NAMES:
        text = page(name).prose + "\n".join(page(name).blocks)
        for variable in re.findall(r"\bTALLYSTICK_[A-Z0-9_]*[A-Z0-9]\b", text):
            assert variable in known, f"{name} names {variable}"


def test_every_method_that_is_named_is_in_the_reference() -> None:
    """The reference itself is held to the code by the tests of the JSON-RPC."""
    method = re.compile(r"\b(?:venue|rollup)_[a-z][a-zA-Z]*\b")
    reference = page("docs/json-rpc.md")
    known = set(method.findall(reference.prose + "\n".join(reference.blocks)))
    for name in NAMES:
        unknown = set(method.findall(" ".join((*page(name).spans, *page(name).blocks)))) - known
        assert not unknown, f"{name} names {unknown}"
