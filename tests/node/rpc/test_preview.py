"""venue_preview: what would happen is what happens, and looking changes nothing."""

import os
from decimal import Decimal
from typing import Any

import pytest
from builders import DOLLAR, DOMAIN, NOW, VERIFIER, Venue, key, listing
from fake_clock import FakeClock
from histories import History
from msgspec.structs import replace
from rpc_world import Follower, Sequencer, running

from node.rpc import wire
from node.rpc.context import Context
from node.rpc.message_types import MESSAGES
from node.rpc.messages import Signed, message_of, transaction_of
from node.rpc.params import PreviewParams
from node.rpc.preview import preview
from node.rpc.views.maintenance import account_maintenance
from node.trial import as_signed
from state.execution import Receipt, run_transaction
from state.margin import health
from state.markets import Tier
from state.status import Status
from state.transactions import CancelAll, Header, SignedPrice, Transaction

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else [1, 2]
ALICE, BOB = 1 << 8, 2 << 8
UNSIGNED = (Status.BAD_SIGNATURE, Status.SEQUENCE_USED)


def venue(**options: Any) -> Venue:
    """Bob sells 100 lots at 51,000 and 100 at 52,000 dollars a coin; Alice has 100 dollars."""
    made = Venue(markets=(listing(**options),))
    made.open("alice", 100)
    made.open("bob", 10_000)
    made.sell("bob", 100, 510_000)
    made.sell("bob", 100, 520_000)
    return made


def fields(size: str, price: str | None = None, **more: Any) -> dict[str, Any]:
    wanted = {"account": ALICE, "market": "BTC-USD-PERP", "side": "buy", "size": size} | more
    return wanted if price is None else wanted | {"price": price}


async def previewed(node: Follower, kind: str = "order", **params: Any) -> Any:
    async with running(node) as rpc:
        return await rpc.result("venue_preview", kind=kind, **params)


# --- the same as what happens ---


def _context(made: Venue) -> Context:
    return Context(Follower(made), FakeClock(made.state.machine.time))


class Comparing:
    """Previews every signed transaction before it runs, and compares."""

    def __init__(self, history: History) -> None:
        self.history, self.made = history, history.venue
        self.run = self.made.run
        self.compared = dict.fromkeys(Status, 0)
        self.made.run = self.run_compared  # type: ignore[method-assign]

    def run_compared(self, tx: Transaction, signature: bytes = b"") -> Receipt:
        if isinstance(tx, Header | SignedPrice) or not _can_be_told(tx):
            return self.run(tx, signature)
        kind, message = message_of(tx)
        params = PreviewParams(kind, message=wire.plain(message))  # type: ignore[arg-type]
        machine, root = self.made.state.machine.copied(), self._root()
        found = preview(_context(self.made), params)
        assert (self.made.state.machine, self._root()) == (machine, root), self.history.seed
        receipt = self.run(tx, signature)
        if receipt.status not in UNSIGNED:
            self._check(found, receipt)
        return receipt

    def _root(self) -> bytes:
        """Of every tenth, because a root is dear."""
        if sum(self.compared.values()) % 10:
            return b""
        return self.made.committer.commit().state_root

    def _check(self, found: Any, receipt: Receipt) -> None:
        seed = f"seed {self.history.seed}"
        assert found.status_number == receipt.status, seed
        assert [(f.ticks, f.lots, f.taker_fee) for f in found.fills] == [
            (fill.ticks, fill.lots, _usd(fill.taker_fee)) for fill in receipt.fills
        ], seed
        for account in found.accounts:
            after = self.made.state.account(account.account)
            assert account.after.cash == _usd(after.cash), seed
            held = [(p.lots, p.bid_lots, p.ask_lots) for p in after.positions]
            assert [(p.lots, p.bid_lots, p.ask_lots) for p in account.after.positions] == held, seed
        assert found.refused is (found.error is not None)
        self.compared[receipt.status] += 1


