"""Bounds, codes and words on the protocol's page are those of the rules."""

import re

import pytest
from histories import History
from layouts import PROTOCOL

from state import eip712, limits
from state.accounts import PERMIT_BLOCK, PERMIT_CANCEL, PERMIT_TRADE
from state.machine import Phase
from state.markets import Mode, board_key
from state.orders import Flags, Life, SelfTrade, encode_flags
from state.transactions.list_market import FEE_MAX
from state.transactions.price import SLOW_MARK_SECONDS
from state.units import INDEX_ONE, RATE_ONE

BOUNDS = {
    "cash": limits.CASH_MAX,
    "price": limits.PRICE_MAX,
    "ticks": limits.TICKS_MAX,
    "lots": limits.LOTS_MAX,
    "rate": RATE_ONE,
    "index factor `A`": INDEX_ONE,
    "`K`, `F`": limits.INDEX_MAX + 1,
    "time": limits.TIME_MAX + 1,
}


def rule(name: str) -> str:
    """The text of a rule, up to the next one."""
    return PROTOCOL.read_text().split(f"**{name}**")[1].split("\n- **")[0]


def number(text: str) -> int:
    """`2^56 - 1` and the like."""
    power = re.fullmatch(r"(\d+)\^(\d+)( - 1)?", text)
    assert power is not None, text
    base, exponent = int(power[1]), int(power[2])
    whole: int = base**exponent
    return whole - 1 if power[3] else whole


@pytest.mark.parametrize("quantity", BOUNDS)
def test_a_quantity_ends_where_the_page_says(quantity: str) -> None:
    row = re.search(rf"^\| {re.escape(quantity)} \|.*\| ([^|]+) \|$", rule("NUM-3"), re.MULTILINE)
    assert row is not None
    assert number(re.split(r" \.\. |<=? ", row[1])[-1]) == BOUNDS[quantity]


def named(name: str) -> dict[str, int]:
    """`1 live, 2 reduce-only` as names in capitals and their numbers."""
    listed = re.findall(r"(\d+) ([\w-]+)", rule(name).split("\n")[0])
    return {word.upper().replace("-", "_"): int(digits) for digits, word in listed}


def test_modes_and_phases_have_the_numbers_of_the_page() -> None:
    assert named("LEAF-14") == {mode.name: mode for mode in Mode}
    assert named("LEAF-21") == {phase.name: phase for phase in Phase}


def test_permissions_have_the_bits_of_the_page() -> None:
    bits = re.findall(r"bit (\d) (trade|cancel|block trade)", rule("LEAF-10"))
    permissions = {"trade": PERMIT_TRADE, "cancel": PERMIT_CANCEL, "block trade": PERMIT_BLOCK}
    assert {name: 1 << int(bit) for bit, name in bits} == permissions


def test_flags_have_the_bits_of_the_page() -> None:
    text = " ".join(rule("TX-5").split())
    assert "0 GTC, 1 IOC, 2 FOK, 3 post-only" in text
    assert "0 cancel resting, 1 cancel taking, 2 cancel both" in text
    widths = [int(width) for width in re.findall(r"(\d) bits? \w", text)]
    assert widths == [1, 1, 2, 1, 2, 1]
    places = [1 << sum(widths[:index]) for index in range(5)]
    flags = Flags(1, True, Life.FOK, True, SelfTrade.CANCEL_BOTH)
    assert encode_flags(flags) == sum(
        place * value for place, value in zip(places, (1, 1, 2, 1, 2), strict=True)
    )


def test_wallets_are_shown_the_types_of_the_page() -> None:
    types = {value for name, value in vars(eip712).items() if name.endswith("_TYPE")}
    page = {line.strip() for line in rule("SIGN-2").splitlines() if "(" in line}
    assert page == types - {eip712.DOMAIN_TYPE, eip712.LEG_TYPE}


def test_wallets_are_shown_the_words_of_the_page() -> None:
    words = set(re.findall(r'"([^"]+)"', rule("SIGN-3")))
    known = {*eip712.SIDES, *eip712.ORDER_TYPES}
    assert words == known | set(eip712.LIVES.values()) | set(eip712.SELF_TRADES.values())


def test_figures_in_the_text_are_those_of_the_rules() -> None:
    assert f"/ (dt + {SLOW_MARK_SECONDS})" in rule("PRICE-8")
    assert "at most a tenth" in rule("LIST-3") and FEE_MAX * 10 == RATE_ONE
    assert f"{limits.BATCH_STEPS_MAX:,} steps" in rule("STEP-2")
    steps = (limits.ORDER_STEPS_MAX, limits.CANCEL_ALL_STEPS_MAX, limits.BLOCK_STEPS_MAX)
    assert [
        int(found) for found in re.findall(r"(?:can take|all|trade) (\d+)", rule("STEP-5"))
    ] == [*steps]
    assert f"At most {limits.ORDER_FRONTS_MAX} are met" in rule("MTCH-2")
    assert f"among {limits.ACCOUNT_ORDERS_MAX}," in rule("ORD-10")
    assert f"among {limits.ACCOUNT_POSITIONS_MAX}," in rule("ORD-11")


def test_the_board_has_a_place_for_each_remainder_of_64() -> None:
    assert "market mod 64" in rule("TREE-7") and limits.MARKETS_MAX == 64
    assert [board_key(market) for market in (0, 63, 64, 129, 65_535)] == [0, 63, 0, 1, 63]


def test_fields_of_later_rules_stay_zero() -> None:
    history = History(7)
    history.run(600)
    for account in history.venue.state.accounts.values():
        later = (account.liquidation_stage, account.liquidation_since)
        assert (*later, account.window_start, account.window_withdrawn) == (0, 0, 0, 0)
