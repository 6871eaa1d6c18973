"""A third party who has an L1 URL, the rollup's address and the commands finds the lie and wins."""

import json
import shlex
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli_world import Background
from click.testing import CliRunner, Result
from disputed_venue import CHALLENGER, TERMS, DisputedVenue, contracts, disputed_venue, lying
from l1_venue import CLAIMANT, LIAR, PARAMETERS

from contracts import calls
from node.cli.dispute_hand import left_words
from node.cli.main import tallystick
from node.disputes.defended import DefendedTrace
from node.disputes.player import Player
from state.batch import decode_output, output_hash

LIED_AT = 9
"""OPEN of the first batch: four items and BOOT come before, and so on."""


class ByHand:
    """The venue with a wrong claim on batch 1, and a way to say `tallystick dispute ...`."""

    def __init__(self, background: Background, venue: DisputedVenue, folder: Path) -> None:
        self.background, self.venue, self.folder = background, venue, folder
        self.right = background.run(self._right(1))
        self.lie = lying(self.right, LIED_AT)
        self.liar: Player = venue.player(LIAR, self.lie)
        background.run(venue.claim(LIAR, self.lie, 1))

    async def _right(self, batch: int) -> DefendedTrace:
        async with self.venue.challenging() as challenger:
            return await self.venue.right_trace(challenger, batch)

    def run(self, line: str, code: int = 0) -> Result:
        """The result of `tallystick dispute line`, which must end with `code`."""
        words = shlex.split(line)
        rollup = "0x" + self.venue.venue.deployment.rollup.hex()
        place = ["--l1", self.venue.venue.server.url, "--rollup", rollup]
        place += ["--data", str(self.folder / "kept")]
        result = CliRunner().invoke(
            tallystick, ["dispute", words[0], *place, *words[1:]], prog_name="tallystick"
        )
        assert result.exit_code == code, result.output + repr(result.exception)
        assert "Traceback" not in result.output
        return result

    def json(self, line: str) -> Any:
        return json.loads(self.run(f"{line} --json").stdout)

    def error(self, line: str) -> str:
        """The one line of standard error, without its beginning."""
        (told,) = [
            one for one in self.run(line, code=1).stderr.splitlines() if one.startswith("error: ")
        ]
        return told.removeprefix("error: ")

    def lies_on(self) -> None:
        """Every move of the liar that is due."""
        self.background.run(self.venue.play(LIAR, self.liar))

    def wait(self, seconds: int) -> None:
        self.background.run(self.venue.venue.mine(seconds))


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Background, DisputedVenue]]:
    contracts()  # before the background begins, which has no patience for a compiler
    background, stack = Background(), AsyncExitStack()
    folder = tmp_path_factory.mktemp("by hand")
    try:
        venue = background.run(stack.enter_async_context(disputed_venue(folder)))
        yield background, venue
    finally:
        background.run(stack.aclose())
        background.close()


@contextmanager
def taken_back(background: Background, venue: DisputedVenue, folder: Path) -> Iterator[None]:
    within = venue.taken_back(folder)
    background.run(within.__aenter__())
    try:
        yield
    finally:
        background.run(within.__aexit__(None, None, None))


@pytest.fixture
def hand(deployed: tuple[Background, DisputedVenue], tmp_path: Path) -> Iterator[ByHand]:
    background, venue = deployed
    with taken_back(background, venue, tmp_path):
        yield ByHand(background, venue, tmp_path)


