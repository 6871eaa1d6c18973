"""The shape of the repository: rooms that are ours, and documents that keep their word."""

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("node", "sequencer", "prover", "state", "contracts")
SOURCES = sorted(path for room in (*ROOMS, "examples") for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_this_repositorys_and_nobody_elses(room: str) -> None:
    module = importlib.import_module(room)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == ROOT / room


def test_version_and_changelog_agree() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None and newest[1] == version


def test_the_readme_maps_every_room() -> None:
    readme = (ROOT / "README.md").read_text()
    for room in ROOMS:
        assert f"`{room}/`" in readme, room


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_and_stays_small(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module starts with one line that says what it is"
    assert text.count("\n") <= 350, "is there a second file in it?"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= 60, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_offers_its_types(room: str) -> None:
    """PEP 561: whoever installs the wheel is checked against our signatures."""
    assert (ROOT / room / "py.typed").read_bytes() == b""


def test_locks_name_no_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text and "--index-url" not in text, lock.name
        assert "--hash=sha256:" in text, lock.name


def test_only_units_divides() -> None:
    """A quotient of a negative number differs between Python and Vyper.

    Constants are worked out once, at import, and may divide; so may the tree and the codec,
    which count bytes.
    """
    bytes_only = {"units.py", "tree.py", "radix.py", "branches.py", "chunks.py", "lz4_block.py"}
    for path in (ROOT / "state").rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and path.name not in bytes_only:
                for node in ast.walk(function):
                    divides = isinstance(node, ast.BinOp) and isinstance(
                        node.op, ast.FloorDiv | ast.Div
                    )
                    assert not divides, f"{path.name}: {function.name} divides"
