"""`tallystick deploy`: with a key of one's own and another token, once, and not put wrongly."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from contracts import dispute_views, mock_verifier
from node.cli import listings
from node.cli.main import tallystick
from node.config import DevnetConfig
from node.devnet.listings import COINS, listing
from node.devnet.people import person
from node.l1.client import L1Client
from node.l1.config import L1Config
from node.l1.server import L1Server
from node.rollup import RollupReader

OWN = "0x" + "22" * 20
MOCK = ("--mode", "validity-mock")


def run(*words: str, code: int) -> Result:
    result = CliRunner().invoke(tallystick, ["deploy", *words], prog_name="tallystick")
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture
async def l1() -> AsyncIterator[str]:
    async with L1Server(L1Config(port=0)) as running:
        yield running.url


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    file = tmp_path / "governor.key"
    file.write_text(person("ivan").private_key.hex())
    file.chmod(0o600)
    return str(file)


async def deployed(l1: str, *words: str, code: int = 0) -> Any:
    result = await asyncio.to_thread(run, *words, "--l1", l1, "--json", code=code)
    return json.loads(result.stdout) if code == 0 else result.stderr


async def test_a_venue_of_ones_own_has_the_token_and_terms_that_were_said(
    l1: str, key_file: str, tmp_path: Path
) -> None:
    devnet = await deployed(l1, "--from", "governor", "--out", str(tmp_path / "devnet.json"))
    markets = tmp_path / "markets.json"
    one = listing(0, COINS[0], person("frank").address, 60)
    markets.write_text(json.dumps([listings.plain(one)]))
    out, token = tmp_path / "folder" / "venue.json", devnet["token"]
    words = (
        *("--key-file", key_file, "--out", str(out), "--sequencer", OWN, "--token", token),
        *("--markets", str(markets), "--claim-window", "77", "--claim-bond", "8" + "0" * 17),
        *("--entry-time", "900", "--clock", "9000", "--insurance", OWN),
    )
    made = await deployed(l1, *words)
    assert (
        made["isNew"]
        and made["token"] == token
        and made == {"isNew": True} | json.loads(out.read_bytes())
    )
    async with L1Client(l1) as client:
        terms = await RollupReader(client, bytes.fromhex(made["rollup"][2:])).deployment(None)
        insurance = await client.call(terms.disputes, dispute_views.INSURANCE.call())
    assert terms.sequencer.hex() == OWN[2:] and terms.governor == person("ivan").address
    assert "0x" + terms.token.hex() == token
    assert (terms.parameters.claim_window, terms.parameters.claim_bond) == (77, 8 * 10**17)
    disputes = replace(DevnetConfig().dispute_parameters, entry_window=77 + 900, clock=9_000)
    assert terms.dispute_parameters == disputes
    assert dispute_views.INSURANCE.answer(insurance).hex() == OWN[2:]
    again = await deployed(l1, *words)
    assert again == made | {"isNew": False}
    out.write_text(json.dumps(made | {"rollup": OWN}))
    said = await deployed(l1, *words, code=1)
    assert f"L1 has no rollup at {OWN}" in said


async def test_in_the_mock_mode_a_devnet_trusts_its_claimant_and_others_whom_they_say(
    l1: str, key_file: str, tmp_path: Path
) -> None:
    own = ("--key-file", key_file, "--sequencer", OWN, "--trust-attester", OWN)
    for words, attester in (
        (("--from", "governor"), person("claimant").address),
        (own, bytes.fromhex(OWN[2:])),
    ):
        out = str(tmp_path / f"{words[1][-8:]}.json")
        made = await deployed(l1, *words, *MOCK, "--out", out)
        async with L1Client(l1) as client:
            terms = await RollupReader(client, bytes.fromhex(made["rollup"][2:])).deployment()
            found = await client.call(terms.verifier, mock_verifier.ATTESTER.call())
        assert (terms.takes_proofs, terms.proof_system) == (True, "MOCK-ATTESTED")
        assert mock_verifier.ATTESTER.answer(found) == attester
        assert not any(terms.disputes), "there is nothing to dispute"


async def test_nothing_is_deployed_that_could_not_be_written_down(l1: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" / "venue.json")
    said = await deployed(l1, "--from", "governor", "--out", out, code=1)
    assert f"{tmp_path / 'file'}: " in said
    async with L1Client(l1) as client:
        assert await client.block_number() == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "bob"), "bob governs no devnet: --from governor, or --key-file FILE"),
        (("--from", "governor", "--sequencer", OWN), "--from deploys a devnet's venue with its"),
        (("--from", "governor", "--insurance", OWN), "--from deploys a devnet's venue with its"),
        (("--key-file", "KEY", "--sequencer", OWN, "--claim-bond", "5"), "claim_bond 5 wei does"),
        (("--key-file", "KEY", "--sequencer", OWN, "--clock", "9"), "clock 9 s is below move_time"),
        ((), "say who signs"),
        (("--key-file", "KEY"), "say whose key posts batches: --sequencer ADDRESS"),
        (("--from", "governor", *MOCK, "--trust-attester", OWN), "--from deploys a devnet's venue"),
        (("--key-file", "KEY", "--sequencer", OWN, *MOCK), "name it with --trust-attester ADDRESS"),
        (
            ("--key-file", "KEY", "--sequencer", OWN, "--trust-attester", OWN),
            "--trust-attester is of --mode validity-mock",
        ),
        (("--key-file", "KEY", "--sequencer", OWN, "--markets", "BAD"), "holds no JSON"),
        (("--key-file", "KEY", "--sequencer", OWN, "--markets", "MAP"), "holds no list"),
        (("--key-file", "KEY", "--sequencer", OWN, "--markets", "ONE"), "no market parameters"),
    ],
)
def test_a_deployment_put_wrongly_sends_nothing(
    words: tuple[str, ...], told: str, key_file: str, tmp_path: Path
) -> None:
    files = {"KEY": key_file}
    for name, content in (("BAD", "{"), ("MAP", "{}"), ("ONE", "[{}]")):
        files[name] = str(tmp_path / name)
        Path(files[name]).write_text(content)
    placed = [files.get(word, word) for word in words]
    out = tmp_path / "venue.json"
    result = run("--out", str(out), "--l1", "http://127.0.0.1:1", *placed, code=2)
    (line,) = result.stderr.splitlines()
    assert told in line and not out.exists()


def test_a_claim_stakes_something(tmp_path: Path) -> None:
    out = tmp_path / "venue.json"
    result = run("--out", str(out), "--from", "governor", "--claim-bond", "0", code=2)
    assert "0 is not in the range" in result.stderr