def test_the_lie_is_found_disputed_and_beaten_by_hand(hand: ByHand) -> None:
    found = hand.run("list").stdout
    assert "Nobody disputes batch 1 yet: tallystick dispute open 1" in found
    (wrong,) = hand.json("list")["wrongClaims"]
    assert (wrong["batch"], wrong["status"]) == (1, "pending")
    assert wrong["difference"].startswith("its state_root is 0x")

    opened = hand.run(f"open 1 --from {CHALLENGER}").stdout
    assert "claimed batch 1 rightly under a bond of 0.100000000 ether" in opened
    assert "entered the right trace under a bond of 1.000000000 ether" in opened
    hand.lies_on()
    left, words = (1, 64), ""
    while not words.startswith("proved"):
        moved = hand.json(f"move 1 --from {CHALLENGER}")
        (match,) = moved["dispute"]["matches"]
        first, last = match["firstStep"], match["lastStep"]
        assert left[0] <= first <= LIED_AT <= last <= left[1]
        left, words = (first, last), moved["moves"][0]["words"]
        hand.lies_on()
    assert words == f"proved step {LIED_AT}, OPEN: rules STEP-1, BATCH-2"

    shown = hand.json("show 1")["disputes"][0]
    assert [entry["status"] for entry in shown["entries"]] == ["waits", "lost"]
    (step,) = shown["steps"].values()
    assert step == {"step": LIED_AT, "kind": "OPEN", "status": "", "rules": ["STEP-1", "BATCH-2"]}

    hand.wait(TERMS.entry_window + 1)
    settled = hand.json(f"move 1 --from {CHALLENGER}")
    made = [move["move"] for move in settled["moves"]]
    assert {"Confirm", "Redeem", "Reject", "WithdrawBonds", "Withdraw"} <= set(made)
    assert settled["next"] == "Batch 1 is settled: the right claim is confirmed."
    assert hand.background.run(hand.venue.settled(hand.right, hand.lie))
    assert "nothing was to be done" in hand.run(f"move 1 --from {CHALLENGER}").stdout


def test_watch_tells_who_moves_what_is_left_and_what_it_cost(hand: ByHand) -> None:
    hand.run(f"open 1 --from {CHALLENGER}")
    hand.lies_on()
    frame = json.loads(hand.run("watch --once --json").stdout)
    (dispute,) = frame["disputes"]
    (match,) = dispute["matches"]
    ours, theirs = dispute["entries"]
    assert (ours["claimIsRight"], theirs["claimIsRight"]) == (True, False)
    turn = TERMS.entry_window + TERMS.clock
    assert match["mover"] == ours["entry"] and match["secondsLeft"] > turn - 600
    assert set(dispute["costs"]) == {ours["owner"], theirs["owner"]}
    assert all(cost["gas"] > 100_000 for cost in dispute["costs"].values())
    ours, theirs = (dispute["costs"][entry["owner"]] for entry in (ours, theirs))
    assert set(ours) == {"transactions", "gas", "wei", "settling"}
    # The lie was there first, and the right claim contested it.
    assert (ours["transactions"], ours["settling"]) == (2, 1)
    assert (theirs["transactions"], theirs["settling"]) == (1, 0)
    words = hand.run("watch 1 --once").stdout
    assert "Dispute over batch 1" in words and "1-64" in words and "Cost of gas" in words
    assert "Counted: the claims" in words and "Not counted, since no log" in words
    assert "The claims of batch 2 are not contested." in hand.run("watch 2 --once").stdout


def test_the_other_side_gets_its_time_and_loses_by_it(hand: ByHand) -> None:
    hand.run(f"open 1 --from {CHALLENGER}")
    hand.lies_on()
    waiting = hand.run(f"move 1 --from {CHALLENGER}").stdout
    assert "moved: of steps 1-64, 1-32 are left" in waiting
    assert "left for its move." in waiting
    assert "nothing was to be done" in hand.run(f"move 1 --from {CHALLENGER}").stdout
    hand.wait(TERMS.entry_window + TERMS.clock + 1)
    assert "timed out who did not move" in hand.run(f"move 1 --from {CHALLENGER}").stdout


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("show 1", "NO_DISPUTE: the claims of batch 1 are not contested"),
        ("show 9", "NO_SUCH_BATCH: L1 has batches 1 to 2"),
        (f"open 2 --from {CHALLENGER}", "NOTHING_WRONG: no claim on batch 2 is wrong"),
        (f"open 9 --from {CHALLENGER}", "NO_SUCH_BATCH: L1 has batches 1 to 2"),
        (f"move 9 --from {CHALLENGER}", "NO_SUCH_BATCH: L1 has batches 1 to 2"),
    ],
)
def test_what_cannot_be_disputed_is_told_by_its_reason(hand: ByHand, line: str, told: str) -> None:
    assert hand.error(line).startswith(told)


