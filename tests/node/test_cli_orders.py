"""`order` and `withdraw`: signed here with the right key, and told as it went."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_world import CliWorld, cli_world, open_account

from node.l1.accounts import dev_accounts
from node.l1.client import Patience
from state.orders import Life, decode_flags
from state.transactions import Cancel, CancelAll, NewOrder, Withdraw

BTC = "BTC-USD-PERP"


@pytest.fixture
def world() -> Iterator[CliWorld]:
    with cli_world() as running:
        yield running


def place(world: CliWorld, who: str, *words: str) -> str:
    return world.run("order", "place", "--from", who, BTC, *words).stdout


def test_an_order_rests_and_says_how_to_cancel_it(world: CliWorld) -> None:
    said = place(world, "alice", "buy", "0.01", "--price", "49000")
    assert "order 0:1: resting in the book" in said
    assert "order cancel 1" in said
    said = world.run("order", "cancel", "--from", "alice", "1").stdout
    assert said == "order 0:1: cancelled\n"
    assert "nothing in the book" in world.run("book", BTC).stdout


def test_a_crossing_order_tells_its_fills(world: CliWorld) -> None:
    place(world, "bob", "sell", "0.01", "--price", "50000")
    said = place(world, "alice", "buy", "0.01", "--price", "51000")
    assert "bought 0.01 BTC-USD-PERP at 50000, fee 0.25 USD" in said
    assert "order 0:1: filled" in said


def test_what_is_signed_is_what_was_meant(world: CliWorld) -> None:
    words = ("sell", "0.25", "--price", "51234.5", "--life", "post-only", "--reduce-only")
    world.error("order", "place", "--from", "alice", BTC, *words)
    ((tx, _),) = world.node.submitted
    assert isinstance(tx, NewOrder)
    flags = decode_flags(tx.flags)
    assert flags is not None
    assert (tx.account, tx.market, tx.ticks, tx.lots) == (256, 0, 512_345, 250_000)
    assert (flags.side, flags.life, flags.reduce_only) == (1, Life.POST_ONLY, True)


def test_the_receipt_as_json_has_its_shape(world: CliWorld) -> None:
    receipt = world.json("order", "place", "--from", "alice", BTC, "buy", "1", "--price", "49000")
    assert receipt["status"] == "ok" and receipt["order"] == {"epoch": 0, "sequence": "1"}
    assert receipt["restingLots"] == 1_000_000 and receipt["fills"] == []
    assert world.json("order", "cancel", "--from", "alice", "--all") == {
        "cancelled": [{"epoch": 0, "sequence": "1"}]
    }


def test_all_open_orders_are_cancelled_at_once(world: CliWorld) -> None:
    assert "no open order" in world.run("order", "cancel", "--from", "alice", "--all").stdout
    for price in ("49000", "48000", "47000"):
        place(world, "alice", "buy", "0.01", "--price", price)
    said = world.run("order", "cancel", "--from", "alice", "--all").stdout
    assert said.count("cancelled") == 3
    assert sum(isinstance(tx, Cancel) for tx, _ in world.node.submitted) == 3


def test_an_order_is_amended_and_says_whether_it_kept_its_place(world: CliWorld) -> None:
    place(world, "alice", "buy", "0.02", "--price", "49000")
    amend = ("order", "amend", "--from", "alice", "1")
    said = world.run(*amend, "--size", "0.01").stdout
    assert "order 0:1: changed where it rests, with its priority kept" in said
    assert "0.01 rests" in said
    receipt = world.json(*amend, "--price", "49000.1", "--client-id", "second")
    assert (receipt["keptPriority"], receipt["restingLots"]) == (False, 10_000)
    assert receipt["clientOrderId"] == "second"
    place(world, "bob", "sell", "0.01", "--price", "49500")
    assert "bought 0.01 BTC-USD-PERP at 49500" in world.run(*amend, "--price", "50000").stdout
    assert "has no open order 0:1" in world.error(*amend, "--size", "1")


def test_cancel_all_takes_one_signature(world: CliWorld) -> None:
    for price in ("49000", "48000", "47000"):
        place(world, "alice", "buy", "0.01", "--price", price)
    cancel_all = ("order", "cancel-all", "--from", "alice")
    assert world.json(*cancel_all, "--market", BTC)["cancelled"] == 3
    assert world.run(*cancel_all).stdout == "no open order cancelled\n"
    assert "no market 'DOGE'" in world.error(*cancel_all, "--market", "DOGE")
    assert sum(isinstance(tx, CancelAll) for tx, _ in world.node.submitted) == 2


def test_a_client_id_finds_the_order_again(world: CliWorld) -> None:
    place(world, "alice", "buy", "0.01", "--price", "49000", "--client-id", "my first")
    told = world.error(
        *("order", "place", "--from", "alice", BTC, "buy", "0.02"),
        *("--price", "49000", "--client-id", "my first"),
    )
    assert "This client order id names another message of the account" in told
    show = ("order", "show", "--from", "alice")
    said = world.run(*show, "--client-id", "my first").stdout
    assert said == "order 0:1: resting, filled 0, 0.01 open at 49000\n"
    world.run("order", "cancel", "--from", "alice", "1")
    assert world.json(*show, "1")["standing"] == "removed"
    assert world.run(*show, "--client-id", "other").stdout == "order other: unknown\n"


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("buy", "0.0000001", "--price", "49000"), "not a multiple of 0.000001", 2),
        (("buy", "1", "--price", "49000.05"), "use 49000 or 49000.1", 2),
        (("buy", "1,000", "--price", "49000"), "write digits with at most one point", 2),
        (("buy", "1", "--life", "GTC"), "a market order cannot be GTC", 2),
        (("buy", "1", "--price", "90000"), "(expected price at most 55000, ", 1),
        (("buy", "50", "--price", "49000"), "margin", 1),
        (("sell", "1", "--price", "51000", "--reduce-only"), "reduce", 1),
    ],
)
def test_a_refused_order_is_one_line_with_a_mend(
    world: CliWorld, words: tuple[str, ...], told: str, code: int
) -> None:
    assert told in world.error("order", "place", "--from", "alice", BTC, *words, code=code)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("order", "place", BTC, "buy", "1"), "say who signs"),
        (("order", "cancel", "--from", "alice"), "name the orders to cancel, or --all of them"),
        (("order", "cancel", "--from", "alice", "--all", "1"), "name the orders to cancel"),
        (("order", "cancel", "--from", "alice", "last"), "'last' names no order"),
        (("order", "amend", "--from", "alice", "1"), "say what to change"),
        (("order", "amend", "--from", "alice", "x", "--size", "1"), "'x' names no order"),
        (("order", "show", "--from", "alice"), "name one order"),
        (("order", "show", "--from", "alice", "1", "--client-id", "x"), "name one order"),
        (("withdraw", "--from", "alice"), "say one thing"),
        (("withdraw", "--from", "alice", "5", "--claim", "0"), "say one thing"),
        (("withdraw", "5"), "say who signs"),
    ],
)
def test_a_command_put_wrongly_sends_nothing(
    world: CliWorld, words: tuple[str, ...], told: str
) -> None:
    assert told in world.error(*words, code=2)
    assert world.node.submitted == []


def test_somebody_without_an_account_is_told_to_deposit(world: CliWorld) -> None:
    told = world.error("order", "place", "--from", "carol", BTC, "buy", "1", "--price", "49000")
    assert "carol" in told and "tallystick deposit --from carol" in told


def test_a_key_file_signs_like_a_name(world: CliWorld, tmp_path: Path) -> None:
    carol = next(one for one in dev_accounts() if one.name == "carol")
    open_account(world.node.venue, "carol", 1_000)
    path = tmp_path / "carol.key"
    path.write_text(carol.private_key.hex())
    path.chmod(0o600)
    said = world.run("order", "place", "--key-file", str(path), BTC, "buy", "0.01").stdout
    assert "order 0:1:" in said
    assert carol.private_key.hex() not in said


def test_another_subaccount_is_another_account(world: CliWorld) -> None:
    words = ("order", "place", "--from", "alice", "--subaccount", "7", BTC, "buy", "1")
    assert "has no subaccount 7" in world.error(*words)


def test_a_withdrawal_names_its_index(world: CliWorld) -> None:
    said = world.run("withdraw", "--from", "alice", "12.5").stdout
    assert "withdrawal 0: 12.5 USDC for 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266" in said
    receipt = world.json("withdraw", "--from", "alice", "1", "--to", "0x" + "11" * 20)
    assert receipt["withdrawal"] == 1
    sent = [tx for tx, _ in world.node.submitted if isinstance(tx, Withdraw)]
    assert [(tx.amount, tx.recipient.hex()[:4]) for tx in sent] == [
        (12_500_000, "f39f"),
        (1_000_000, "1111"),
    ]


def test_more_than_there_is_cannot_be_withdrawn(world: CliWorld) -> None:
    assert "margin" in world.error("withdraw", "--from", "alice", "100000.000001")


@pytest.mark.parametrize(
    "url", ["zzz", "http://", "ftp://127.0.0.1", "http://a:99999", "http://[::1"]
)
def test_what_is_no_url_is_refused_before_anything_is_asked(world: CliWorld, url: str) -> None:
    result = world.run("deposit", "--from", "alice", "5", "--l1", url, code=2)
    assert f"'{url}' is no endpoint: write http://host:port" in result.stderr
    assert world.node.submitted == []


def test_an_l1_that_is_away_is_one_line(world: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    # One look is enough to see that nobody is there.
    monkeypatch.setattr("node.cli.asking.PATIENCE", Patience(question=0.0))
    told = world.error("deposit", "--from", "alice", "5", "--l1", "http://127.0.0.1:1")
    assert told.startswith("L1 at http://127.0.0.1:1 cannot be reached")
