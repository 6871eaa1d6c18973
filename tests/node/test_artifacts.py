"""The cache of compiled contracts: found again, and never believed blindly."""

from pathlib import Path

import pytest

from contracts.compiler import compile_contract
from node import artifacts
from node.artifacts import cache_directory, cached_artifact, compile_missing
from state.crypto import keccak

SOURCE = """# pragma version 0.4.3
@external
def {name}() -> uint256:
    return {answer}
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    write(folder, 1)
    return folder


def write(folder: Path, answer: int, name: str = "answer") -> None:
    (folder / "tiny.vy").write_text(SOURCE.format(answer=answer, name=name))
    compile_contract.cache_clear()


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was compiled instead of found."""
    names: list[str] = []

    def counted(name: str, folder: Path) -> object:
        names.append(name)
        return compile_contract(name, folder)

    monkeypatch.setattr(artifacts, "compile_contract", counted)
    return names


def test_the_second_start_compiles_nothing(
    tmp_path: Path, sources: Path, compiled: list[str]
) -> None:
    first = cached_artifact("tiny", tmp_path / "cache", sources)
    second = cached_artifact("tiny", tmp_path / "cache", sources)
    assert first == second
    assert compiled == ["tiny"]


def test_changed_sources_are_compiled_again(
    tmp_path: Path, sources: Path, compiled: list[str]
) -> None:
    old = cached_artifact("tiny", tmp_path / "cache", sources)
    write(sources, 2)
    new = cached_artifact("tiny", tmp_path / "cache", sources)
    assert new.creation_code != old.creation_code
    assert compiled == ["tiny", "tiny"]


def test_several_that_are_missing_are_compiled_side_by_side(tmp_path: Path, sources: Path) -> None:
    text = (sources / "tiny.vy").read_text()
    (sources / "other.vy").write_text(text.replace("return 1", "return 2"))
    compile_missing(("tiny", "other"), tmp_path / "cache", sources)
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert kept.keys() == {"tiny.artifact", "other.artifact"}
    for name in ("tiny", "other"):
        found = cached_artifact(name, tmp_path / "cache", sources)
        assert found == compile_contract(name, sources)
    compile_missing(("tiny", "other"), tmp_path / "cache", sources)
    again = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert again == kept, "what was there was compiled once more"


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "not an entry"])
def test_a_damaged_entry_is_compiled_again(
    tmp_path: Path, sources: Path, compiled: list[str], damage: str
) -> None:
    good = cached_artifact("tiny", tmp_path / "cache", sources)
    path = tmp_path / "cache" / "tiny.artifact"
    content = path.read_bytes()
    changed = {
        "truncated": content[:-1],
        "flipped": content[:-1] + bytes([content[-1] ^ 1]),
        "empty": b"",
        "not an entry": keccak(b"\x01") + b"\x01",
    }
    path.write_bytes(changed[damage])
    assert cached_artifact("tiny", tmp_path / "cache", sources) == good
    assert compiled == ["tiny", "tiny"]
    assert path.read_bytes() == content


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, sources: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert cached_artifact("tiny", blocked / "cache", sources).name == "tiny"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TALLYSTICK_CACHE": "/a/b", "XDG_CACHE_HOME": "/c"}, Path("/a/b")),
        ({"XDG_CACHE_HOME": "/c"}, Path("/c/tallystick")),
        ({}, Path.home() / ".cache/tallystick"),
    ],
)
def test_the_cache_lies_where_the_environment_says(
    environment: dict[str, str], expected: Path
) -> None:
    assert cache_directory(environment) == expected