def test_a_claim_under_a_wrong_one_is_left_to_fall_with_it(hand: ByHand) -> None:
    second = hand.background.run(hand._right(2))
    header = hand.venue.venue.executed[1].header
    claim = hand.venue.venue.claim(LIAR, decode_output(second.output), hand.lie.claim, header)
    hand.background.run(claim)
    told = hand.error(f"open 2 --from {CHALLENGER}")
    assert told.startswith("WRONG_PARENT: ") and told.endswith("tallystick dispute open 1")
    assert [wrong["batch"] for wrong in hand.json("list")["wrongClaims"]] == [1, 2]
    advice = [line for line in hand.run("list").stdout.splitlines() if "Nobody disputes" in line]
    assert advice == ["Nobody disputes batch 1 yet: tallystick dispute open 1"]

    # When it has lost, nothing that descends from it calls for anybody any more.
    hand.run(f"open 1 --from {CHALLENGER}")
    hand.wait(TERMS.entry_window + 1)
    hand.run(f"move 1 --from {CHALLENGER}")
    lies = {wrong["batch"]: wrong["status"] for wrong in hand.json("list")["wrongClaims"]}
    assert lies == {1: "rejected", 2: "fallen"}
    told = hand.error(f"open 2 --from {CHALLENGER}")
    assert told.startswith("WRONG_PARENT: ") and told.endswith("nothing is to be done")


def test_without_a_number_it_is_the_first_batch_that_is_not_settled(hand: ByHand) -> None:
    assert hand.error("show").startswith("NO_DISPUTE: the claims of batch 1 are not contested")
    assert hand.json(f"open --from {CHALLENGER}")["batch"] == 1
    assert "Nobody disputes" not in hand.run("list").stdout
    hand.lies_on()
    (move,) = hand.json(f"move --from {CHALLENGER}")["moves"]
    assert move["words"] == "moved: of steps 1-64, 1-32 are left"
    assert [dispute["batch"] for dispute in hand.json("show")["disputes"]] == [1]

    hand.wait(TERMS.entry_window + TERMS.clock + 1)
    assert hand.json(f"move --from {CHALLENGER}")["dispute"]["stage"] == "settled"
    assert hand.error(f"open --from {CHALLENGER}").startswith("NOTHING_WRONG: ")
    for line in (f"move --from {CHALLENGER}", "show"):
        assert "settled" in hand.run(line).stdout


def test_what_is_confirmed_wrongly_is_not_offered_for_dispute(hand: ByHand) -> None:
    hand.wait(PARAMETERS.claim_window + 1)
    lie = output_hash(decode_output(hand.lie.output))
    confirm = calls.confirm(parent_claim=hand.lie.parent, output_hash=lie)
    hand.background.run(hand.venue.venue.send(LIAR, confirm))
    (wrong,) = hand.json("list")["wrongClaims"]
    assert wrong["status"] == "confirmed"
    assert "Nobody disputes" not in hand.run("list").stdout
    assert hand.error(f"open --from {CHALLENGER}").startswith("NOTHING_WRONG: ")


def test_a_single_step_that_is_left_is_no_range() -> None:
    assert left_words(7, 8) == "7-8 are left"
    assert left_words(8, 8) == "8 is left"


def test_a_key_without_money_is_told_so(hand: ByHand) -> None:
    address = "0x" + hand.venue.player(CLAIMANT, hand.lie).sender.address.hex()
    poor = hand.venue.venue.client.request("hardhat_setBalance", address, hex(10**15))
    hand.background.run(poor)
    told = hand.error(f"open 1 --from {CLAIMANT}")
    assert told.startswith("MOVE_NOT_TAKEN: ") and f"has {address} the bond" in told


def test_a_move_without_a_dispute_names_the_command_that_opens_one(hand: ByHand) -> None:
    told = hand.run(f"move 1 --from {CHALLENGER}").stdout
    assert "nothing was to be done" in told
    assert "Nobody disputes it yet. Next: tallystick dispute open 1." in told


def test_after_the_window_of_rivals_there_is_nothing_to_open(hand: ByHand) -> None:
    hand.background.run(hand.venue.claim(CLAIMANT, hand.right, 1))
    hand.wait(PARAMETERS.claim_window + 1)
    told = hand.run(f"open 1 --from {CHALLENGER}").stdout
    assert "entered the right trace" in told
