"""Who signed an order or an amend: answered on L1 as in Python, whatever stands for a signature."""

import pytest
from admission_world import (
    ALICE,
    CANCELLER,
    MARK,
    TRADER,
    an_amend,
    an_order,
    answer,
    change_account,
    started,
)
from builders import DOMAIN, FAR, NOW, key, sign_transaction
from evm_engines import ENGINES, Engine
from msgspec.structs import replace

from node.signatures import CURVE_ORDER
from state.accounts import PERMISSIONS_ALL, SessionKey
from state.eip712 import domain
from state.status import Status
from state.store import Changes
from state.transactions import Amend, NewOrder


@pytest.mark.parametrize("permissions", range(PERMISSIONS_ALL + 1))
@pytest.mark.parametrize(
    ("expiry", "now"), [(FAR, NOW), (NOW, NOW), (NOW, NOW + 1), (0, NOW), (2**64 - 1, NOW)]
)
def test_a_session_key_trades_up_to_its_last_second(
    permissions: int, expiry: int, now: int
) -> None:
    venue = started()
    session = SessionKey(TRADER, key("bot").address, 5, expiry, permissions)
    change_account(venue, ALICE, keys=(session,))
    venue.state.machine.time = now
    may = permissions & 1 and now <= expiry
    for tx in (an_order(epoch=TRADER), an_amend(epoch=TRADER, sequence=71, lots=9)):
        assert answer(venue, tx, "bot") == (Status.OK if may else Status.NOT_PERMITTED)


@pytest.mark.parametrize("epoch", [0, TRADER])
def test_a_raised_floor_kills_every_lower_number_of_every_key(epoch: int) -> None:
    venue = started()
    change_account(venue, ALICE, sequence_floor=50)
    signer = "bot" if epoch else "alice"
    for sequence, status in ((50, Status.SEQUENCE_USED), (51, Status.OK)):
        assert answer(venue, an_order(epoch=epoch, sequence=sequence), signer) == status


@pytest.mark.parametrize("epoch", [0, TRADER, CANCELLER])
def test_the_last_sequence_number_of_a_key_names_an_order_too(epoch: int) -> None:
    venue, last = started(), 2**64 - 1
    account = venue.state.account(ALICE)
    [first] = account.orders
    resting = venue.state.order(0, first.side, first.key)
    assert resting is not None
    changes = Changes(venue.state)
    named = replace(first, epoch=epoch, sequence=last)
    changes.write_account(ALICE, replace(account, orders=(named,)))
    changes.write_order(0, first.side, first.key, replace(resting, epoch=epoch, sequence=last))
    venue.state.apply(changes)
    if epoch:
        answer(venue, an_order(sequence=2))
    amend = an_amend(order_epoch=epoch, order_sequence=last, ticks=MARK - 9)
    assert answer(venue, amend) == Status.OK


# --- signatures ---


def forms(tx: NewOrder | Amend, signer: str = "alice") -> dict[str, bytes]:
    """What is not the signature of `tx`, though it comes near."""
    signature = sign_transaction(tx, key(signer))
    r, word = signature[:32], int.from_bytes(signature[32:], "big")
    s, parity = word & (2**255 - 1), word >> 255
    high = CURVE_ORDER - s
    return {
        "the other s": r + (high % 2**255 | (1 - parity) << 255).to_bytes(32, "big"),
        "the other s, same parity": r + (high % 2**255 | parity << 255).to_bytes(32, "big"),
        "s just above the half": r + (CURVE_ORDER // 2 + 1).to_bytes(32, "big"),
        "the other parity": r + (word ^ 1 << 255).to_bytes(32, "big"),
        "r zero": bytes(32) + signature[32:],
        "s zero": r + bytes(32),
        "s zero, odd": r + (1 << 255).to_bytes(32, "big"),
        "r past the order": CURVE_ORDER.to_bytes(32, "big") + signature[32:],
        "r no abscissa": (5).to_bytes(32, "big") + signature[32:],
        "zeros": bytes(64),
        "ones": b"\xff" * 64,
        "another chain": sign_transaction(tx, key(signer), on=domain(1, DOMAIN.rollup)),
        "another rollup": sign_transaction(tx, key(signer), on=domain(DOMAIN.chain_id, bytes(20))),
    }


FORMS = tuple(forms(an_order()))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tx", [an_order(), an_amend()], ids=["order", "amend"])
def test_what_is_nobodys_signature_changes_nothing(tx: NewOrder | Amend, form: str) -> None:
    venue = started()
    assert answer(venue, tx, signature=forms(tx)[form]) == Status.BAD_SIGNATURE
    assert answer(venue, tx) == Status.OK


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_both_engines_give_the_same_answers(engine: type[Engine]) -> None:
    venue = started()
    assert answer(venue, an_order(), engine=engine) == Status.OK
    assert answer(venue, an_amend(), engine=engine) == Status.SEQUENCE_USED
    assert answer(venue, an_amend(sequence=71), engine=engine) == Status.OK
    forged = forms(an_order(sequence=72))["the other s"]
    status = answer(venue, an_order(sequence=72), signature=forged, engine=engine)
    assert status == Status.BAD_SIGNATURE
