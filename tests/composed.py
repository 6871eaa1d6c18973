"""docker-compose.yml as data, and its commands as processes of this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import whole_venue
import yaml  # type: ignore[import-untyped]

from node.artifacts import cache_directory

FILE = whole_venue.ROOT / "docker-compose.yml"
START_SECONDS = 60


def composed() -> dict[str, Any]:
    """The whole file, its anchors resolved."""
    found = yaml.safe_load(FILE.read_text())
    assert isinstance(found, dict)
    return found


def ours() -> dict[str, dict[str, Any]]:
    """The services of our own image."""
    services = composed()["services"]
    return {name: one for name, one in services.items() if one["image"].startswith("tallystick:")}


@dataclass
class Machine:
    """Services as processes: folders for volumes, loopback for the network."""

    folder: Path
    urls: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def words(self, name: str, command: list[str]) -> list[str]:
        """A service's command with this machine's places in it."""
        places = {"0.0.0.0": "127.0.0.1", "http://127.0.0.1:8545": self.urls.get(name, "")}
        places |= {"/data": f"{self.folder}/{name}", "/deployment": f"{self.folder}/deployment"}
        return [self._place(word, places) for word in command]

    def _place(self, word: str, places: dict[str, str]) -> str:
        for container, here in places.items():
            word = here + word.removeprefix(container) if word.startswith(container) else word
        for service, url in self.urls.items():
            word = url if word.startswith(f"http://{service}:") else word
        return word

    def environment(self, name: str) -> dict[str, str]:
        """A service's variables, and port 0 for every server."""
        own = ours()[name]["environment"]
        ports = {f"TALLYSTICK_{one}_PORT": "0" for one in ("L1", "SEQUENCE", "FOLLOW")}
        placed = dict(zip(own, self.words(name, list(own.values())), strict=True))
        if name in self.urls:
            placed["TALLYSTICK_RPC"] = self.urls[name]
        return whole_venue.environment(cache_directory(os.environ)) | ports | placed

    def start(self, name: str) -> None:
        """Run a service until it serves."""
        ready = self.folder / f"{name}.ready"
        words = [*self.words(name, ours()[name]["command"]), "--ready-file", str(ready)]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "node.cli.main", *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(name),
            )
        self.processes.append(process)
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            said = (self.folder / f"{name}.log").read_text
            assert process.poll() is None and time.monotonic() < deadline, said()
            time.sleep(0.1)
        self.urls[name] = json.loads(ready.read_bytes()).get("url", "")

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command to its end, in a service's place."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "node.cli.main", *self.words(name, list(command))],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.environment(name),
            timeout=120,
            check=False,
        )

    def is_healthy(self, name: str) -> bool:
        """What the service's health check says."""
        how, program, *command = ours()[name]["healthcheck"]["test"]
        assert (how, program) == ("CMD", "tallystick")
        return self.run(name, *command).returncode == 0


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Nothing runs any more at its end."""
    running = Machine(folder)
    try:
        yield running
    finally:
        for process in reversed(running.processes):
            process.terminate()
        for process in running.processes:
            process.wait(30)
