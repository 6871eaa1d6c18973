"""What stands in the picture of a terminal: its lines, and what it is made of."""

import re
from pathlib import Path
from xml.etree import ElementTree

NAMESPACE = "{http://www.w3.org/2000/svg}"
CELL = 12.2
"""How wide rich draws a character."""


def lines(file: Path) -> list[str]:
    """The lines of the terminal, from the top; its title is none of them."""
    found: dict[float, list[tuple[float, str]]] = {}
    for text in ElementTree.parse(file).iter(NAMESPACE + "text"):
        if "title" not in text.get("class", ""):
            row = found.setdefault(float(text.attrib["y"]), [])
            row.append((float(text.attrib["x"]), "".join(text.itertext())))
    return [_joined(sorted(found[y])) for y in sorted(found)]


def _joined(pieces: list[tuple[float, str]]) -> str:
    """Pieces of a line, each at its place; empty cells are not drawn."""
    line = ""
    for x, piece in pieces:
        line = line.ljust(round(x / CELL)) + piece.replace("\N{NO-BREAK SPACE}", " ")
    return line.rstrip()


def masked(line: str) -> str:
    """`line` with what differs from run to run left out: digests, numbers, and which statuses
    the messages came to."""
    told = re.sub(r"(?<= signed messages: ).*", "#", re.sub(r"0x[0-9a-f]+", "0x#", line))
    return re.sub(r"\d+(\.\d+)?", "#", told)
