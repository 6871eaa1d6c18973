"""A deployment says of itself what it was given, and is refused where that makes no sense."""

from typing import Any

import pytest
from evm_engines import Engine, Reverted
from rollup_world import DEPLOYER, DOLLAR, GENESIS_CLAIM, GOVERNOR, PARAMETERS, SEQUENCER, World

from contracts import calls, token, views
from contracts.compiler import RUNTIME_BYTES_MAX, SOURCES
from state import limits, units
from state.transactions.kinds import INBOX_WEIGHTS, InboxKind


def test_a_follower_learns_everything_from_one_address(world: World) -> None:
    assert world.read(views.VERSION) == 1
    assert world.read(views.TOKEN) == world.token
    assert world.read(views.SEQUENCER) == SEQUENCER
    assert world.read(views.GOVERNOR) == GOVERNOR
    assert world.read(views.DEPLOYED_AT) == world.deployed_at
    assert world.read(views.GENESIS_CLAIM) == GENESIS_CLAIM
    assert world.read(views.INBOX_DELAY) == PARAMETERS.inbox_delay
    assert world.read(views.FORCE_DELAY) == PARAMETERS.force_delay
    assert world.read(views.TIME_LAG_MAX) == PARAMETERS.time_lag_max
    assert world.read(views.CLAIM_WINDOW) == PARAMETERS.claim_window
    assert world.read(views.CLAIM_BOND) == PARAMETERS.claim_bond
    assert world.read(views.PARAMETER_DELAY) == PARAMETERS.parameter_delay


def test_a_follower_finds_what_takes_a_step(engine: Engine) -> None:
    """DPLY-17. Any contract will do here: the rollup asks it nothing yet."""
    world = World(engine)
    assert world.read(views.STEP) == bytes(20)
    proof_contracts = calls.ProofContracts(chunks=world.chunks, step=world.token)
    code = world.deployment(proof_contracts=proof_contracts)
    rollup = engine.deploy(code, sender=DEPLOYER)
    assert views.STEP.answer(engine.call(rollup, views.STEP.call())) == world.token
    with pytest.raises(Reverted, match="one_step: step is not a contract"):
        unset = calls.ProofContracts(chunks=world.chunks, step=GOVERNOR)
        engine.deploy(world.deployment(proof_contracts=unset), sender=DEPLOYER)


def test_what_is_deployed_fits(world: World) -> None:
    assert len(world.engine.code(world.rollup)) <= RUNTIME_BYTES_MAX


@pytest.mark.parametrize(
    "parameters",
    [
        {"inbox_delay": 0, "force_delay": 1},
        {"force_delay": PARAMETERS.inbox_delay + 1},
        {"force_delay": 2**30, "inbox_delay": 2**30 - 1},
        {"time_lag_max": 1},
        {"time_lag_max": 2**30},
        {"claim_window": 1},
        {"claim_window": 2**30},
        {"claim_bond": 1},
        {"claim_bond": 2**256 - 1},
        {"parameter_delay": 1},
        {"parameter_delay": 2**30},
    ],
)
def test_parameters_reach_their_bounds(engine: Engine, parameters: dict[str, Any]) -> None:
    world = World(engine, **parameters)
    for name, value in parameters.items():
        view = getattr(views, name.upper())
        assert world.read(view) == value


def test_nothing_sends_ether_by_accident(world: World) -> None:
    world.engine.fund(SEQUENCER, 1)
    with pytest.raises(Reverted, match="no reason"):
        world.send(b"", SEQUENCER, 1)
    with pytest.raises(Reverted, match="no reason"):
        world.send(world.batch_call(chunks=[b"1"], raw_hashes=[bytes(32)]), SEQUENCER, 1)


def test_the_test_token_is_an_erc20_of_six_decimals(world: World) -> None:
    def ask(data: bytes) -> bytes:
        return world.engine.call(world.token, data)

    world.mint(SEQUENCER, 5 * DOLLAR)
    sent = token.transfer(to=GOVERNOR, amount=2 * DOLLAR)
    assert int.from_bytes(world.engine.send(world.token, sent, sender=SEQUENCER).output, "big") == 1
    allowed = token.approve(spender=GOVERNOR, amount=2 * DOLLAR)
    world.engine.send(world.token, allowed, sender=SEQUENCER)
    taken = token.transfer_from(owner=SEQUENCER, to=GOVERNOR, amount=DOLLAR)
    world.engine.send(world.token, taken, sender=GOVERNOR)

    assert token.DECIMALS.answer(ask(token.DECIMALS.call())) == 6
    assert token.TOTAL_SUPPLY.answer(ask(token.TOTAL_SUPPLY.call())) == 5 * DOLLAR
    assert world.balance(SEQUENCER) == 2 * DOLLAR
    assert world.balance(GOVERNOR) == 3 * DOLLAR
    left = token.ALLOWANCE.answer(ask(token.ALLOWANCE.call(SEQUENCER, GOVERNOR)))
    assert left == DOLLAR


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("batches", "CHUNKS_MAX", limits.BATCH_CHUNKS_MAX),
        ("batches", "PAYLOAD_BYTES_MAX", limits.BATCH_PAYLOAD_MAX),
        ("batches", "INBOX_STEPS_MAX", limits.INBOX_STEPS_MAX),
        ("outputs", "BATCH_STEPS_MAX", limits.BATCH_STEPS_MAX),
        ("outputs", "NANO_PER_MICRO", units.NANO_PER_MICRO),
        ("escrow", "WITHDRAWALS_DEPTH", limits.WITHDRAWALS_DEPTH),
        ("inbox", "KIND_DEPOSIT", InboxKind.DEPOSIT),
        ("inbox", "KIND_LIST_MARKET", InboxKind.LIST_MARKET),
        ("inbox", "KIND_REVOKE_KEY", InboxKind.REVOKE_KEY),
        ("inbox", "KIND_ROTATE_OWNER", InboxKind.ROTATE_OWNER),
        ("inbox", "KIND_SET_PARAMETERS", InboxKind.SET_PARAMETERS),
    ],
)
def test_l1_and_the_rules_mean_the_same_limits(module: str, name: str, expected: int) -> None:
    assert int(constant(module, name)) == expected


def test_l1_and_the_rules_weigh_items_alike() -> None:
    weights = [int(weight) for weight in constant("inbox", "WEIGHTS").strip("[]").split(",")]
    assert dict(enumerate(weights)) == {0: 0} | INBOX_WEIGHTS


def constant(module: str, name: str) -> str:
    """What a Vyper source gives as the value of a constant."""
    (line,) = (
        line
        for line in (SOURCES / f"{module}.vy").read_text().splitlines()
        if line.startswith(f"{name}: constant(")
    )
    return line.partition(" = ")[2]
