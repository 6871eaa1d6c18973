"""A signature that recovers to somebody else says which field is most likely wrong."""

from typing import Any

import pytest
from builders import DOMAIN, FAR, Venue, key
from rpc_world import Sequencer, running, submission

from node.rpc import suspicion, wire
from node.rpc.messages import digest_of
from node.signatures import sign
from node.trial import TrialState
from state.crypto import ZERO_ADDRESS
from state.eip712 import Domain, domain
from state.orders import BUY, Flags, encode_flags
from state.status import Status
from state.transactions import CancelAll, NewOrder, Withdraw

ALICE, BOB = 1 << 8, 2 << 8
A = key("alice")


def venue() -> Venue:
    made = Venue()
    made.open("alice", 1_000)
    made.open("bob", 1_000)
    made.add_key("alice", "session")
    return made


def order(**changed: Any) -> NewOrder:
    fields = {"account": ALICE, "epoch": 0, "sequence": 50, "market": 0, "ticks": 490_000}
    fields |= {"lots": 1, "expiry": FAR, "flags": encode_flags(Flags(BUY))}
    return NewOrder(**(fields | changed))


async def likely(params: dict[str, Any]) -> Any:
    async with running(Sequencer(venue())) as rpc:
        error = await rpc.error("venue_submit", **params)
    assert error["data"]["reason"] == "bad_signature"
    return error["data"].get("likely")


@pytest.mark.parametrize(
    ("changed", "field", "signed"),
    [
        ({"side": "sell"}, "side", "buy"),
        ({"reduceOnly": True}, "reduceOnly", False),
        ({"life": "post-only"}, "life", "GTC"),
        ({"selfTrade": "cancel-both"}, "selfTrade", "cancel-resting"),
        ({"sequence": "51"}, "sequence", "50"),
        ({"sequence": "49"}, "sequence", "50"),
    ],
)
async def test_a_field_changed_after_signing_is_named(
    changed: dict[str, Any], field: str, signed: Any
) -> None:
    found = await likely(submission(order(), A, **changed))
    assert (found["field"], found["signed"]) == (field, signed)


@pytest.mark.parametrize(
    ("on", "field", "signed"),
    [
        (domain(1, DOMAIN.rollup), "chainId", 1),
        (domain(DOMAIN.chain_id, ZERO_ADDRESS), "verifyingContract", "0x" + "00" * 20),
    ],
)
async def test_another_domain_is_named(on: Domain, field: str, signed: Any) -> None:
    signature = wire.Hex(sign(digest_of(on, order()), A.private))
    found = await likely(submission(order(), A) | {"signature": signature})
    assert (found["field"], found["signed"]) == (field, signed)


@pytest.mark.parametrize(
    ("tx", "signer", "field", "signed"),
    [
        (order(epoch=1), "alice", "keyEpoch", 0),
        (order(), "session", "keyEpoch", 1),
        (order(), "bob", "account", BOB),
        (CancelAll(ALICE, 1, 1, 1, 0, FAR), "alice", "keyEpoch", 0),
        (Withdraw(ALICE, 50, A.address, 1, FAR), "session", "signature", 1),
    ],
)
async def test_somebody_elses_signature_says_whose(
    tx: Any, signer: str, field: str, signed: Any
) -> None:
    found = await likely(submission(tx, key(signer)))
    assert (found["field"], found["signed"]) == (field, signed)
    assert found["why"]


async def test_a_strangers_signature_leads_nowhere() -> None:
    assert await likely(submission(order(), key("mallory"))) is None
    assert await likely(submission(order(), A) | {"signature": wire.Hex(bytes(64))}) is None


async def test_a_bad_signature_costs_few_recoveries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may send them: what is tried is bounded, whatever there would be to try."""
    tried: list[str] = []
    mistakes = suspicion._mistakes

    def counted(case: Any) -> Any:
        for found in mistakes(case):
            tried.append(found[0])
            yield found

    monkeypatch.setattr(suspicion, "_mistakes", counted)
    await likely(submission(order(), key("mallory")))
    assert 0 < len(tried) <= suspicion.TRIES_MAX


async def test_the_last_sequence_number_has_none_behind_it_to_look_at() -> None:
    assert await likely(submission(order(), A, sequence=str(2**64 - 1))) is None


async def test_a_bad_signature_is_not_looked_for_among_all_accounts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(suspicion, "ACCOUNTS_MAX", 1)
    assert await likely(submission(order(), key("bob"))) is None


def test_a_trial_that_wrote_no_account_goes_through_those_below_as_they_are() -> None:
    made = venue()
    assert TrialState(made.state, 0).accounts is made.state.accounts


@pytest.mark.parametrize("method", ["venue_typedData", "venue_preview"])
async def test_no_sequence_number_follows_the_last(method: str) -> None:
    made = venue()
    assert made.send("alice", order(sequence=2**64 - 1)).status == Status.OK
    fields = {"account": ALICE, "market": 0, "side": "buy", "size": "0.00001"}
    async with running(Sequencer(made)) as rpc:
        error = await rpc.error(method, kind="order", fields=fields)
        assert error["data"]["reason"] == "integer_out_of_range"
        await rpc.result(method, kind="order", fields=fields | {"keyEpoch": 1})
