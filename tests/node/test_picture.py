"""The picture of the demonstration: well-formed, small, and nothing in it from elsewhere."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drawn import NAMESPACE, lines
from rich.text import Text

from node.cli.output import facts
from node.cli.picture import Picture
from node.cli.telling import ConsoleNarrator

SHOWN = Path(__file__).parents[2] / "docs/demo.svg"
BYTES_MAX = 40_000
DRAWN = {"svg", "style", "defs", "clipPath", "rect", "circle", "g", "text"}


def draw(folder: Path) -> Path:
    """A picture of three lines and a table."""
    file = folder / "made.svg"
    picture = Picture("tallystick demo")
    narrator = ConsoleNarrator((picture.screen,), None)
    narrator.step("alice & bob <deposit>")
    narrator.detail("a detail")
    picture.screen.print(Text("[not markup]"))
    picture.screen.print(facts("Facts", [("root", "0x12")]))
    picture.write(file)
    return file


def test_what_is_told_stands_in_the_picture_line_by_line(tmp_path: Path) -> None:
    assert lines(draw(tmp_path)) == [
        "$ tallystick demo",
        "1 alice & bob <deposit>",
        "  a detail",
        "[not markup]",
        "Facts",
        " root  0x12",
    ]


@pytest.mark.parametrize("made", (True, False), ids=("one made now", "that of the documents"))
def test_a_picture_loads_nothing_and_names_no_machine(tmp_path: Path, made: bool) -> None:
    file = draw(tmp_path) if made else SHOWN
    text = file.read_text()
    assert {one.tag.removeprefix(NAMESPACE) for one in ElementTree.parse(file).iter()} <= DRAWN
    assert set(re.findall(r"https?://[^\s\"]*", text)) == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"url\(.", text)) == {"url(#"} and "@" not in text
    assert "href" not in text and "/tmp" not in text
    assert len(text) < BYTES_MAX


def test_the_picture_of_the_documents_tells_the_whole_story() -> None:
    shown = lines(SHOWN)
    steps = [line for line in shown if re.match(r"\d ", line)]
    assert shown[0] == "$ make demo" and len(steps) == 8
    assert "Everything holds" in shown
    roots = [line.split()[-1] for line in shown if "root  " in line]
    assert len(roots) == 3 and len(set(roots)) == 1
