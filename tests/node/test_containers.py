"""Dockerfile and docker-compose.yml without an engine: read, parsed, and run as processes."""

import asyncio
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from composed import composed, machine, ours
from whole_venue import ROOT

from node.cli.main import tallystick
from node.devnet.anvil import AnvilConfig
from node.rpc.client import VenueClient

INSTRUCTIONS = frozenset(
    {
        *("FROM", "ENV", "WORKDIR", "RUN", "COPY", "USER", "EXPOSE", "HEALTHCHECK"),
        *("ENTRYPOINT", "CMD"),
    }
)
ROLLED_SECONDS = 90


def instructions() -> list[tuple[str, str]]:
    """Name and rest of every instruction."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    told = [line for line in lines if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in told]


def stages() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Image and instructions of every stage, by its name; the last one has none."""
    found: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    name = ""
    for instruction, rest in instructions():
        if instruction == "FROM":
            image, _, name = rest.partition(" AS ")
            found[name] = (image, [])
        found[name][1].append((instruction, rest))
    return found


def parse(words: list[str]) -> list[str]:
    """The words of the command that `words` call, which click must take as they are."""
    assert isinstance(tallystick, click.Group)
    command: click.Command = tallystick
    context, rest = click.Context(command, info_name="tallystick"), list(words)
    path: list[str] = []
    while isinstance(command, click.Group):
        name = rest.pop(0)
        inner = command.get_command(context, name)
        assert inner is not None, words
        command, path = inner, [*path, name]
    command.make_context(" ".join(path), rest, parent=context)
    return path


# --- docker-compose.yml ---


def commands() -> list[tuple[str, list[str]]]:
    """Every command of ours in the file: of services, and of health checks."""
    found = []
    for name, service in ours().items():
        found.append((name, service["command"]))
        test = service["healthcheck"].get("test")
        if test is not None:
            assert test[:2] == ["CMD", "tallystick"]
            found.append((f"{name}'s health", test[2:]))
        else:
            assert service["healthcheck"] == {"disable": True} and name == "deploy"
    return found


