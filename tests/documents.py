"""The repository's Markdown pages, taken apart: headings, links, code, and what they name."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


class Page(NamedTuple):
    """A page's text by kind: `prose` without its code blocks, `blocks` the lines of these."""

    prose: str
    blocks: tuple[str, ...]

    @property
    def spans(self) -> list[str]:
        """What stands between backticks in the prose, on one line."""
        return re.findall(r"`([^`\n]+)`", self.prose)


@cache
def page(name: str) -> Page:
    """The page of this name; code is fenced, or indented behind an empty line."""
    prose: list[str] = []
    blocks: list[str] = []
    fence, indented, empty = "", False, True
    for line in (ROOT / name).read_text().splitlines():
        mark = line.strip()[:3]
        if fence or mark in ("```", "~~~"):
            if fence and mark != fence:
                blocks.append(line.strip())
            fence = (mark if not fence else "") if mark in ("```", "~~~") else fence
            continue
        indented = line.startswith("    ") and (indented or empty)
        empty = not line.strip()
        (blocks if indented else prose).append(line.strip() if indented else line)
    return Page("\n".join(prose), tuple(blocks))


def anchors(name: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", page(name).prose, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = sum(1 for other in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other))
        found.add(f"{slug}-{count}" if count else slug)
    return found


def links(name: str) -> list[str]:
    """What a page links to or shows, but for other sites."""
    targets: list[str] = re.findall(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)", page(name).prose)
    targets += re.findall(r"(?:src|href)=\"([^\"]+)\"", page(name).prose)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def shell_lines(name: str, program: str) -> list[str]:
    """Lines of code that run `program`, without prompt, comment, redirection and pipe."""
    lines = []
    for line in page(name).blocks:
        command = re.sub(r"^\$ ", "", line).removeprefix(".venv/bin/")
        if command.startswith(program + " "):
            lines.append(re.split(r" (?:#|>|2>|\||&|;)(?: |$|\d|&)", command)[0].strip())
    return lines
