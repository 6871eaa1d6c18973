"""Deploying: everything in its place, or nothing that looks as if it were."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from builders import MICRO_DOLLAR, listing
from fake_clock import FakeClock
from l1_venue import GOVERNOR, PARAMETERS, SEQUENCER, TRADERS, L1Venue, l1_venue, person
from msgspec.structs import replace

from contracts import dispute_views, step, token, views
from contracts.abi import View
from contracts.compiler import Artifact, compile_contract
from node.config import DevnetConfig
from node.deploy import (
    Contracts,
    Deployment,
    DeploymentFailed,
    Venue,
    check_deployed,
    created_address,
    deploy,
    deployment_json,
    read_deployment,
    senders,
)
from node.devnet.listings import COINS, Coin, listings, lot_price
from node.devnet.venue import check_mode
from node.errors import Halt
from node.l1.client import L1Client
from node.l1.config import L1Config
from node.l1.sender import TransactionSender
from node.l1.server import L1Server
from node.modes import MODES
from node.rollup import RollupReader
from node.rollup_events import ItemAdded
from node.settlement import usdc_balance
from prover.replay import genesis_claim
from state.memory import MemoryState
from state.status import Status
from state.store import Changes
from state.transactions.list_market import (
    Listing,
    apply_list_market,
    encode_listing,
    is_sound,
)
from state.units import RATE_ONE

CONTRACTS = Contracts.compiled(compile_contract)
PUBLISHER = person("frank").address


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


async def test_a_deployed_rollup_has_the_roles_and_rules_it_was_given(venue: L1Venue) -> None:
    assert venue.terms.sequencer == person(SEQUENCER).address
    assert venue.terms.governor == person(GOVERNOR).address
    assert venue.terms.token == venue.deployment.token
    assert venue.terms.parameters == PARAMETERS
    assert venue.terms.deployed_at == venue.deployment.block
    assert await venue.reader.read(views.GENESIS_CLAIM) == genesis_claim()


async def test_markets_are_listed_through_the_inbox(venue: L1Venue) -> None:
    (event,) = await venue.reader.scan(0, await venue.client.block_number())
    assert isinstance(event, ItemAdded)
    assert event.item.payload == encode_listing(listing())


async def test_purses_are_filled_and_open_to_the_rollup(venue: L1Venue) -> None:
    for name in TRADERS:
        owner = person(name).address
        found = await usdc_balance(venue.client, venue.deployment.token, owner)
        assert found == 10**6 * MICRO_DOLLAR
        call = token.ALLOWANCE.call(owner, venue.deployment.rollup)
        answer = await venue.client.call(venue.deployment.token, call)
        assert token.ALLOWANCE.answer(answer) == 2**256 - 1


async def test_on_an_l1_with_intervals_a_venue_takes_one_block() -> None:
    config, clock = L1Config(port=0, block_time=3_600), FakeClock()
    async with L1Server(config) as server, L1Client(server.url, clock=clock) as client:
        await client.request("evm_setAutomine", False)
        governor = TransactionSender(client, person(GOVERNOR).private, clock, chain_id=31_337)
        owners = [person(name).address for name in TRADERS]
        what = Venue(
            sequencer=person(SEQUENCER).address,
            parameters=PARAMETERS,
            listings=listings(PUBLISHER, 60),
            purses=tuple((owner, 1) for owner in owners),
        )
        deploying = asyncio.create_task(deploy(client, governor, CONTRACTS, what))
        sent = 3 + len(what.listings) + len(what.purses)
        while await client.nonce(governor.address, "pending") < sent:
            await asyncio.sleep(0.01)
        await client.request("evm_mine")
        deployment = await deploying
        assert await client.block_number() == deployment.block == 1
        await check_deployed(client, deployment)


def router_alone(name: str) -> Artifact:
    """In the place of every contract of rules the token, which takes no time to compile."""
    is_rules = name in map(step.source, step.RULES) and name != step.source(step.CHUNKS)
    return compile_contract("test_usdc" if is_rules else name)


async def test_what_takes_a_step_is_found_from_the_rollup(venue: L1Venue) -> None:
    contracts, client = Contracts.proving(router_alone), venue.client
    deployment = await deploy(client, venue.senders[GOVERNOR], contracts, what_to_deploy())
    router = views.STEP.answer(await client.call(deployment.rollup, views.STEP.call()))
    rules = {}
    for name in step.RULES:
        told = View(name.upper(), (), ("address",), bytes)
        rules[name] = told.answer(await client.call(router, told.call()))
    assert rules["chunks"] == views.CHUNKS.answer(
        await client.call(deployment.rollup, views.CHUNKS.call())
    )
    assert len(set(rules.values())) == len(step.RULES)
    for name, address in rules.items():
        assert await client.code(address) == router_alone(step.source(name)).runtime_code


async def test_a_rollup_and_its_disputes_name_each_other(venue: L1Venue) -> None:
    client, parameters = venue.client, DevnetConfig().dispute_parameters
    contracts = replace(CONTRACTS, disputes=compile_contract("disputes"))
    what = replace(
        what_to_deploy(),
        parameters=DevnetConfig().parameters,
        disputes=parameters,
        insurance=PUBLISHER,
    )
    deployment = await deploy(client, venue.senders[GOVERNOR], contracts, what)
    terms = await RollupReader(client, deployment.rollup).deployment()
    assert terms.dispute_parameters == parameters
    for view, told in (
        (dispute_views.ROLLUP, deployment.rollup),
        (dispute_views.INSURANCE, PUBLISHER),
    ):
        assert view.answer(await client.call(terms.disputes, view.call())) == told


async def test_where_nobody_decides_the_terms_name_no_disputes(venue: L1Venue) -> None:
    assert venue.terms.disputes == bytes(20)
    assert venue.terms.dispute_parameters is None


async def test_a_key_in_use_elsewhere_is_found_out(
    venue: L1Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    judy = venue.senders["judy"]
    before = await venue.client.nonce(judy.address)
    await judy.send(judy.address)

    async def as_before(*_: object) -> int:
        return before

    # The nonce was asked for before somebody else used it.
    async with L1Client(venue.server.url) as client:
        monkeypatch.setattr(client, "nonce", as_before)
        with pytest.raises(DeploymentFailed, match="used by another process"):
            await deploy(client, judy, CONTRACTS, what_to_deploy())


def what_to_deploy() -> Venue:
    return Venue(
        sequencer=person(SEQUENCER).address,
        parameters=PARAMETERS,
        listings=(),
        purses=(),
    )


async def test_a_market_that_cannot_be_is_refused_before_anything_is_sent(venue: L1Venue) -> None:
    governor = venue.senders[GOVERNOR]
    before = await venue.client.nonce(governor.address)
    bad = replace(what_to_deploy(), listings=(replace(listing(), band=0),))
    with pytest.raises(ValueError, match="BTC-USD-PERP"):
        await deploy(venue.client, governor, CONTRACTS, bad)
    assert await venue.client.nonce(governor.address) == before


def test_the_address_of_a_contract_follows_from_creator_and_nonce() -> None:
    # The example of EIP-1014's predecessors: the first contracts of the first devnet account.
    alice = person("alice").address
    assert created_address(alice, 0).hex() == "5fbdb2315678afecb367f032d93f642f64180aa3"
    assert created_address(alice, 1).hex() == "e7f1725e7734ce288f8367e1bb143e90bb3f0512"


@pytest.mark.parametrize("part", ["chain", "token", "rollup"])
async def test_a_venue_of_another_l1_is_refused(venue: L1Venue, part: str) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "chain": {"chain_id": 1},
        "token": {"token": bytes(20)},
        "rollup": {"rollup": bytes(20)},
    }
    await check_deployed(venue.client, venue.deployment)
    with pytest.raises(Halt, match=part):
        await check_deployed(venue.client, replace(venue.deployment, **wrong[part]))


def test_a_deployment_reads_back(tmp_path: Path) -> None:
    deployment = Deployment(chain_id=5, token=b"\x01" * 20, rollup=b"\x02" * 20, block=7)
    path = tmp_path / "deployment.json"
    path.write_bytes(deployment_json(deployment))
    assert read_deployment(path) == deployment


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"chainId": 1, "token": "0xzz"}'])
def test_a_damaged_deployment_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(content)
    with pytest.raises(Halt, match=r"deployment\.json does not say where the venue is"):
        read_deployment(path)


def test_senders_are_of_their_keys() -> None:
    keys = [person(name).private for name in TRADERS]
    found = senders(L1Client("http://127.0.0.1:1"), FakeClock(), 31_337, keys)
    assert [sender.address for sender in found] == [person(name).address for name in TRADERS]


@pytest.mark.parametrize("market", listings(PUBLISHER, 60), ids=lambda x: x.symbol.decode())
def test_every_devnet_market_can_be_listed(market: Listing) -> None:
    assert is_sound(market)
    changes = Changes(MemoryState())
    assert apply_list_market(changes, encode_listing(market)) == Status.OK


@pytest.mark.parametrize("coin", COINS, ids=lambda coin: coin.symbol)
def test_a_lot_is_worth_cents_and_margin_is_in_order(coin: Coin) -> None:
    cents = lot_price(coin, coin.start) / 10**7
    assert 1 <= cents <= 10
    assert 0 < coin.maintenance < coin.initial < RATE_ONE


MOCKED = Venue(
    sequencer=person(SEQUENCER).address,
    parameters=PARAMETERS,
    listings=(),
    attester=person("judy").address,
)


@pytest.mark.parametrize(
    ("chain_id", "trusts", "is_deployed"),
    [(31_337, False, True), (5, True, True), (5, False, False)],
)
async def test_a_mock_stands_for_proofs_on_a_devnet_or_where_one_says_so(
    chain_id: int, trusts: bool, is_deployed: bool
) -> None:
    clock = FakeClock()
    async with (
        L1Server(L1Config(port=0, chain_id=chain_id), clock) as server,
        L1Client(server.url) as client,
    ):
        key = person(GOVERNOR).private
        governor = TransactionSender(client, key, clock, chain_id=chain_id)
        asked = deploy(client, governor, CONTRACTS, replace(MOCKED, trusts_attester=trusts))
        if is_deployed:
            made = await asked
            assert (await RollupReader(client, made.rollup).deployment()).takes_proofs
            return
        with pytest.raises(Halt, match=r"^MOCK_REFUSED: .* chain 5 is no devnet"):
            await asked
        assert await client.block_number() == 0


@pytest.mark.parametrize("attester", [None, person("judy").address])
async def test_a_devnet_goes_on_in_the_mode_that_it_was_deployed_in(
    attester: bytes | None,
) -> None:
    async with l1_venue(attester=attester) as venue:
        own, other = MODES if attester is None else MODES[::-1]
        await check_mode(venue.client, venue.deployment, own)
        with pytest.raises(Halt, match=f"in the mode {own}, not {other}: go on with --mode {own}"):
            await check_mode(venue.client, venue.deployment, other)