@pytest.mark.parametrize(("name", "words"), commands(), ids=[name for name, _ in commands()])
def test_every_command_is_one_that_there_is(
    name: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYSTICK_DEPLOYMENT", "/deployment/venue.json")
    assert parse(words), name


def test_the_services_of_a_venue_are_there() -> None:
    services = composed()["services"]
    assert {"l1", "deploy", "sequencer", "follower", "claimant"} <= set(services)
    assert services["l1"]["build"]["target"] == "anvil"
    assert (ROOT / ".env").read_text() == "COMPOSE_PROFILES=anvil\n"
    assert services["l1"]["profiles"] == ["anvil"]
    assert services["l1-embedded"]["profiles"] == ["embedded"]
    assert services["l1-embedded"]["networks"]["venue"]["aliases"] == ["l1"]


def test_anvil_runs_as_the_devnet_runs_it() -> None:
    config = AnvilConfig(Path("anvil"), "0.0.0.0", 8545, 31_337, 1.0, Path("/chain"))
    _, *wanted = config.command
    words = [word for one in composed()["services"]["l1"]["command"] for word in one.split("=")]
    assert sorted(words) == sorted(wanted)


def test_what_is_published_is_published_on_loopback_only() -> None:
    for name, service in composed()["services"].items():
        for port in service.get("ports", []):
            host, outside, inside = port.split(":")
            assert host == "127.0.0.1" and outside == inside, name


def test_whoever_listens_beyond_loopback_answers_to_its_own_name() -> None:
    for name in ("sequencer", "follower"):
        command = ours()[name]["command"]
        assert command[command.index("--allow-host") + 1] == name


def test_data_is_in_named_volumes_outside_the_packages() -> None:
    found = composed()
    used = set()
    for service in found["services"].values():
        for volume in service.get("volumes", []):
            name, place = volume.split(":")[:2]
            used.add(name)
            assert place in ("/data", "/deployment", "/chain")
    assert used == set(found["volumes"])


def test_every_dependency_is_a_service_with_that_condition() -> None:
    services: dict[str, Any] = composed()["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert needed in services, name
            if condition == "service_healthy":
                assert "test" in services[needed]["healthcheck"]
            else:
                assert condition == "service_completed_successfully" and needed == "deploy"


async def agreed(sequencer: str, follower: str) -> None:
    """Wait until both have the same root of a batch."""
    async with VenueClient(sequencer) as ours, VenueClient(follower) as theirs:
        async with asyncio.timeout(ROLLED_SECONDS):
            while (
                not (found := await theirs.batches(None, 1))
                or found[0].state_root != (await ours.batch(found[0].number)).state_root
            ):
                await asyncio.sleep(0.2)


def test_the_same_commands_as_processes_make_a_venue(tmp_path: Path) -> None:
    with machine(tmp_path) as running:
        running.start("l1-embedded")
        running.urls["l1"] = running.urls["l1-embedded"]
        assert running.is_healthy("l1-embedded")
        for line in ("Deployed", "The venue was there already"):
            done = running.run("deploy", *ours()["deploy"]["command"])
            assert done.returncode == 0 and done.stdout.startswith(line), done.stderr
        for name in ("sequencer", "follower", "claimant"):
            running.start(name)
        paid = running.run("sequencer", "deposit", "1000", "--from", "alice")
        assert paid.returncode == 0, paid.stderr

        nodes = running.urls["sequencer"], running.urls["follower"]
        asyncio.run(agreed(*nodes))
        for name in ("sequencer", "follower", "claimant"):
            assert running.is_healthy(name), name


# --- Dockerfile ---


def test_every_instruction_is_one_that_there_is() -> None:
    names = [name for name, _ in instructions()]
    assert set(names) <= INSTRUCTIONS
    assert list(stages()) == ["tools", "anvil", "build", ""]
    assert names[0] == "FROM" and names[-2:] == ["ENTRYPOINT", "CMD"]


def test_the_images_are_pinned_official_ones_and_their_user_is_not_root() -> None:
    for stage, (image, found) in stages().items():
        wanted = r"node:22\.\d+\.\d+" if stage == "tools" else r"python:3\.12\.\d+"
        assert re.fullmatch(wanted + r"-(slim-bookworm|bookworm-slim)", image)
        users = {"tools": [], "build": [], "anvil": ["anvil"], "": ["tallystick"]}
        assert [words for name, words in found if name == "USER"] == users[stage]
    for name, rest in instructions():
        if name == "RUN" and "-r requirements" in rest:
            assert "--require-hashes" in rest


def test_every_source_of_a_copy_is_there_and_reaches_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for name, rest in instructions():
        if name != "COPY" or rest.startswith("--from="):
            continue
        *sources, _ = rest.split()
        for source in sources:
            assert (ROOT / source).exists(), source
            assert {"!" + source, "!" + source.split("/")[0]} & set(ignored), source


def test_anvil_and_cast_are_those_that_the_tests_use() -> None:
    lock = json.loads((ROOT / "tests/npm/package-lock.json").read_text())["packages"]
    (copy,) = [rest for name, rest in stages()["anvil"][1] if name == "COPY"]
    origin, *sources, _ = copy.split()
    assert origin == "--from=tools" and len(sources) == 2
    for source in sources:
        package, file = re.fullmatch(r"/tools/(.*?)/(bin/\w+)", source).groups()  # type: ignore[union-attr]
        assert file in lock[package]["bin"].values() and lock[package]["integrity"], source
    installed = (ROOT / "scripts/tools.sh").read_text()
    (run,) = [rest for name, rest in stages()["tools"][1] if name == "RUN"]
    assert run.replace("npm ci ", 'npm ci --prefix "$FOLDER" ') in installed


def test_images_have_the_version_and_no_registrys_host() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    names = {service["image"] for service in composed()["services"].values()}
    assert names == {f"tallystick:{version}", f"tallystick-anvil:{version}"}


def test_every_room_is_in_the_image() -> None:
    copied = {rest.split()[0] for name, rest in instructions() if name == "COPY"}
    assert {"node", "sequencer", "prover", "state", "contracts"} <= copied


def test_no_secret_is_in_the_files() -> None:
    for file in ("Dockerfile", "docker-compose.yml", ".env", ".dockerignore"):
        text = (ROOT / file).read_text()
        assert not re.search(r"[0-9a-fA-F]{64}", text), file
        assert not re.search(r"(?i)private|mnemonic|password|secret|token", text), file


def test_the_images_health_check_is_a_command() -> None:
    (rest,) = [rest for name, rest in instructions() if name == "HEALTHCHECK"]
    words = json.loads(rest[rest.index("CMD ") + 4 :])
    assert words[0] == "tallystick" and parse(words[1:]) == ["status"]
