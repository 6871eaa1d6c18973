"""anvil as L1: finding it, and running it with the settings that a venue needs."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from node.errors import Halt

TOOLS = "TALLYSTICK_NPM"
"""Names the folder in which `make tools` installs; without it that is .tools beside the rooms."""

GAS_LIMIT = 60_000_000
EPOCH_SLOTS = 4
"""anvil calls a block safe so many blocks later, and final after twice as many."""

STATE = "anvil.json"
STOP_SECONDS = 10.0
_LISTENING = re.compile(r"^Listening on (\S+:\d+)$")


class NoAnvil(Halt):
    """There is no anvil here to run."""

    def __init__(self) -> None:
        super().__init__(
            "there is no anvil here: run `make tools`, which needs npm, or put anvil on PATH"
        )


@dataclass(frozen=True, slots=True)
class AnvilConfig:
    """`block_time` is in seconds, 0 mines each transaction at once. Port 0 takes a free one.

    The chain is written into `data_directory` when anvil is asked to stop, and only then.
    """

    program: Path
    host: str
    port: int
    chain_id: int
    block_time: float
    data_directory: Path | None = None
    allowed_origins: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """Web pages get no answers over HTTP unless named; anvil's WebSocket asks for no origin."""
        words = [str(self.program), "--host", self.host, "--port", str(self.port)]
        words += ["--allow-origin", ",".join(self.allowed_origins)] if self.allowed_origins else []
        words += [] if self.allowed_origins else ["--no-cors"]
        words += ["--chain-id", str(self.chain_id), "--gas-limit", str(GAS_LIMIT)]
        words += ["--slots-in-an-epoch", str(EPOCH_SLOTS), "--enable-tx-gas-limit"]
        if self.block_time:
            words += ["--block-time", f"{self.block_time:g}"]
        if self.data_directory is not None:
            words += ["--state", str(self.data_directory / STATE)]
        return words


def find_anvil(environment: Mapping[str, str]) -> Path:
    """The program, from `make tools` or from PATH. Raises `NoAnvil`."""
    tools = environment.get(TOOLS) or str(Path(__file__).resolve().parents[2] / ".tools")
    installed = str(Path(tools) / "node_modules" / ".bin")
    found = shutil.which("anvil", path=installed) or shutil.which(
        "anvil", path=environment.get("PATH", os.defpath)
    )
    if found is None:
        raise NoAnvil
    return Path(found)


async def run_anvil(
    config: AnvilConfig, stop: asyncio.Event, *, started: Callable[[str], None]
) -> None:
    """Run anvil until `stop` is set; `started` hears its URL once it listens.

    Raises `Halt` where it ends by itself; what it says of that is on standard error.
    """
    if config.data_directory is not None:
        config.data_directory.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *config.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    working = asyncio.create_task(_watch(process, started))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if process.returncode:
            raise Halt(f"anvil ended by itself with exit code {process.returncode}")
    finally:
        stopping.cancel()
        await _end(process)
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _watch(process: asyncio.subprocess.Process, started: Callable[[str], None]) -> None:
    """Find the address among what anvil prints, and read the rest so that it can go on."""
    assert process.stdout is not None
    async for line in process.stdout:
        listening = _LISTENING.match(line.decode(errors="replace").strip())
        if listening:
            started(f"http://{listening[1]}")
    await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let it write its chain; it has STOP_SECONDS for that."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
