"""What a dispute has cost whom: every transaction that L1's logs tie to it, and no other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from disputed_venue import (
    CHALLENGER,
    STRANGER,
    TERMS,
    DisputedVenue,
    act,
    disputed_venue,
    lying,
    settle,
)
from l1_venue import CLAIMANT, LIAR, person

from contracts import calls, disputes
from node.challenger import ChallengerService
from node.disputes import reading
from node.disputes.costs import Cost, CostReader
from node.disputes.course import course
from node.followed import Followed
from node.l1.client import L1Client
from state.batch import decode_output, output_hash

pytestmark = pytest.mark.asyncio(loop_scope="module")
ME = person(CHALLENGER).address

TO_THE_ROLLUP = {
    name: data[:4]
    for name, data in {
        "claim": calls.claim(parent_claim=bytes(32), output=b"", header=b""),
        "confirm": calls.confirm(parent_claim=bytes(32), output_hash=bytes(32)),
        "reject": calls.reject(parent_claim=bytes(32), output_hash=bytes(32)),
        "reopen": calls.reopen(bytes(32)),
        "void": calls.prove_malformed(number=1, header=b"", chunk=0, compressed=b""),
        "bonds": calls.claim_bond_withdraw(),
    }.items()
}
OF_PAYMENTS = {
    disputes.collect(bytes(32))[:4],
    disputes.redeem(bytes(32))[:4],
    disputes.withdraw()[:4],
}


@dataclass(frozen=True)
class Mined:
    """A transaction, with what was called."""

    sender: bytes
    called: bytes
    succeeded: bool
    gas: int
    wei: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DisputedVenue]:
    async with disputed_venue(tmp_path_factory.mktemp("costs")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def world(deployed: DisputedVenue, tmp_path: Path) -> AsyncIterator[DisputedVenue]:
    async with deployed.taken_back(tmp_path):
        yield deployed


async def mined_since(client: L1Client, first: int) -> list[Mined]:
    """Every transaction from a block on, of whoever it is."""
    found = []
    for number in range(first, await client.block_number() + 1):
        block = await client.request("eth_getBlockByNumber", hex(number), True)
        for sent in block["transactions"]:
            receipt = await client.receipt(bytes.fromhex(sent["hash"][2:]))
            assert receipt is not None
            found.append(
                Mined(
                    bytes.fromhex(sent["from"][2:]),
                    bytes.fromhex(sent["input"][2:10]),
                    receipt.succeeded,
                    receipt.gas_used,
                    receipt.gas_used * receipt.gas_price,
                )
            )
    return found


def reckoned(mined: list[Mined]) -> dict[bytes, Cost]:
    """What they sum up to, by who sent them."""
    found: dict[bytes, Cost] = {}
    for one in mined:
        before = found.get(one.sender, Cost())
        found[one.sender] = Cost(
            transactions=before.transactions + 1,
            gas=before.gas + one.gas,
            wei=before.wei + one.wei,
            settling=before.settling + (one.called in TO_THE_ROLLUP.values()),
        )
    return found


async def read(challenger: ChallengerService) -> Followed:
    """All of L1."""
    while not await challenger.follower.attempt():
        pass
    assert challenger.follower.followed is not None
    return challenger.follower.followed


async def test_a_dispute_costs_all_that_its_contest_led_to_and_nothing_else(
    world: DisputedVenue,
) -> None:
    client = world.venue.client
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(CLAIMANT, right, 1)
        first = await client.block_number() + 1
        await world.claim(LIAR, lie, 1)
        # What descends from the lie falls with it.
        header, output = world.venue.executed[1].header, decode_output(right.output)
        below = await world.right_trace(challenger, 2)
        await world.venue.claim(LIAR, decode_output(below.output), lie.claim, header)
        await world.claim(CLAIMANT, below, 2)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        # A call that L1 takes, and refuses: somebody pays for it, and no log tells.
        late = calls.reject(parent_claim=right.parent, output_hash=output_hash(output))
        await client.request(
            "eth_sendTransaction",
            {
                "from": "0x" + person(STRANGER).address.hex(),
                "to": "0x" + world.venue.deployment.rollup.hex(),
                "data": "0x" + late.hex(),
                "gas": hex(500_000),
            },
        )
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie)
        async with world.claiming() as claimant:
            await settle(claimant)
        assert await world.confirmed() == 2
        await act(challenger)
        followed = await read(challenger)
        seen = await world.see(CHALLENGER, right.parent)
        calls_made = course(seen, followed)
        found = await CostReader(client).costs(calls_made)
        assert await CostReader(client).cost(calls_made, ME) == found[ME]

        sent = await mined_since(client, first)
        refused = [one for one in sent if not one.succeeded]
        paid_out = [one for one in sent if one.called in OF_PAYMENTS | {TO_THE_ROLLUP["bonds"]}]
        descendant = [
            one
            for one in sent
            if one.sender == person(LIAR).address and one.called == TO_THE_ROLLUP["claim"]
        ][1]
        assert [one.sender for one in refused] == [person(STRANGER).address] and paid_out
        beside = [one for one in sent if one.sender == person(CLAIMANT).address]
        left_out = {id(one) for one in [*refused, *paid_out, *beside, descendant]}
        assert found == reckoned([one for one in sent if id(one) not in left_out])
        # It confirmed the winner, and rejected the lie with what descended from it.
        assert found[ME].settling == 3 and found[person(LIAR).address].settling == 1
        assert person(CLAIMANT).address not in found and person(STRANGER).address not in found


async def test_a_dispute_that_is_opened_anew_begins_its_cost_anew(world: DisputedVenue) -> None:
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(CLAIMANT, right, 1)
        await world.claim(LIAR, lie, 1)
        contests = await world.contests()
        await world.venue.mine(TERMS.entry_window + 1)
        await act(challenger)
        contests += await world.contests()
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(right, lie)
        followed = await read(challenger)
        block = await world.venue.reader.block("latest")
        first, second = [await world.reader.see(one, ME, block) for one in contests]
        costs = CostReader(world.venue.client)
        claimed = await costs.costs(course(first, followed))
        assert {who: cost.transactions for who, cost in claimed.items()} == {
            person(LIAR).address: 1
        }
        ours = await costs.costs(course(second, followed))
        # Reopened, entered, confirmed, rejected.
        assert {who: (cost.transactions, cost.settling) for who, cost in ours.items()} == {
            ME: (4, 3)
        }


async def test_the_proof_that_a_batch_is_void_is_a_cost_of_the_first_dispute_over_it(
    world: DisputedVenue,
) -> None:
    venue = world.venue
    await venue.post([venue.opening(await venue.now())], flip=4)
    async with world.challenging() as challenger:
        for batch in (1, 2):
            await world.claim(CLAIMANT, await world.right_trace(challenger, batch), batch)
        right = await world.right_trace(challenger, 3)
        first = await venue.client.block_number() + 1
        lie = lying(right, 1)
        await world.claim(LIAR, lie, 3)
        await act(challenger)
        followed = await read(challenger)
        seen = await world.see(CHALLENGER, right.parent)
        found = await CostReader(venue.client).costs(course(seen, followed))
        sent = [one for one in await mined_since(venue.client, first) if one.sender == ME]
        assert {one.called for one in sent} >= {TO_THE_ROLLUP["void"], TO_THE_ROLLUP["claim"]}
        # The lie came first, and contested nothing.
        assert found == reckoned(sent) and found[ME].settling == 2
        # Rivals under a wrong parent are another dispute over the same batch, without the proof.
        wrong, header = lying(await world.right_trace(challenger, 2), 4), venue.executed[2].header
        await world.claim(LIAR, wrong, 2)
        for seed in (b"\x01", b"\x02"):
            output = decode_output(lying(right, 1, seed=seed).output)
            await venue.claim(STRANGER, output, wrong.claim, header)
        followed = await read(challenger)
        seen = await world.see(CHALLENGER, wrong.claim)
        assert seen.contest.batch == 3
        found = await CostReader(venue.client).costs(course(seen, followed))
        assert {who: cost.settling for who, cost in found.items()} == {person(STRANGER).address: 1}


async def test_a_challenger_asks_l1_for_no_receipt_of_another_and_for_none_twice(
    world: DisputedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        lie = lying(right, 9)
        await world.claim(LIAR, lie, 1)
        receipt = challenger._cost_reader._client.receipt

        async def noted(transaction: bytes) -> object:
            asked.append(transaction)
            return await receipt(transaction)

        reader = CostReader(challenger.follower.client)
        await world.duel(challenger, (LIAR, world.player(LIAR, lie)))
        monkeypatch.setattr(reader._client, "receipt", noted)
        followed = await read(challenger)
        seen = await world.see(CHALLENGER, right.parent)
        made = course(seen, followed)
        ours = [one.transaction for one in made if one.player != person(LIAR).address]
        for _ in range(2):
            await reader.cost(made, ME)
        assert asked == ours and len(ours) < len(made)


async def test_contests_are_read_as_they_were_followed(world: DisputedVenue) -> None:
    """Or the first one over a batch would not be known by sight."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        await world.claim(CLAIMANT, right, 1)
        await world.claim(LIAR, lying(right, 9), 1)
        followed = await read(challenger)
        block = await world.venue.reader.block("latest")
        assert await reading.contests(world.venue.reader, 0, block) == followed.contests
