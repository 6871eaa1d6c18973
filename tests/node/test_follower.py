"""A follower that knows an L1 URL and an address reaches the state that was executed."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from builders import MICRO_DOLLAR
from following import agrees, catch_up, following
from l1_venue import LIAR, PARAMETERS, L1Venue, l1_venue, person
from msgspec.structs import replace

from contracts import calls, token
from node.view import SettlementView, VenueView
from state.batch import encode_output, output_hash
from state.commitment import genesis_root
from state.tree import calc_root
from state.withdrawals import encode_withdrawal


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


async def test_the_follower_reaches_the_root_that_was_executed(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        assert agrees(follower, venue)
        assert follower.problems() == [] and follower.ready.is_set()
        # Batches that are posted while it follows reach it as well.
        await venue.deposit("carol", 5)
        now = await venue.now()
        await venue.post([venue.opening(now), venue.trade(now, 7), venue.trade(now, 11)])
        await catch_up(follower)
        assert agrees(follower, venue)
        record = follower.batch(2)
        assert record is not None
        assert (record.transactions, record.orders, record.fills, record.items) == (6, 4, 2, 1)
        assert follower.fills.last == 3 and follower.batch(3) is None


async def test_a_follower_is_a_view_of_the_venue(venue: L1Venue, tmp_path: Path) -> None:
    async with following(venue, tmp_path) as follower:
        view: VenueView = follower
        assert isinstance(follower, SettlementView) and view.role == "follower"
        assert view.heads.unsafe == 0 and not follower.ready.is_set()
        assert view.commitment().state_root == genesis_root()
        await venue.fund()
        await venue.trading_day()
        feed = view.fills.subscribe()
        await catch_up(follower)
        assert view.domain == venue.domain and view.token == venue.deployment.token
        assert view.state.account(venue.numbers["bob"]).position(0) is not None
        event = feed.get_nowait()
        assert event is not None
        assert (event.number, event.batch, event.fill.lots) == (1, 1, 100)
        assert event.time == view.state.machine.time


async def test_a_restart_needs_no_l1_and_a_deleted_folder_is_rebuilt(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
    async with following(venue, tmp_path, l1_url="http://127.0.0.1:1") as restarted:
        # Nobody listens at that port: all it shows is from disk.
        assert restarted.ready.is_set() and restarted.domain == venue.domain
        assert agrees(restarted, venue)
        await catch_up(restarted)
        assert restarted.problems()[0].startswith("L1_AWAY: ")
    shutil.rmtree(tmp_path)
    async with following(venue, tmp_path) as rebuilt:
        assert not rebuilt.ready.is_set()
        await catch_up(rebuilt)
        assert agrees(rebuilt, venue)


# --- void batches ---


async def test_a_flipped_byte_voids_a_batch_and_the_next_one_goes_on(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    await venue.deposit("carol", 5)
    now = await venue.now()
    await venue.post([venue.opening(now), venue.trade(now)], flip=-1)
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        assert agrees(follower, venue)
        void = follower.batch(2)
        assert void is not None and (void.transactions, void.items) == (0, 1)
        assert void.void.startswith("chunk 1: WRONG_HASH (20): ")
        carol = follower.state.account(venue.numbers["carol"])
        assert carol.cash == 1_005 * MICRO_DOLLAR * 1_000
        await venue.trading_day()
        await catch_up(follower)
        assert agrees(follower, venue)
        sound = follower.batch(3)
        assert sound is not None and sound.void == "" and sound.fills == 1


# --- claims, heads and money ---


async def test_money_comes_back_from_a_confirmed_claim(venue: L1Venue, tmp_path: Path) -> None:
    """Deposit, trade, withdraw; claim, window, confirm; paid by a branch."""
    await venue.fund()
    now = await venue.now()
    rows = [*venue.opening(now), *venue.trade(now), venue.withdraw("alice", 400, now)]
    await venue.post([rows])
    day = venue.executed[0]
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        assert follower.claim(1) is None and follower.heads.confirmed == 0
        await venue.claim("ivan", day.output, day.parent_claim, day.header)
        await catch_up(follower)
        claim = follower.claim(1)
        assert claim is not None and claim.claim == day.claim and claim.confirmed_block == 0
        assert claim.output == encode_output(day.output)
        assert claim.confirmable_at == claim.claimed_at + PARAMETERS.claim_window
        await venue.mine(PARAMETERS.claim_window)
        confirm = calls.confirm(parent_claim=day.parent_claim, output_hash=output_hash(day.output))
        await venue.send("judy", confirm)
        await catch_up(follower)
        claim = follower.claim(1)
        assert claim is not None and claim.confirmed_block == await venue.client.block_number()
        assert follower.heads.confirmed == 1 and follower.problems() == []

        (withdrawal,) = follower.state.withdrawals
        branch = follower.commitment().withdrawals.branch(0)
        leaf = encode_withdrawal(withdrawal)
        assert calc_root(32, 0, leaf, branch) == day.output.withdrawals_root
        before = await balance(venue, "alice")
        pay = calls.withdraw(
            parent_claim=claim.parent,
            output=claim.output,
            index=withdrawal.index,
            account=withdrawal.account,
            recipient=withdrawal.recipient,
            amount=withdrawal.amount,
            branch=branch,
        )
        # Anyone may have it paid; the money goes to whom the withdrawal names.
        await venue.send("judy", pay)
        assert await balance(venue, "alice") == before + 400 * MICRO_DOLLAR
        assert follower.payment(0) is None
        await catch_up(follower)
        payment = follower.payment(0)
        assert payment is not None and payment.block == await venue.client.block_number()


async def balance(venue: L1Venue, name: str) -> int:
    data = token.BALANCE_OF.call(person(name).address)
    return token.BALANCE_OF.answer(await venue.client.call(venue.deployment.token, data))


async def test_a_wrong_claim_is_reported_until_it_is_gone(venue: L1Venue, tmp_path: Path) -> None:
    await venue.fund()
    await venue.trading_day()
    day = venue.executed[0]
    lie = replace(day.output, state_root=b"\x66" * 32)
    async with following(venue, tmp_path) as follower:
        snapshot = await venue.snapshot()
        await venue.claim(LIAR, lie, day.parent_claim, day.header)
        await catch_up(follower)
        (problem,) = follower.problems()
        assert problem.startswith("WRONG_CLAIM: claim 0x") and "(pending)" in problem
        assert person(LIAR).address.hex() in problem
        executed_here = f"its state_root is 0x{'66' * 32}, executed here "
        assert executed_here + f"0x{day.output.state_root.hex()}" in problem
        assert follower.claim(1) is None

        await venue.mine(PARAMETERS.claim_window)
        data = calls.confirm(parent_claim=day.parent_claim, output_hash=output_hash(lie))
        await venue.send(LIAR, data)
        await catch_up(follower)
        (problem,) = follower.problems()
        assert "(CONFIRMED)" in problem and "stop the venue" in problem
        assert follower.heads.confirmed == 0
        await venue.revert(snapshot)
        await venue.mine()
        await catch_up(follower)
        assert follower.problems() == [] and agrees(follower, venue)


async def test_finality_follows_l1s(venue: L1Venue, tmp_path: Path) -> None:
    await venue.fund()
    await venue.trading_day()
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        # The devnet calls its head final.
        assert follower.heads.finalized == 1
        assert follower.heads.l1_block == await venue.client.block_number()


async def test_what_was_final_stays_final_behind_a_shorter_branch(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    await venue.mine()
    snapshot = await venue.snapshot()
    await venue.mine()
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        final = follower._finalized_block
        await venue.revert(snapshot)
        await catch_up(follower)
        assert await venue.client.block_number() < final == follower._finalized_block
        assert follower.heads.finalized == 1
