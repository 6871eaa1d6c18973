"""`deploy`: put a venue on L1 once, and write down where it is."""

import asyncio
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import click
import msgspec

from node.cli.deployment_terms import Terms, check_sound, parameter_options, terms_of
from node.cli.failures import Failure, WronglyPut, told
from node.cli.listings import read
from node.cli.options import ADDRESS, json_option, l1_option, signer_options
from node.cli.output import console, facts, print_json, waiting
from node.cli.signer import Signer, signer
from node.clock import SystemClock
from node.config import DevnetConfig
from node.devnet.people import GOVERNOR, person
from node.modes import MODES, OPTIMISTIC, VALIDITY_MOCK
from state.transactions.list_market import Listing

DEFAULTS = DevnetConfig()


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file that says where it is.",
)
@click.option("--sequencer", type=ADDRESS, help="Who posts batches; a devnet has its own.")
@click.option("--token", type=ADDRESS, help="The USDC of this L1; else a token of tests comes too.")
@click.option(
    "--markets",
    type=click.Path(path_type=Path),
    help="A JSON list of markets, each as the parameters of `market show --json`.",
)
@click.option("--insurance", type=ADDRESS, help="Who gets the rest of lost bonds; else the signer.")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default=OPTIMISTIC,
    show_default=True,
    help="How claims are settled: under bond, or at once by a proof, which is a mock.",
)
@click.option(
    "--trust-attester",
    "attester",
    type=ADDRESS,
    help="Whose word the mock takes for every claim; a devnet has its claimant's.",
)
@parameter_options
@signer_options
@l1_option
@json_option
def deploy(
    out: Path,
    sequencer: bytes | None,
    token: bytes | None,
    markets: Path | None,
    insurance: bytes | None,
    mode: str,
    attester: bytes | None,
    name: str | None,
    key_file: Path | None,
    l1_url: str,
    as_json: bool,
    **parameters: int,
) -> None:
    """Deploy a venue on L1 in the signer's name, who governs it, and list its markets.

    Where --out is there already nothing is deployed: it is checked that L1 has that venue. On a
    devnet, signed --from governor, the test accounts get money, roles and markets.
    """
    with told():
        key = signer(name, key_file)
        _check_own(key, (sequencer, token, markets, insurance, attester))
        _check_attester(key, mode, attester)
        terms = terms_of(parameters)
        if not key.is_public and mode == OPTIMISTIC:
            check_sound(terms)
        own_venue = {
            "sequencer": sequencer,
            "listings": _listings(markets),
            "token": token,
            "insurance": insurance,
            "attester": attester,
            "trusts_attester": attester is not None,
        }
        work = _deployed(out, l1_url, key, terms, mode, own_venue)
        with waiting("compiling the contracts, then waiting for L1"):
            found, is_new = asyncio.run(work)
    if as_json:
        print_json({"isNew": is_new, **msgspec.json.decode(out.read_bytes())})
        return
    rows = [
        ("chain", str(found.chain_id)),
        ("rollup", "0x" + found.rollup.hex()),
        ("token", "0x" + found.token.hex()),
        ("block", str(found.block)),
        ("written to", str(out)),
    ]
    console().print(facts("Deployed" if is_new else "The venue was there already", rows))


def _check_own(key: Signer, own: tuple[object, ...]) -> None:
    """WronglyPut unless all that is a venue's own was left out, as a devnet's is, or named."""
    if key.is_public and key.address != person(GOVERNOR).address:
        raise WronglyPut(f"{key.name} governs no devnet: --from governor, or --key-file FILE")
    if key.is_public and own != (None,) * len(own):
        raise WronglyPut(
            "--from deploys a devnet's venue with its own sequencer, token, markets, insurance "
            "and attester; for another name the deploying key with --key-file"
        )
    if not key.is_public and own[0] is None:
        raise WronglyPut("say whose key posts batches: --sequencer ADDRESS")


def _check_attester(key: Signer, mode: str, attester: bytes | None) -> None:
    """WronglyPut unless somebody is named whose word is taken, exactly where one is needed."""
    if mode == OPTIMISTIC and attester is not None:
        raise WronglyPut("--trust-attester is of --mode validity-mock: nobody is asked elsewhere")
    if mode == VALIDITY_MOCK and not key.is_public and attester is None:
        raise WronglyPut(
            "in the mode validity-mock one key's word confirms every claim, and whoever has it can "
            "take all money of the venue: name it with --trust-attester ADDRESS"
        )


def _listings(path: Path | None) -> tuple[Listing, ...]:
    if path is None:
        return ()
    try:
        found = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WronglyPut(f"{path} holds no JSON: {error}") from None
    if not isinstance(found, list):
        raise WronglyPut(f"{path} holds no list; expected [{{market}}, ...], numbered from 0")
    return tuple(read(one) for one in found)


async def _deployed(
    out: Path,
    l1_url: str,
    key: Signer,
    terms: Terms,
    mode: str,
    own_venue: dict[str, Any],
) -> tuple[Any, bool]:
    """The deployment that `out` names, or a new one that it names from now on."""
    from node.deploy import Venue, check_deployed, deployment_json, read_deployment
    from node.deploy import deploy as deploy_venue
    from node.devnet.deployment import compiled, deploy_devnet
    from node.files import write_whole
    from node.l1.client import L1Client
    from node.l1.sender import TransactionSender

    clock = SystemClock()
    async with L1Client(l1_url, clock=clock) as client:
        chain_id = await client.chain_id()
        key.check_chain(chain_id)
        if out.exists():
            known = read_deployment(out)
            await check_deployed(client, known)
            return known, False
        _check_writable(out.parent)
        contracts = await asyncio.to_thread(compiled)
        if key.is_public:
            made = await deploy_devnet(
                client,
                contracts,
                clock,
                terms.rollup,
                terms.disputes,
                DEFAULTS.price_age_max,
                mode,
            )
        else:
            governor = TransactionSender(client, key.private_key, clock, chain_id=chain_id)
            venue = Venue(parameters=terms.rollup, disputes=terms.disputes, **own_venue)
            made = await deploy_venue(client, governor, contracts, venue)
        write_whole(out, deployment_json(made))
        return made, True


def _check_writable(folder: Path) -> None:
    """OSError before anything is paid for, where it could not be written down afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):
        pass
