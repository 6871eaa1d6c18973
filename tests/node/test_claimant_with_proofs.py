"""A claimant of a rollup that takes proofs settles every batch at once, and says that it mocks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from l1_venue import CLAIMANT, LIAR, PARAMETERS, SEQUENCER, L1Venue, l1_venue, person
from msgspec.structs import replace
from structlog.testing import capture_logs

from contracts import calls, views
from contracts.events import ProvenLog, decode_log
from node import claim_prover
from node.batch_before import batch_before
from node.claimant import ClaimantConfig, ClaimantService
from node.errors import Halt
from node.follower import FollowerConfig
from node.rollup_events import Claimed, Confirmed
from node.signatures import sign
from prover.mock_prover import PROOF_SYSTEM, digest, mock_proof
from prover.replay import genesis_output
from prover.validity import Statement
from state.batch import decode_header, encode_output, output_hash
from state.crypto import ZERO_HASH

ME = person(CLAIMANT).address


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue(attester=ME) as running:
        yield running


@asynccontextmanager
async def claiming(
    venue: L1Venue, directory: Path, *, name: str = CLAIMANT, confirmations: int = 0
) -> AsyncIterator[ClaimantService]:
    follower = FollowerConfig(
        l1_url=venue.server.url, rollup=venue.deployment.rollup, data_directory=directory
    )
    config = ClaimantConfig(follower, person(name).private, confirmations)
    claimant = ClaimantService(config, venue.clock)
    try:
        await claimant.open()
        yield claimant
    finally:
        await claimant.close()


async def settle(claimant: ClaimantService) -> None:
    """Every move that can be made now."""
    while not await claimant.attempt():
        pass


async def days(venue: L1Venue, count: int = 3) -> list[tuple[int, bytes]]:
    """Batches with trades, and the right claim on each."""
    await venue.fund()
    for lots in range(10, 10 * count + 1, 10):
        await venue.trading_day(lots)
    return [(day.output.batch, day.claim) for day in venue.executed]


async def happened(venue: L1Venue, kind: type[Claimed] | type[Confirmed]) -> list[tuple[int, Any]]:
    """(batch, claim) of every such event on L1."""
    events = await venue.reader.scan(0, await venue.client.block_number())
    return [(event.batch, event.claim) for event in events if isinstance(event, kind)]


async def proofs(venue: L1Venue) -> list[ProvenLog]:
    """The logs of proven claims."""
    logs = await venue.client.logs(
        address=venue.deployment.rollup,
        topics=[],
        first=0,
        last=await venue.client.block_number(),
    )
    found = [decode_log(log.topics, log.data) for log in logs]
    return [log for log in found if isinstance(log, ProvenLog)]


async def test_the_terms_say_what_proves_claims(venue: L1Venue) -> None:
    terms = venue.terms
    assert terms.takes_proofs and terms.proof_system == PROOF_SYSTEM == "MOCK-ATTESTED"
    assert terms.verifier == await venue.reader.read(views.VERIFIER) != bytes(20)


async def test_every_batch_is_proven_and_confirmed_without_waiting(
    venue: L1Venue, tmp_path: Path
) -> None:
    right = await days(venue)
    before, when = await venue.client.balance(ME), await venue.now()
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        assert await happened(venue, Claimed) == await happened(venue, Confirmed) == right
        assert [(log.batch, log.claim) for log in await proofs(venue)] == right
        assert {log.proof_system for log in await proofs(venue)} == {"MOCK-ATTESTED"}
        assert claimant.follower.heads.confirmed == 3 and claimant.problems() == []
        made = claimant.follower.claim(3)
        assert made is not None and made.confirmable_at == made.claimed_at
    # No window passed and no bond was paid.
    assert await venue.now() - when < PARAMETERS.claim_window
    assert before - PARAMETERS.claim_bond < await venue.client.balance(ME) < before


async def test_every_log_of_it_says_mock(venue: L1Venue, tmp_path: Path) -> None:
    await days(venue, 1)
    with capture_logs() as logs:
        async with claiming(venue, tmp_path) as claimant:
            await settle(claimant)
    (proven,) = [log for log in logs if log["event"] == "proven"]
    assert proven["proof_system"] == "MOCK-ATTESTED" and proven["batch"] == 1
    (warned,) = [log for log in logs if "mock" in log["event"]]
    assert warned["log_level"] == "warning" and warned["attester"] == "0x" + ME.hex()
    private = person(CLAIMANT).private
    assert private.hex() not in str(logs) and repr(private) not in str(logs)


async def test_a_restart_goes_on_behind_what_is_proven(venue: L1Venue, tmp_path: Path) -> None:
    await days(venue, 1)
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
    spent = await venue.client.balance(ME)
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        assert await venue.client.balance(ME) == spent
        await venue.trading_day(7)
        await settle(claimant)
    assert [batch for batch, _ in await happened(venue, Confirmed)] == [1, 2]


async def test_proofs_that_l1_takes_back_are_made_again(venue: L1Venue, tmp_path: Path) -> None:
    right = await days(venue)
    snapshot = await venue.snapshot()
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        await venue.revert(snapshot)
        await venue.mine(seconds=50)
        assert await happened(venue, Confirmed) == []
        await settle(claimant)
        assert await happened(venue, Confirmed) == right


async def test_a_void_batch_is_proven_like_any_other(venue: L1Venue, tmp_path: Path) -> None:
    await venue.fund()
    now = await venue.now()
    await venue.post([venue.opening(now), venue.trade(now)], flip=5)
    await venue.trading_day()
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        assert claimant.problems() == []
    right = [(day.output.batch, day.claim) for day in venue.executed]
    assert await happened(venue, Confirmed) == right


async def test_a_batch_is_proven_only_once_it_is_deep_in_l1(venue: L1Venue, tmp_path: Path) -> None:
    right = await days(venue, 1)
    async with claiming(venue, tmp_path, confirmations=3) as claimant:
        for _ in range(3):
            await settle(claimant)
            assert await happened(venue, Confirmed) == []
            await venue.mine()
        await settle(claimant)
        assert await happened(venue, Confirmed) == right


async def test_what_can_no_longer_be_taken_back_is_proven_by_replaying(
    venue: L1Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = await days(venue)
    async with claiming(venue, tmp_path) as claimant:
        await claimant.follower.attempt()
        followed = claimant.follower.followed
        assert followed is not None
        near = [batch_before(claimant.follower, followed, number) for number in (1, 2, 3)]
        monkeypatch.setattr(followed.replayer, "state_after", lambda _: None)
        for number, known in enumerate(near, 1):
            rebuilt = batch_before(claimant.follower, followed, number)
            assert (rebuilt.posted, list(rebuilt.items)) == (known.posted, list(known.items))
            assert rebuilt.after == known.after
            assert rebuilt.state.machine == known.state.machine
            assert rebuilt.state.accounts == known.state.accounts
        await settle(claimant)
    assert await happened(venue, Confirmed) == right


async def test_somebody_elses_key_proves_nothing_and_is_told_so(
    venue: L1Venue, tmp_path: Path
) -> None:
    await days(venue, 1)
    async with claiming(venue, tmp_path, name=LIAR) as claimant:
        with pytest.raises(Halt, match=r"^NOT_THE_ATTESTER: the verifier at 0x") as halt:
            await settle(claimant)
    assert ME.hex() in str(halt.value) and person(LIAR).address.hex() in str(halt.value)
    assert await happened(venue, Claimed) == []


async def test_a_proof_system_that_nobody_here_knows_is_told(
    venue: L1Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await days(venue, 1)
    monkeypatch.setattr(claim_prover, "PROOF_SYSTEM", "ANOTHER")
    async with claiming(venue, tmp_path) as claimant:
        with pytest.raises(Halt, match=r"UNKNOWN_PROOF_SYSTEM: .*'MOCK-ATTESTED'"):
            await settle(claimant)


async def test_nothing_is_attested_that_a_second_execution_contradicts(
    venue: L1Venue, tmp_path: Path
) -> None:
    """A bit that flipped in memory since the batch was executed, for one."""
    await days(venue, 1)
    async with claiming(venue, tmp_path) as claimant:
        await claimant.follower.attempt()
        followed = claimant.follower.followed
        assert followed is not None
        own = followed.batches[0]
        lie = replace(own.output, cash=own.output.cash - 1, fees=own.output.fees + 1)
        followed.batches[0] = replace(own, output=lie)
        with pytest.raises(Halt, match=r"^PROOF_REFUSED: .*OUTPUT_HASH"):
            await settle(claimant)
    assert await happened(venue, Claimed) == []


async def test_a_lying_attester_is_found_out_though_nobody_can_stop_it(
    venue: L1Venue, tmp_path: Path
) -> None:
    """That is what a mock is worth: followers tell, and L1 pays."""
    await days(venue, 1)
    day = venue.executed[0]
    lie = replace(day.output, state_root=b"\x66" * 32)
    stated = Statement(
        chain_id=venue.terms.chain_id,
        rollup=venue.deployment.rollup,
        pre_state_root=genesis_output().state_root,
        post_state_root=lie.state_root,
        batch_hash=lie.batch_hash,
        inbox_accumulator=decode_header(day.header).inbox_accumulator,
        output_hash=output_hash(lie),
    )
    data = calls.prove_claim(
        grandparent=ZERO_HASH,
        parent_output=encode_output(genesis_output()),
        output=encode_output(lie),
        header=day.header,
        proof=mock_proof(sign(digest(stated), person(CLAIMANT).private)),
    )
    await venue.send(SEQUENCER, data)
    async with claiming(venue, tmp_path) as claimant:
        with pytest.raises(Halt, match=r"^WRONG_CLAIM_CONFIRMED: L1 confirmed claim 0x"):
            await settle(claimant)
        (problem,) = claimant.follower.problems()
        assert problem.startswith("WRONG_CLAIM: ") and "(CONFIRMED)" in problem
