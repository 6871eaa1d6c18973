"""Signatures that are none, of another deployment, or used already, are nobody's on both sides.

The number of an id is the case of the table in docs/testing.md.
"""

from typing import Any

import evm_engines
import pytest
from attack_world import (
    MARK,
    AttackedVenue,
    Shown,
    answered,
    contracts,
    quoted,
)
from builders import DOMAIN, FAR, NOW, key, sign_transaction
from evm_engines import Reverted
from msgspec.structs import replace

from node.parity.case import answer_of
from state.accounts import PERMISSIONS_ALL
from state.chunks import Row
from state.eip712 import Domain, domain
from state.orders import BUY, Flags, encode_flags
from state.status import Status
from state.transactions import Cancel, Header, NewOrder, Transaction, Withdraw, encode_transaction

CURVE_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
BOB = 2 << 8


def last(venue: AttackedVenue) -> Shown:
    """The last step, which both sides take as it was."""
    step = venue.shown[-1]
    assert answered(step.case) == step.answer
    return step


def order(**changed: int) -> NewOrder:
    fields = {"account": BOB, "epoch": 0, "sequence": 999, "market": 0}
    terms = {"flags": encode_flags(Flags(BUY)), "ticks": MARK - 9, "lots": 5, "expiry": FAR}
    return NewOrder(**(fields | terms | changed))


def signature(tx: Transaction, on: Domain = DOMAIN) -> bytes:
    return sign_transaction(tx, key("bob"), on)


def high_s(found: bytes) -> bytes:
    """The other signature of the same key: n - s, with the other parity."""
    word = int.from_bytes(found[32:])
    s, parity = word & (2**255 - 1), word >> 255
    other = CURVE_ORDER - s
    return found[:32] + (other % 2**255 | (1 - parity) << 255).to_bytes(32)


def with_r(r: int) -> Any:
    return lambda found: r.to_bytes(32) + found[32:]


def with_s(s: int) -> Any:
    return lambda found: found[:32] + s.to_bytes(32)


SIGNATURES: dict[str, Any] = {
    "25 high s": high_s,
    "25 s of n": with_s(CURVE_ORDER % 2**255),
    "25 s just above a half": with_s(CURVE_ORDER // 2 + 1),
    "25 s of zero": with_s(0),
    "25 s of zero, odd": with_s(2**255),
    "25 r of zero": with_r(0),
    "25 r of n": with_r(CURVE_ORDER),
    "25 r beyond the field": with_r(2**256 - 1),
    "25 r of no point": with_r(5),
    "25 the other parity": lambda found: (
        found[:32] + (int.from_bytes(found[32:]) ^ 1 << 255).to_bytes(32)
    ),
    "25 r and s exchanged": lambda found: found[32:] + found[:32],
    "25 nothing": lambda _: bytes(64),
    "25 ones": lambda _: b"\xff" * 64,
}


@pytest.mark.parametrize("forge", SIGNATURES.values(), ids=SIGNATURES.keys())
@pytest.mark.parametrize("account", [BOB, 0, 77 << 8])
def test_a_signature_that_is_none_is_nobodys(forge: Any, account: int) -> None:
    """Case 25: and recovery that fails is not the owner of an account that is absent."""
    venue, tx = quoted(), order(account=account)
    venue.run(tx, forge(signature(tx)))
    expected = Status.BAD_SIGNATURE if account == BOB else Status.UNKNOWN_ACCOUNT
    assert last(venue).answer.status == expected


def test_no_gas_is_so_little_that_a_signer_is_not_found_and_the_step_still_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Case 25: recovery takes 3,000 gas and answers nothing with less, which a caller could aim at;
    what it may keep for the rest, a 64th, is too little to end the step without a signer.
    """
    venue, tx = quoted(), order()
    venue.run(tx, signature(tx))
    step, world = last(venue), contracts()
    answers: list[object] = []
    # In steps below those 3,000.
    for gas in range(20_000, 1_000_000, 2_500):
        monkeypatch.setattr(evm_engines, "TRANSACTION_GAS_MAX", gas)
        try:
            answers.append(answer_of(world.engine.call(world.router, step.case.calldata())))
        except Reverted:
            answers.append(None)
    assert step.answer.status == Status.OK
    first = answers.index(step.answer)
    assert first > 0
    assert answers == [None] * first + [step.answer] * (len(answers) - first)


DOMAINS = {
    "24 another chain": domain(1, bytes(19) + b"\x99"),
    "24 another rollup": domain(31337, bytes(19) + b"\x98"),
    "24 no rollup": domain(31337, bytes(20)),
    "24 no domain": replace(DOMAIN, separator=bytes(32)),
}


@pytest.mark.parametrize("on", DOMAINS.values(), ids=DOMAINS.keys())
@pytest.mark.parametrize(
    "tx",
    [order(), Cancel(BOB, 0, 999, 0, 1, FAR), Withdraw(BOB, 999, key("bob").address, 5, FAR)],
    ids=["order", "cancel", "withdraw"],
)
def test_what_was_signed_for_another_venue_is_nobodys(tx: Transaction, on: Domain) -> None:
    """Case 24: chain, contract and name are in every digest; the facts name this deployment's."""
    venue = quoted()
    venue.run(tx, signature(tx, on))
    assert last(venue).answer.status == Status.BAD_SIGNATURE
    honest = quoted()
    honest.run(tx, signature(tx))
    assert last(honest).answer.status != Status.BAD_SIGNATURE


def test_a_signature_of_one_kind_signs_no_other() -> None:
    """Case 24: an order's signature under a withdrawal's row."""
    venue = quoted()
    kind, row = encode_transaction(Withdraw(BOB, 999, key("bob").address, 5, FAR))
    venue.run_row(Row(kind, row, signature(order())))
    assert last(venue).answer.status == Status.BAD_SIGNATURE


# --- replays ---


@pytest.mark.parametrize("ended", ["cancelled", "filled", "expired", "revoked"])
def test_an_order_that_has_ended_cannot_be_replayed(ended: str) -> None:
    """Case 26: its number is used, whatever became of it; the name is never given twice."""
    venue = quoted()
    venue.add_key("bob", "bot", PERMISSIONS_ALL)
    epoch, signer = (1, key("bot")) if ended == "revoked" else (0, key("bob"))
    tx = order(epoch=epoch, expiry=NOW + 5, ticks=MARK if ended == "filled" else MARK - 9)
    signed = sign_transaction(tx, signer)
    assert venue.run(tx, signed).status == Status.OK
    if ended == "cancelled":
        cancel = Cancel(BOB, 0, 1_000, 0, 999, FAR)
        assert venue.run(cancel, signature(cancel)).status == Status.OK
    elif ended == "expired":
        venue.run(Header(NOW + 6))
    elif ended == "revoked":
        venue.revoke_key("bob", 1)
    before = venue.committer.commit().accounts.root
    expected = Status.UNKNOWN_KEY if ended == "revoked" else Status.SEQUENCE_USED
    assert venue.run(tx, signed).status == expected
    assert last(venue).trees.accounts.root == before == venue.committer.commit().accounts.root
