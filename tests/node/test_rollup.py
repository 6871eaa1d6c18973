"""Reading the rollup on L1: what it is, what happened to it, and what L1 took back."""

from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import pytest
from builders import MICRO_DOLLAR
from l1_venue import GOVERNOR, PARAMETERS, SEQUENCER, TRADERS, L1Venue, l1_venue, person
from vyper import compile_code

from contracts import calls, views
from contracts.compiler import compile_contract
from node import scanner
from node.errors import Retry
from node.rollup import RollupReader, WrongRollup
from node.rollup_events import BatchPosted, Claimed, Confirmed, ItemAdded, RollupEvent
from node.scanner import L1Scanner, Mark
from prover.replay import genesis_claim
from state.batch import output_hash
from state.inbox import accumulate
from state.transactions.deposit import decode_deposit
from state.transactions.kinds import InboxKind

LATER_RULES = """
VERSION: public(constant(uint16)) = 2
"""


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


@cache
def creation_code(source: str) -> bytes:
    return bytes.fromhex(compile_code(source, output_formats=["bytecode"])["bytecode"][2:])


# --- what it is ---


async def test_the_terms_are_those_of_the_deployment(venue: L1Venue) -> None:
    terms = venue.terms
    assert terms.chain_id == 31_337 and terms.parameters == PARAMETERS
    assert (terms.rollup, terms.token) == (venue.deployment.rollup, venue.deployment.token)
    assert terms.sequencer == person(SEQUENCER).address
    assert terms.governor == person(GOVERNOR).address
    assert terms.deployed_at == venue.deployment.block
    assert terms.domain.rollup == terms.rollup and terms.domain.chain_id == 31_337
    assert await venue.reader.deployment(31_337) == terms


async def faulty(venue: L1Venue, address: bytes, chain_id: int | None = None) -> str:
    """Why there is nothing to follow at `address`."""
    with pytest.raises(WrongRollup) as wrong:
        await RollupReader(venue.client, address).deployment(chain_id)
    assert str(wrong.value).startswith(f"{wrong.value.fault}: ")
    return str(wrong.value)


async def test_an_address_that_is_no_rollup_of_ours_is_named_for_what_it_is(
    venue: L1Venue,
) -> None:
    governor = venue.senders[GOVERNOR]
    later = await governor.send(None, creation_code(LATER_RULES))
    other = await governor.send(
        None,
        calls.deployment(
            compile_contract("rollup").creation_code,
            token=venue.deployment.token,
            sequencer=person(SEQUENCER).address,
            governor=person(GOVERNOR).address,
            genesis_output_hash=b"\x01" * 32,
            proof_contracts=calls.ProofContracts(chunks=await venue.reader.read(views.CHUNKS)),
            parameters=PARAMETERS,
        ),
    )
    assert later.contract is not None and other.contract is not None
    found = {
        "OTHER_CHAIN": await faulty(venue, venue.deployment.rollup, 1),
        "NO_CONTRACT": await faulty(venue, person("alice").address),
        "NOT_A_ROLLUP": await faulty(venue, venue.deployment.token),
        "OTHER_VERSION": await faulty(venue, later.contract),
        "OTHER_GENESIS": await faulty(venue, other.contract),
    }
    mends = {
        "OTHER_CHAIN": "point the node at an L1 endpoint of that chain",
        "NO_CONTRACT": "check the rollup's address and the L1 URL",
        "NOT_A_ROLLUP": "check the rollup's address",
        "OTHER_VERSION": "run a release of that version",
        "OTHER_GENESIS": "it was deployed for other rules",
    }
    for fault, message in found.items():
        assert message.startswith(fault) and mends[fault] in message


# --- what happened ---


async def test_events_tell_everything_in_order(venue: L1Venue) -> None:
    await venue.fund()
    await venue.trading_day()
    day = venue.executed[0]
    await venue.claim("ivan", day.output, day.parent_claim, day.header)
    await venue.mine(PARAMETERS.claim_window)
    await venue.send(
        "judy",
        calls.confirm(parent_claim=day.parent_claim, output_hash=output_hash(day.output)),
    )
    events = await venue.reader.scan(0, await venue.client.block_number())
    listing, *deposits, posted, claimed, confirmed = events
    assert isinstance(listing, ItemAdded) and listing.item.kind == InboxKind.LIST_MARKET
    accumulator = bytes(32)
    for event in (listing, *deposits):
        assert isinstance(event, ItemAdded)
        accumulator = accumulate(accumulator, event.item)
    assert accumulator == await venue.reader.read(views.ACCUMULATOR, 4)
    made = [decode_deposit(e.item.payload) for e in deposits if isinstance(e, ItemAdded)]
    assert [deposit.owner for deposit in made] == [person(name).address for name in TRADERS]
    assert {deposit.amount for deposit in made} == {1_000 * MICRO_DOLLAR}
    assert isinstance(posted, BatchPosted) and posted.number == 1
    assert posted.batch_hash == await venue.reader.read(views.BATCH_HASHES, 1)
    assert isinstance(claimed, Claimed)
    assert (claimed.claim, claimed.parent) == (day.claim, genesis_claim())
    assert claimed.claimant == person("ivan").address
    record = await venue.reader.read(views.CLAIM_RECORD, claimed.claim)
    assert claimed.time == record.time
    assert isinstance(confirmed, Confirmed) and confirmed.claim == day.claim
    assert [event.block for event in events] == sorted(event.block for event in events)


# --- reading on ---


