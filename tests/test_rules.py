"""The specification's rule ids: each lives somewhere, answers something, and has a test."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from state.status import Status

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "docs" / name for name in ("protocol.md", "codec.md", "contracts.md", "step.md")]
RULES = ROOT / "docs" / "rules.md"
NOTHING = "-"
REVERTS = "reverts"


class Row(NamedTuple):
    """A line of the table: backticks are gone from `places` and `test`."""

    rule: str
    places: tuple[str, ...]
    answers: tuple[str, ...]
    test: str


def defined() -> list[str]:
    """The ids in the order of the pages: bold, at the start of a bullet or of a table's row."""
    definition = re.compile(r"^(?:- |\| )\*\*([A-Z]+-\d+)\*\*", re.MULTILINE)
    return [rule for page in PAGES for rule in definition.findall(page.read_text())]


def table() -> list[Row]:
    rows = []
    for line in RULES.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if re.fullmatch(r"[A-Z]+-\d+", cells[0]):
            rule, places, answers, test = cells
            names = () if answers == NOTHING else tuple(answers.split(", "))
            rows.append(Row(rule, tuple(re.findall(r"`([^`]+)`", places)), names, test.strip("`")))
    return rows


ROWS = table()


@cache
def python_sources(path: Path) -> dict[str, str]:
    """Functions and classes of a module by qualified name, each with its source."""
    text = path.read_text()
    found: dict[str, str] = {}

    def collect(nodes: list[ast.stmt], prefix: str) -> None:
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[prefix + node.name] = ast.get_source_segment(text, node) or ""
                if isinstance(node, ast.ClassDef):
                    collect(node.body, f"{prefix}{node.name}.")

    collect(ast.parse(text).body, "")
    return found


@cache
def vyper_sources(path: Path) -> dict[str, str]:
    """Functions of a contract by name, each with its source."""
    parts = re.split(r"^def (\w+)", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def source(place: str) -> str:
    """The text of `file` or `file:function`; empty where there is none."""
    name, _, function = place.partition(":")
    path = ROOT / name
    if not path.is_file():
        return ""
    if not function:
        return path.read_text()
    sources = vyper_sources(path) if path.suffix == ".vy" else python_sources(path)
    return sources.get(function, "")


def reasons() -> dict[str, str]:
    """Rule to revert reason, as the page of the contracts has it."""
    row = re.compile(r"^\| \*\*([A-Z]+-\d+)\*\* \| .* \| `(\w+: [^`]+)` \|$", re.MULTILINE)
    return dict(row.findall((ROOT / "docs" / "contracts.md").read_text()))


def test_no_id_is_given_twice() -> None:
    rules = defined()
    assert [rule for rule in rules if rules.count(rule) > 1] == []


def test_the_numbers_of_a_family_have_no_gaps() -> None:
    families: dict[str, set[int]] = {}
    for rule in defined():
        family, number = rule.split("-")
        families.setdefault(family, set()).add(int(number))
    for family, numbers in families.items():
        assert numbers == set(range(1, len(numbers) + 1)), family


def test_every_rule_stands_in_the_table_once_and_no_other() -> None:
    assert sorted(row.rule for row in ROWS) == sorted(defined())


def test_every_family_is_in_the_contents_of_the_protocol() -> None:
    contents = (ROOT / "docs" / "protocol.md").read_text().split("## 1. Numbers")[0]
    for family in {rule.split("-")[0] for rule in defined()}:
        assert re.search(rf"\b{family}\b", contents), family


def test_every_rule_that_a_page_or_a_source_mentions_exists() -> None:
    rules = set(defined())
    families = "|".join({rule.split("-")[0] for rule in rules})
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    rooms = ("state", "prover", "sequencer", "contracts", "node", "tests")
    sources = [
        path for room in rooms for end in ("py", "vy") for path in ROOT.glob(f"{room}/**/*.{end}")
    ]
    for path in pages + sources:
        for rule in re.findall(rf"\b(?:{families})-\d+\b", path.read_text()):
            assert rule in rules, f"{path.relative_to(ROOT)} mentions {rule}"


def test_a_rule_lives_where_the_table_says_and_is_tested_there() -> None:
    missing = []
    for row in ROWS:
        path, _, name = row.test.partition("::")
        assert row.places and name.startswith("test_"), row
        places = (*row.places, f"{path}:{name}")
        missing += [f"{row.rule}: there is no {place}" for place in places if not source(place)]
    assert missing == []


def is_named(rule: str, answer: str, text: str) -> bool:
    """Whether a source gives this answer: a status, or for REVERTS the rule's reason."""
    if answer != REVERTS:
        return f"Status.{answer}" in text
    return f'"{reasons()[rule]}"' in text if rule in reasons() else "assert " in text


def test_what_a_rule_answers_is_named_where_it_lives() -> None:
    silent = []
    for row in ROWS:
        text = "".join(source(place) for place in row.places)
        silent += [(row.rule, a) for a in row.answers if not is_named(row.rule, a, text)]
    assert silent == []


def test_every_status_is_answered_by_a_rule() -> None:
    answered = {answer for row in ROWS for answer in row.answers} - {REVERTS}
    assert answered == {status.name for status in Status}


def test_every_revert_reason_belongs_to_a_rule() -> None:
    named = {
        reason
        for contract in (ROOT / "contracts").glob("*.vy")
        for reason in re.findall(rf'"({contract.stem}: [^"]+)"', contract.read_text())
        if contract.stem != "test_usdc"
    }
    assert set(reasons().values()) == named
    assert {row.rule for row in ROWS if row.answers == (REVERTS,)} >= set(reasons())