def _can_be_told(tx: Signed) -> bool:
    """Whether the message of `tx` says all of it: random bytes need not be anybody's message."""
    try:
        return transaction_of(message_of(tx)[1]) == tx
    except (ValueError, IndexError, KeyError):
        return False


def _usd(nano: int) -> str:
    text = f"{Decimal(nano).scaleb(-9):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@pytest.mark.parametrize("seed", SEEDS)
def test_a_preview_is_what_then_happens_and_changes_nothing(seed: int) -> None:
    history = History(seed)
    comparing = Comparing(history)
    history.run(1_000)
    for status in (Status.OK, Status.MARGIN_TOO_LOW, Status.KILLED, Status.REMAINDER_DROPPED):
        assert comparing.compared[status] > 0, f"seed {seed} never previewed {status.name}"


# --- what it tells ---


async def test_an_order_is_told_with_its_fills_and_what_would_rest() -> None:
    found = await previewed(Follower(venue()), fields=fields("0.00025", "52000"))
    assert (found["status"], found["refused"], found["error"]) == ("ok", False, None)
    assert [(fill["price"], fill["size"]) for fill in found["fills"]] == [
        ("51000", "0.0001"),
        ("52000", "0.0001"),
    ]
    assert (found["averagePrice"], found["notional"], found["fees"]) == ("51500", "10.3", "0.00515")
    assert (found["filledSize"], found["restingSize"]) == ("0.0002", "0.00005")
    assert found["message"] == "filled in part, the rest is resting"
    (account,) = found["accounts"]
    assert account["before"]["positions"] == [] and account["before"]["cash"] == "100"
    (position,) = account["after"]["positions"]
    assert (position["lots"], position["bidLots"]) == (200, "50")


async def test_an_average_that_is_no_price_is_rounded_against_who_takes() -> None:
    made = venue()
    made.buy("bob", 100, 490_000)
    made.buy("bob", 200, 480_000)
    bought = await previewed(Follower(made), fields=fields("0.000101"))
    assert bought["averagePrice"] == "51009.901"
    sold = await previewed(Follower(made), fields=fields("0.000300", side="sell"))
    assert sold["averagePrice"] == "48333.333"


async def test_a_refusal_comes_with_all_that_a_submission_would_say() -> None:
    wanted = fields("1", "50000")
    async with running(Sequencer(venue())) as rpc:
        found = await rpc.result("venue_preview", kind="order", fields=wanted)
        typed = await rpc.result("venue_typedData", kind="order", fields=wanted)
        tx = transaction_of(wire.convert(typed["message"], MESSAGES["order"]))
        said = await rpc.refused(tx, key("alice"))
    error = found["error"]
    assert (found["status"], found["refused"]) == ("margin_too_low", True)
    assert error["data"]["got"]["withOrder"]["positions"][0]["slices"]
    told = {"expected", "got", "field", "status", "reason", "mend", "sequenceConsumed"}
    assert {name: error["data"][name] for name in told} == {
        name: said["data"][name] for name in told
    }


async def test_the_venues_time_moves_on_in_a_preview() -> None:
    """A mark that will be too old when the order arrives is too old now."""
    node = Follower(venue())
    async with running(node, clock=FakeClock(NOW + 3_601)) as rpc:
        found = await rpc.result("venue_preview", kind="order", fields=fields("0.0001", "51000"))
    assert (found["status"], found["time"]) == ("market_closed", NOW + 3_601)
    assert node.state.machine.time == NOW


async def test_a_sealed_batch_and_a_follower_are_previewed_over_too() -> None:
    node = Follower(venue())
    node.seal()
    found = await previewed(node, fields=fields("0.0001", "51000"))
    assert (found["status"], found["filledLots"]) == ("ok", 100)