async def everything(scanning: L1Scanner) -> list[RollupEvent]:
    """Poll to the end; nothing may be taken back meanwhile."""
    events: list[RollupEvent] = []
    while True:
        scan = await scanning.poll()
        assert scan.rewound_to is None
        events += scan.events
        if scan.is_caught_up:
            return events


@pytest.mark.parametrize("blocks_max", [1, 3, 2_000])
async def test_ranges_lose_nothing(
    venue: L1Venue, blocks_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner, "BLOCKS_MAX", blocks_max)
    scanning = L1Scanner(venue.reader, first=venue.terms.deployed_at)
    head = await venue.client.block_number()
    assert await everything(scanning) == await venue.reader.scan(0, head)
    await venue.fund()
    again = await everything(scanning)
    assert [event.item.index for event in again if isinstance(event, ItemAdded)] == [1, 2, 3]
    assert await everything(scanning) == []


async def test_a_later_run_reads_on_from_its_marks(venue: L1Venue) -> None:
    first = L1Scanner(venue.reader, first=venue.terms.deployed_at)
    await everything(first)
    await venue.fund()
    second = L1Scanner(venue.reader, first=venue.terms.deployed_at, marks=first.marks)
    assert len(await everything(second)) == 3


async def test_blocks_that_are_not_deep_enough_are_left_alone(venue: L1Venue) -> None:
    scanning = L1Scanner(venue.reader, first=venue.terms.deployed_at, confirmations=3)
    await venue.mine(blocks=3)
    await everything(scanning)
    await venue.deposit("alice", 5)
    assert await everything(scanning) == []
    await venue.mine(blocks=2)
    assert await everything(scanning) == []
    await venue.mine()
    assert len(await everything(scanning)) == 1


async def test_blocks_that_l1_takes_back_are_named(venue: L1Venue) -> None:
    scanning = L1Scanner(venue.reader, first=venue.terms.deployed_at)
    await everything(scanning)
    standing = scanning.scanned
    snapshot = await venue.snapshot()
    await venue.deposit("alice", 5)
    await everything(scanning)
    await venue.deposit("bob", 5)
    await everything(scanning)
    assert scanning.scanned == standing + 2
    await venue.revert(snapshot)
    # The other branch is longer, and has another block at the same height.
    await venue.mine(seconds=100, blocks=4)
    await venue.deposit("carol", 7)
    scan = await scanning.poll()
    assert scan.rewound_to == standing and scan.events == () and not scan.is_caught_up
    (event,) = await everything(scanning)
    assert isinstance(event, ItemAdded)
    assert decode_deposit(event.item.payload).owner == person("carol").address


async def test_a_branch_that_shares_nothing_is_read_from_the_first_block(venue: L1Venue) -> None:
    strange = [Mark(block, b"\x01" * 32) for block in range(5, 9)]
    scanning = L1Scanner(venue.reader, first=venue.terms.deployed_at, marks=strange)
    scan = await scanning.poll()
    assert scan.rewound_to == venue.terms.deployed_at - 1
    head = await venue.client.block_number()
    assert await everything(scanning) == await venue.reader.scan(0, head)


async def test_a_chain_that_became_shorter_is_one_that_took_blocks_back(venue: L1Venue) -> None:
    scanning = L1Scanner(venue.reader, first=venue.terms.deployed_at)
    await everything(scanning)
    standing = scanning.scanned
    snapshot = await venue.snapshot()
    await venue.mine(blocks=5)
    await everything(scanning)
    await venue.revert(snapshot)
    scan = await scanning.poll()
    assert scan.rewound_to == standing and scan.mark == scanning.marks[-1]


async def test_what_is_final_is_taken_back_by_another_block_and_not_by_a_missing_one(
    venue: L1Venue,
) -> None:
    scanning = L1Scanner(venue.reader, first=venue.terms.deployed_at)
    await everything(scanning)
    standing, snapshot = scanning.scanned, await venue.snapshot()
    for _ in range(3):
        await venue.mine()
        await everything(scanning)
    scanning.final_block = final = standing + 3
    await venue.revert(snapshot)
    told = f"L1 is at block {standing} and has not seen block {final}, which was final: wait"
    for _ in range(2):
        with pytest.raises(Retry, match=told):
            await scanning.poll()
        with pytest.raises(Retry, match=told):
            await scanning.check_synced()
    assert scanning.scanned == final
    await venue.mine(seconds=100)
    await scanning.check_synced()
    assert (await scanning.poll()).rewound_to == standing


class TurningReader(RollupReader):
    """L1 takes its last blocks back just after it answered for the logs."""

    def __init__(self, venue: L1Venue, snapshot: str) -> None:
        super().__init__(venue.client, venue.deployment.rollup)
        self.venue, self.snapshot_taken = venue, snapshot

    async def scan(self, *blocks: Any) -> list[RollupEvent]:
        events = await super().scan(*blocks)
        if self.snapshot_taken:
            await self.venue.revert(self.snapshot_taken)
            await self.venue.mine(seconds=9, blocks=8)
            self.snapshot_taken = ""
        return events


async def test_logs_of_a_branch_that_vanished_meanwhile_are_not_believed(venue: L1Venue) -> None:
    snapshot = await venue.snapshot()
    await venue.deposit("alice", 5)
    reader = TurningReader(venue, snapshot)
    scanning = L1Scanner(reader, first=venue.terms.deployed_at)
    with pytest.raises(Retry, match="L1 reorganised around block"):
        await scanning.poll()
    events = await everything(scanning)
    assert [type(event) for event in events] == [ItemAdded]
