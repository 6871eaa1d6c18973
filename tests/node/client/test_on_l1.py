"""A venue as L1 knows it, on a chain with the real contracts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from builders import MICRO_DOLLAR
from following import catch_up, following
from l1_venue import CLAIMANT, PARAMETERS, L1Venue, l1_venue, person
from msgspec.structs import replace

from contracts import calls
from node.client import BadProof, VenueOnL1, verify_account_proof, verify_best_order_proof
from node.client.on_l1 import domain_on_l1
from node.rollup import RollupReader, WrongRollup
from node.rpc.client import VenueClient
from node.rpc.errors import InvalidParams
from node.rpc.server import serve
from node.settlement import NotNow, usdc_balance
from state.batch import output_hash
from state.eip712 import domain

ALICE = 1 << 8


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


async def posted(venue: L1Venue) -> None:
    """Batch 1: what was deposited, and a little of it withdrawn."""
    await venue.fund()
    now = await venue.now()
    await venue.post([venue.opening(now), [venue.withdraw("alice", 30, now)]])


async def test_a_claim_on_l1_is_what_proofs_are_held_against(
    venue: L1Venue, tmp_path: Path
) -> None:
    l1 = VenueOnL1(venue.reader)
    await posted(venue)
    assert await l1.claims(1) == []
    made = venue.executed[-1]
    await venue.claim(CLAIMANT, made.output, made.parent_claim, made.header)
    (claimed,) = await l1.claims(1)
    assert claimed.output == made.output and not claimed.is_confirmed

    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        server = await serve(follower)
        async with VenueClient(server.url) as node:
            account, best = await node.account_proof(ALICE), await node.best_order_proof(0, "buy")
        await server.close()
    assert account.roots.batch == 1
    found = verify_account_proof(account, claimed.output.state_root, ALICE)
    assert found.owner == person("alice").address and found.cash > 0
    assert verify_best_order_proof(best, claimed.output.state_root, 0, "buy") is None
    with pytest.raises(BadProof, match="wrong_root"):
        verify_account_proof(account, claimed.output.withdrawals_root, ALICE)

    await venue.mine(PARAMETERS.claim_window)
    data = calls.confirm(parent_claim=made.parent_claim, output_hash=output_hash(made.output))
    await venue.send(CLAIMANT, data)
    assert [one.is_confirmed for one in await l1.claims(1)] == [True]


async def test_rivals_are_both_told(venue: L1Venue) -> None:
    await posted(venue)
    made = venue.executed[-1]
    lie = replace(made.output, state_root=b"\x66" * 32)
    for output in (made.output, lie):
        await venue.claim(CLAIMANT, output, made.parent_claim, made.header)
    told = [one.output for one in await VenueOnL1(venue.reader).claims(1)]
    assert told == [made.output, lie]


async def test_a_domain_comes_from_l1_or_not_at_all(venue: L1Venue) -> None:
    terms = venue.deployment
    expected = domain(terms.chain_id, terms.rollup)
    assert await domain_on_l1(venue.server.url, terms.rollup) == expected
    for other in (b"\x01" * 20, terms.token):
        with pytest.raises(WrongRollup):
            await VenueOnL1(RollupReader(venue.client, other)).domain()


async def test_a_deposit_is_paid_in_exactly_or_refused(venue: L1Venue) -> None:
    l1, alice = VenueOnL1(venue.reader), person("alice")
    before = await usdc_balance(venue.client, venue.deployment.token, alice.address)
    done = await l1.deposit(alice.private, "70.25", subaccount=3)
    assert done.account == ALICE | 3
    after = await usdc_balance(venue.client, venue.deployment.token, alice.address)
    assert before - after == 70_250_000 == 70 * MICRO_DOLLAR + 250_000
    with pytest.raises(InvalidParams):
        await l1.deposit(alice.private, "0.0000001")
    with pytest.raises(NotNow, match="deposit less"):
        await l1.deposit(alice.private, "999999999")
