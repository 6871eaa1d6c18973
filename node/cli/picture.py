"""A picture of what a command tells: an SVG that loads nothing from elsewhere."""

import io
from pathlib import Path

from rich.console import Console
from rich.text import Text

from node.files import write_whole

COLUMNS = 120
FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    font-size: {char_height}px;
    line-height: {line_height}px;
}}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""As rich's own, whose fonts come from the web: here the reader's own is taken."""


class Picture:
    """What is printed on its `screen`, a terminal of `COLUMNS` in colour that nobody sees."""

    def __init__(self, command: str) -> None:
        self.screen = Console(
            file=io.StringIO(),
            record=True,
            force_terminal=True,
            color_system="truecolor",
            width=COLUMNS,
            highlight=False,
        )
        self._command = command
        self.screen.print(Text(f"$ {command}", style="dim"))

    def write(self, file: Path) -> None:
        """Put the whole picture into `file`, which is replaced as a whole."""
        drawn = self.screen.export_svg(
            title=self._command, code_format=FORMAT, unique_id="tallystick"
        )
        write_whole(file, drawn.encode())
