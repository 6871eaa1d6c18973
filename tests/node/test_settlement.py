"""Money through L1's door: taken in exactly, and paid out against proofs that L1 can check."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import MICRO_DOLLAR
from following import catch_up, following
from l1_venue import CLAIMANT, PARAMETERS, L1Venue, l1_venue, person
from msgspec.structs import replace

from contracts import calls, token
from node.errors import Halt
from node.rpc.client import VenueClient
from node.rpc.rollup_results import WithdrawalProof
from node.rpc.server import serve
from node.rpc.wire import Hash
from node.settlement import NotNow, confirmed_claim, deposit, pay_withdrawal, usdc_balance
from state.batch import output_hash


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


async def balance(venue: L1Venue, owner: bytes) -> int:
    return await usdc_balance(venue.client, venue.deployment.token, owner)


async def withdrawn(venue: L1Venue, *, settled: bool = True) -> None:
    """Alice has asked for $30 and Bob for $20 in batch 1; it is claimed, and maybe settled."""
    await venue.fund()
    now = await venue.now()
    requests = [venue.withdraw("alice", 30, now), venue.withdraw("bob", 20, now)]
    await venue.post([venue.opening(now), requests])
    made = venue.executed[-1]
    await venue.claim(CLAIMANT, made.output, made.parent_claim, made.header)
    if settled:
        await venue.mine(PARAMETERS.claim_window)
        data = calls.confirm(parent_claim=made.parent_claim, output_hash=output_hash(made.output))
        await venue.send(CLAIMANT, data)


@asynccontextmanager
async def node(venue: L1Venue, directory: Path) -> AsyncIterator[VenueClient]:
    """A follower behind its JSON-RPC."""
    async with following(venue, directory) as follower:
        await catch_up(follower)
        server = await serve(follower, port=0)
        async with VenueClient(server.url) as client:
            yield client
        await server.close()


async def test_a_deposit_moves_money_and_names_its_account(venue: L1Venue) -> None:
    alice = person("alice").address
    before = await balance(venue, alice)
    done = await deposit(venue.reader, venue.senders["alice"], 70 * MICRO_DOLLAR, subaccount=3)
    assert (done.account, done.index) == (1 << 8 | 3, 1)
    assert await balance(venue, alice) == before - 70 * MICRO_DOLLAR
    assert await balance(venue, venue.deployment.rollup) == 70 * MICRO_DOLLAR


async def test_a_first_deposit_is_allowed_on_the_way(venue: L1Venue) -> None:
    # Judy trades with nobody's help: she holds USDC and has approved nothing.
    judy, amount = venue.senders["judy"], 5 * MICRO_DOLLAR
    await venue.senders["grace"].send(
        venue.deployment.token, token.mint(to=judy.address, amount=amount)
    )
    done = await deposit(venue.reader, judy, amount)
    assert done.account == 1 << 8
    assert await balance(venue, judy.address) == 0


async def test_nobody_deposits_more_than_they_have(venue: L1Venue) -> None:
    with pytest.raises(NotNow, match=r"has 1000000 USDC on L1 and would deposit 1000000\.000001"):
        await deposit(venue.reader, venue.senders["alice"], 10**6 * MICRO_DOLLAR + 1)


async def test_a_settled_withdrawal_is_paid_once(venue: L1Venue, tmp_path: Path) -> None:
    await withdrawn(venue)
    alice = person("alice").address
    async with node(venue, tmp_path) as client:
        before = await balance(venue, alice)
        paid = await pay_withdrawal(venue.reader, venue.senders["carol"], client, 0)
        assert (paid.index, paid.recipient, paid.batch) == (0, alice, 1)
        assert await balance(venue, alice) == before + 30 * MICRO_DOLLAR == before + paid.amount
        with pytest.raises(NotNow, match="withdrawal 0 is paid already"):
            await pay_withdrawal(venue.reader, venue.senders["carol"], client, 0)
        bob = await pay_withdrawal(venue.reader, venue.senders["carol"], client, 1)
        assert bob.amount == 20 * MICRO_DOLLAR


async def test_a_withdrawal_waits_for_the_first_claim(venue: L1Venue, tmp_path: Path) -> None:
    await withdrawn(venue, settled=False)
    async with node(venue, tmp_path) as client:
        with pytest.raises(NotNow, match="no claim is confirmed yet"):
            await pay_withdrawal(venue.reader, venue.senders["carol"], client, 0)


async def test_a_withdrawal_waits_for_its_own_claim(venue: L1Venue, tmp_path: Path) -> None:
    await withdrawn(venue)
    now = await venue.now()
    await venue.post([venue.opening(now), [venue.withdraw("carol", 10, now)]])
    async with node(venue, tmp_path) as client:
        with pytest.raises(NotNow, match="withdrawal 2 is posted and batch 1 is the last one"):
            await pay_withdrawal(venue.reader, venue.senders["carol"], client, 2)


class Liar(VenueClient):
    """A node that lies about one thing."""

    lie: dict[str, Any]

    async def withdrawal_proof(self, index: int, batch: int | None = None) -> WithdrawalProof:
        return replace(await super().withdrawal_proof(index, batch), **self.lie)


@pytest.mark.parametrize("siblings", [[], [bytes(32)] * 32, [b"\x01" * 32] * 31])
async def test_a_lying_node_costs_no_gas(
    venue: L1Venue, tmp_path: Path, siblings: list[bytes]
) -> None:
    await withdrawn(venue)
    async with node(venue, tmp_path) as client:
        liar = Liar(client._channel.url)
        liar.lie = {"siblings": [Hash(sibling) for sibling in siblings]}
        async with liar:
            before = await venue.client.balance(venue.senders["carol"].address)
            with pytest.raises(Halt, match="ask another node"):
                await pay_withdrawal(venue.reader, venue.senders["carol"], liar, 0)
            assert await venue.client.balance(venue.senders["carol"].address) == before


async def test_the_confirmed_claim_is_read_off_l1(venue: L1Venue) -> None:
    with pytest.raises(NotNow):
        await confirmed_claim(venue.reader)
    await withdrawn(venue)
    claim, made = await confirmed_claim(venue.reader), venue.executed[0]
    assert claim.batch == 1 and claim.parent == made.parent_claim
    assert claim.withdrawals_root == made.commitment.withdrawals.root