async def test_a_withdrawal_and_a_transfer_are_judged_as_they_are() -> None:
    node = Follower(venue())
    found = await previewed(node, "withdraw", fields={"account": ALICE, "amount": "40"})
    (account,) = found["accounts"]
    assert (account["cautious"], account["withdrawable"], found["status"]) == (True, "60", "ok")
    moved = {"account": ALICE, "toAccount": ALICE + 1, "amount": "7"}
    found = await previewed(node, "transfer", fields=moved)
    parties = [(one["party"], one["after"]["cash"]) for one in found["accounts"]]
    assert parties == [("account", "93"), ("toAccount", "7")]


async def test_both_sides_of_a_block_trade_are_previewed_without_their_signatures() -> None:
    leg = {"market": 0, "takerSide": "buy", "price": "50000", "size": "0.0001"}
    wanted = {"maker": BOB, "taker": ALICE, "legs": [leg]}
    found = await previewed(Follower(venue()), "blockTrade", fields=wanted)
    parties = [(one["party"], one["account"]) for one in found["accounts"]]
    assert (found["status"], parties) == ("ok", [("maker", BOB), ("taker", ALICE)])
    used = wanted | {"takerSequence": 0}
    found = await previewed(Follower(venue()), "blockTrade", fields=used)
    assert found["error"]["data"]["party"] == "taker"


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_the_maintenance_price_is_exact(side: str) -> None:
    """At it equity still covers maintenance margin; one nano-USD further it does not."""
    tiers = (Tier(0, 50_000, 30_000), Tier(60 * DOLLAR, 100_000, 70_000))
    made = venue(tiers=tiers)
    made.buy("bob", 20_000, 499_000)
    made.sell("bob", 20_000, 501_000)
    if side == "buy":
        made.buy("alice", 16_000, 501_000)
    else:
        made.sell("alice", 16_000, 499_000)
    lots = made.lots("alice")
    assert abs(lots) == 16_000
    node = Follower(made)
    wanted = {"account": ALICE, "key": "0x" + "ab" * 20}
    found = await previewed(node, "addKey", fields=wanted)
    (told,) = found["accounts"][0]["maintenancePrices"]
    edge, further = int(told["price"]["nano"]), -1 if lots > 0 else 1
    for mark, stands in ((edge, True), (edge + further, False)):
        row = made.state.rows[0]
        made.state.rows[0] = replace(row, mark=mark)
        account = made.state.account(ALICE)
        covered = health(made.state, account).equity >= account_maintenance(made.state, account)
        assert covered is stands


async def test_who_cannot_fall_to_maintenance_has_no_price_for_it() -> None:
    found = await previewed(Follower(venue()), fields=fields("0.0001", "51000"))
    assert found["accounts"][0]["maintenancePrices"][0]["price"] is None


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"kind": "order"}, "fields_or_message_expected"),
        ({"kind": "order", "fields": {}, "message": {}}, "fields_or_message_expected"),
        ({"kind": "price", "fields": {}}, "unknown_value"),
        ({"kind": "order", "fields": {}}, "missing_field"),
        ({"kind": "order", "message": {"account": 1}}, "missing_field"),
        ({"kind": "order", "fields": fields("0.0000001", "1")}, "off_lot"),
        ({"kind": "cancelAll", "fields": {"account": 9 << 8}}, "unknown_account"),
    ],
)
async def test_what_cannot_be_previewed_says_why(params: dict[str, Any], reason: str) -> None:
    async with running(Follower(venue())) as rpc:
        assert (await rpc.error("venue_preview", **params))["data"]["reason"] == reason


def test_a_stand_in_for_a_signature_is_worth_nothing_to_a_node() -> None:
    made = venue()
    tx = CancelAll(ALICE, 0, 9, 1, 0, NOW)
    stand_in, _ = as_signed(made.state, DOMAIN, tx)
    assert run_transaction(made.state, tx, stand_in, VERIFIER).status == Status.BAD_SIGNATURE
