"""What documents show of a console: commands and their output, and when two outputs say the same.

A block begins with ```console. A line that begins with "$ " is a command, what follows it is its
output. There "…" stands for what was left out: alone on a line for any lines, else for any words.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
CUT = "…"
MASKS = (
    (r" --(rpc|l1) http://127\.0\.0\.1:\d+", ""),  # a devnet names ports that are not the usual
    (r"\S*/tallystick-\w+", "FOLDER"),
    (r"\S*/tallystick(?= )", "tallystick"),
    (r"0x[0-9a-f]+…?", "0x#"),
    (r"[-+]?\d+(,\d{3})*(\.\d+)?", "#"),
    (r"[█▉▊▋▌▍▎▏]+", "BAR"),
    (r"─+", "─"),
)
"""What may differ from run to run, and what stands for it."""


@dataclass(frozen=True)
class Command:
    """A line to type, what is printed under it, and the heading of the section it stands in."""

    place: str
    line: str
    output: str
    section: str


def commands(file: Path) -> list[Command]:
    """Every command of the console blocks of `file`, in order."""
    text, found = file.read_text(), []
    for block in FENCE.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        headings = HEADING.findall(text, 0, block.start())
        section = headings[-1] if headings else ""
        lines = block[1].splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        assert starts and starts[0] == 0, f"{file.name}:{first}: a block begins with a command"
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            shown = "\n".join(lines[start + 1 : end])
            place = f"{file.name}:{first + start}"
            found.append(Command(place, lines[start][2:], shown, section))
    return found


def masked(line: str) -> str:
    """The words of `line`, with what may differ masked."""
    for pattern, stand_in in MASKS:
        line = re.sub(pattern, stand_in, line)
    return " ".join(line.split())


def is_shown(shown: str, printed: str) -> bool:
    """Whether a document shows what was printed, line by line and word by word."""
    wanted = ""
    for line in shown.strip().splitlines():
        if line.strip() == CUT:
            wanted += r"(.*\n)*?"
        else:
            pieces = (re.escape(piece) for piece in masked(line).split(CUT))
            wanted += ".*".join(pieces) + r"\n"
    said = "".join(masked(line) + "\n" for line in printed.strip().splitlines())
    return re.fullmatch(wanted, said) is not None
