"""How to be refused: for every reason the contracts name, the deeds that lead to it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from decided_world import WON, DecidedWorld, decided_disputes, next_address
from proof_world import ProofWorld
from protocol_bytes import SET_PARAMETERS, withdrawal_leaf, withdrawals_tree
from rollup_world import (
    ALICE,
    BOB,
    DEPLOYER,
    DOLLAR,
    GENESIS_CLAIM,
    GOVERNOR,
    PARAMETERS,
    RIVAL,
    SEQUENCER,
    World,
)

from contracts import calls, mock_verifier, token, views
from contracts.abi import Function, keccak
from contracts.compiler import compile_contract
from contracts.step import prove_step
from state.chunks import Row, encode_chunk

Scenario = Callable[[World], object]

YEARS_34 = 2**30
NO_PROOF = prove_step(
    bytes(32), machine=bytes(664), roots=[bytes(32)] * 3, leaves=b"", proofs=b"", given=b""
)
BRANCH = withdrawals_tree({0: withdrawal_leaf(0, 256, ALICE, DOLLAR)}).branch(bytes(4))


def deploy(world: World, **changes: Any) -> object:
    """Another rollup, with `changes` to a sound deployment."""
    return world.engine.deploy(world.deployment(**changes), sender=BOB)


def deposit_as_a_contract(world: World) -> object:
    """Deposit from an address that has code."""
    contract = world.mock("bond_receiver")
    return world.send_through(contract, calls.deposit(amount=DOLLAR, subaccount=0))


def pay(world: World, *, claimed: bool = True, **changes: Any) -> object:
    """Withdraw Alice's dollar by a sound proof, but for `changes`."""
    world.deposit(ALICE)
    world.wait(12)
    world.post()
    root = withdrawals_tree({0: withdrawal_leaf(0, 256, ALICE, DOLLAR)}).root_hash
    output = world.output(1, withdrawals_root=root, cash=0, withdrawn=DOLLAR * 1_000)
    if claimed:
        world.settle(output)
    arguments: dict[str, Any] = {
        "parent_claim": GENESIS_CLAIM,
        "output": output.pack(),
        "index": 0,
        "account": 256,
        "recipient": ALICE,
        "amount": DOLLAR,
        "branch": BRANCH,
    }
    return world.send(calls.withdraw(**arguments | changes), BOB)


def claim(world: World, *, bond: int = PARAMETERS.claim_bond, **changes: Any) -> object:
    """Claim a batch with one deposit, with `changes` to a sound output."""
    world.deposit(ALICE)
    world.wait(12)
    world.post()
    return world.claim(replace(world.output(1), **changes), value=bond)


def confirm(world: World, *, wait: int = PARAMETERS.claim_window, rivals: int = 0) -> object:
    """Confirm a sound claim of a posted batch."""
    claim(world)
    for steps in range(10, 10 + rivals):
        world.claim(world.output(1, steps=steps), sender=RIVAL)
    world.wait(wait)
    return world.confirm(world.output(1))


def post(world: World, **changes: Any) -> object:
    """Post one chunk after a deposit, but for `changes`."""
    world.deposit(ALICE)
    world.wait(12)
    return world.post(**{"chunks": [b"chunk"], "raw_hashes": [keccak(b"raw")]} | changes)


def post_payload(world: World, sizes: list[int], payload: bytes) -> object:
    """Post a payload that need not be what its sizes say."""
    origin = world.engine.number - 1
    now, parent = world.engine.time, world.read(views.BATCH_HASHES, 0)
    data = calls.POST_BATCH.encode(
        0, origin, world.engine.block_hash(origin), now, now, sizes, [bytes(32)], payload, parent
    )
    return world.send(data, SEQUENCER)


def overweight(world: World) -> object:
    """Take an item that ends one step above the budget."""
    world.deposit(ALICE)
    slot = world.slot("inbox._packed_items", b"\x01")
    world.engine.store(world.rollup, slot, 16_385 << 64 | world.engine.time)
    return world.post()


def overdue(world: World) -> object:
    """Leave out an item that has waited one second too long."""
    world.deposit(ALICE)
    world.wait(PARAMETERS.inbox_delay + 1)
    return world.post(inbox_to=0, chunks=[b"chunk"], raw_hashes=[bytes(32)])


def late(world: World) -> object:
    """Come with a third claim a second after the window of rivals."""
    claim(world)
    world.claim(world.output(1, steps=10), sender=RIVAL)
    world.wait(PARAMETERS.claim_window + 1)
    return world.claim(world.output(1, steps=11), sender=RIVAL)


def passed_over(world: World) -> object:
    """Claim on the loser of a dispute when its rival has confirmed."""
    decided = DecidedWorld(world.engine)
    claim(decided)
    loser = decided.claim(decided.output(1, steps=10), sender=RIVAL)
    contested = decided.read(views.CONTESTED_AT, GENESIS_CLAIM)
    decided.decide(GENESIS_CLAIM, contested, WON, claim_of(decided))
    decided.wait(PARAMETERS.claim_window)
    decided.confirm(decided.output(1))
    decided.post(chunks=[b"chunk"], raw_hashes=[bytes(32)])
    return decided.claim(decided.output(2), parent=loser)


def reject(world: World) -> object:
    """Reject a claim that may confirm."""
    claim(world)
    output_hash = keccak(world.output(1).pack())
    return world.send(calls.reject(parent_claim=GENESIS_CLAIM, output_hash=output_hash), BOB)


def deploy_with_disputes(world: World, *, later: int = 1, entry_window: int) -> object:
    """Another rollup behind a contract of disputes, which is told the deployer's next contract or
    one `later`.
    """
    rollup = next_address(world.engine, DEPLOYER, later)
    disputes = decided_disputes(world.engine, rollup, entry_window)
    proof_contracts = calls.ProofContracts(chunks=world.chunks, disputes=disputes)
    return world.engine.deploy(world.deployment(proof_contracts=proof_contracts), sender=DEPLOYER)


def prove(world: World, **changes: Any) -> object:
    """Prove a batch of a rollup that takes proofs, truly but for `changes`."""
    proving = ProofWorld(world.engine)
    post(proving)
    return proving.prove(proving.output(1), **changes)


def unprovable(world: World) -> object:
    """Bring a proof where claims stand under bond."""
    proving = ProofWorld(world.engine)
    proving.rollup = proving.optimistic
    post(proving)
    return proving.prove(proving.output(1))


def settled(world: World) -> object:
    """Come with a rival when the batch is settled."""
    confirm(world)
    return world.claim(world.output(1, steps=9), sender=RIVAL)


def orphan(world: World) -> object:
    """Confirm a grandchild before its parent."""
    claim(world)
    world.wait(12)
    world.post(chunks=[b"chunk"], raw_hashes=[bytes(32)])
    parent = world.claim(world.output(1, steps=9), sender=RIVAL)
    world.claim(world.output(2), parent=parent)
    world.wait(PARAMETERS.claim_window)
    return world.confirm(world.output(2), parent=parent)


def bond_refused(world: World) -> object:
    """Win a bond for a contract that will not have it."""
    receiver = world.mock("bond_receiver")
    behave = Function("behave", ("uint256",)).encode(1)
    world.engine.send(receiver, behave, sender=BOB)
    world.post(chunks=[b"chunk"], raw_hashes=[bytes(32)])
    output = world.output(1)
    world.send_through(receiver, world.claim_call(output), PARAMETERS.claim_bond)
    world.wait(PARAMETERS.claim_window)
    world.confirm(output)
    return world.send_through(receiver, calls.claim_bond_withdraw())


def malformed_when_settled(world: World) -> object:
    """Come with a bad chunk when a claim on its batch has confirmed."""
    post(world)
    world.settle(world.output(1))
    return world.prove_malformed()


def malformed_when_sound(world: World) -> object:
    """Come with a chunk that is one."""
    compressed, raw = encode_chunk([Row(1, bytes(5))])
    post(world, chunks=[compressed], raw_hashes=[keccak(raw)])
    return world.prove_malformed()


def exhausted(world: World) -> object:
    """Deposit for the first time when all numbers are given out."""
    world.engine.store(world.rollup, world.slot("owners.owner_count"), 2**24 - 1)
    return world.deposit(ALICE)


def rotate(world: World, sender: bytes, account: int, new_owner: bytes) -> object:
    """Hand over an account, Alice being the only owner there is."""
    world.deposit(ALICE)
    return world.send(calls.rotate_owner(account=account, new_owner=new_owner), sender)


def rotate_onto_an_owner(world: World) -> object:
    """Hand over to somebody who has a number."""
    world.deposit(ALICE)
    world.deposit(BOB)
    return rotate(world, ALICE, 0x100, BOB)


def rotate_onto_a_contract(world: World) -> object:
    """Hand over to a contract that agreed."""
    contract = world.mock("bond_receiver")
    world.send_through(contract, calls.accept_number(1))
    return rotate(world, ALICE, 0x100, contract)


def announce(
    world: World, listing: bytes, applied: bytes = b"", *, wait: int = PARAMETERS.parameter_delay
) -> object:
    """Schedule parameters, wait, apply some."""
    world.send(calls.schedule_parameters(listing), GOVERNOR)
    world.wait(wait)
    return world.send(calls.apply_scheduled(SET_PARAMETERS, applied), BOB)


def refusing(world: World) -> World:
    """The same, with a token that says no."""
    return World(world.engine, "refusing_token")


def refused_withdrawal(world: World) -> object:
    """Withdraw from a token that took the deposit but says no now."""
    world = refusing(world)
    world.engine.send(world.token, keccak(b"relent()")[:4], sender=BOB)
    return pay(world)


SCENARIOS: dict[str, Scenario] = {
    "escrow: token is not a contract": lambda w: deploy(w, token=ALICE),
    "escrow: nothing to deposit": lambda w: w.deposit(ALICE, 0),
    "escrow: a contract has no key to sign with": deposit_as_a_contract,
    "escrow: deposit cap reached": lambda w: (w.deposit(ALICE, 2**64 - 1), w.deposit(BOB, 1)),
    "escrow: token refused deposit": lambda w: refusing(w).deposit(ALICE),
    "escrow: token moved other amount": lambda w: World(w.engine, "fee_token").deposit(ALICE),
    "escrow: claim is not confirmed": lambda w: pay(w, claimed=False),
    "escrow: no such withdrawal": lambda w: pay(w, amount=DOLLAR + 1),
    "escrow: already paid": lambda w: (pay(w), pay_again(w)),
    "escrow: token refused withdrawal": refused_withdrawal,
    "inbox: no such item": lambda w: w.read(views.INBOX_ITEM, 0),
    "owners: nobody has this number": lambda w: rotate(w, ALICE, 0x200, BOB),
    "owners: new owner does not have this number": lambda w: rotate(w, BOB, 0x100, BOB),
    "owners: new owner has a number already": rotate_onto_an_owner,
    "owners: new owner has not accepted": lambda w: rotate(w, ALICE, 0x100, BOB),
    "owners: a contract has no key to sign with": rotate_onto_a_contract,
    "owners: numbers are used up": exhausted,
    "governance: no governor": lambda w: deploy(w, governor=bytes(20)),
    "governance: parameter delay is zero": lambda w: deploy(w, parameter_delay=0),
    "governance: parameter delay is too long": lambda w: deploy(w, parameter_delay=YEARS_34 + 1),
    "governance: not the governor": lambda w: w.send(calls.list_market(b"listing"), BOB),
    "governance: somebody has deposited": lambda w: (
        w.deposit(ALICE),
        w.send(calls.list_market(b"listing"), GOVERNOR),
    ),
    "governance: listing names no market": lambda w: announce(w, b"\0"),
    "governance: nothing is scheduled": lambda w: w.send(calls.cancel_scheduled(0), GOVERNOR),
    "governance: not what is scheduled": lambda w: announce(w, b"listing", b"another listing"),
    "governance: parameter delay is not over": lambda w: announce(
        w, b"listing", b"listing", wait=PARAMETERS.parameter_delay - 1
    ),
    "governance: scheduled too long ago": lambda w: announce(
        w, b"listing", b"listing", wait=PARAMETERS.parameter_delay + 30 * 86_400 + 1
    ),
    "batches: no sequencer": lambda w: deploy(w, sequencer=bytes(20)),
    "batches: force delay is not above inbox delay": lambda w: deploy(w, force_delay=600),
    "batches: force delay is too long": lambda w: deploy(w, force_delay=YEARS_34 + 1),
    "batches: time lag is zero": lambda w: deploy(w, time_lag_max=0),
    "batches: time lag is too long": lambda w: deploy(w, time_lag_max=YEARS_34 + 1),
    "batches: not the sequencer": lambda w: post(w, sender=BOB),
    "batches: parent is not the last batch": lambda w: post(w, parent=keccak(b"replaced")),
    "batches: hashes and sizes differ": lambda w: post(w, raw_hashes=[]),
    "batches: empty chunk": lambda w: post(w, chunks=[b""]),
    "batches: sizes exceed payload": lambda w: post_payload(w, [6], b"chunk"),
    "batches: sizes fall short": lambda w: post_payload(w, [4], b"chunk"),
    "batches: nothing in the batch": lambda w: post(w, inbox_to=0, chunks=[], raw_hashes=[]),
    "batches: nothing is overdue": lambda w: w.force(),
    "batches: origin is not in the past": lambda w: post(
        w, origin_number=w.engine.number + 1, origin_hash=bytes(32)
    ),
    "batches: origin is too old": lambda w: post(w, origin_number=w.engine.number + 1 - 256),
    "batches: origin is on another branch": lambda w: post(w, origin_hash=keccak(b"fork")),
    "batches: time runs backwards": lambda w: (w.deposit(BOB), w.post(), post(w, time_min=1)),
    "batches: time bounds are crossed": lambda w: post(w, time_max=w.engine.time - 1),
    "batches: time is in the future": lambda w: post(w, time_max=w.engine.time + 13),
    "batches: time lags too far": lambda w: post(w, time_min=w.engine.time - 289),
    "batches: inbox runs backwards": lambda w: (post(w), post(w, inbox_to=0)),
    "batches: inbox has no such item": lambda w: post(w, inbox_to=2),
    "batches: inbox budget exceeded": overweight,
    "batches: overdue item left out": overdue,
    "claims: no genesis output": lambda w: deploy(w, genesis_output_hash=bytes(32)),
    "claims: window is zero": lambda w: deploy(w, claim_window=0),
    "claims: window is too long": lambda w: deploy(w, claim_window=YEARS_34 + 1),
    "claims: bond is zero": lambda w: deploy(w, claim_bond=0),
    "claims: not the exact bond": lambda w: claim(w, bond=PARAMETERS.claim_bond + 1),
    "claims: unknown parent": lambda w: (post(w), w.claim(w.output(1), parent=bytes(32))),
    "claims: already claimed": lambda w: (claim(w), w.claim(w.output(1), sender=RIVAL)),
    "claims: too late for a rival": late,
    "claims: parent is rejected": passed_over,
    "claims: claim may still confirm": reject,
    "claims: not without a winner": lambda w: w.send(calls.reopen(GENESIS_CLAIM), BOB),
    "claims: disputes of another rollup": lambda w: deploy_with_disputes(
        w, later=0, entry_window=PARAMETERS.claim_window + 1
    ),
    "claims: entries end before claims": lambda w: deploy_with_disputes(
        w, entry_window=PARAMETERS.claim_window
    ),
    "claims: batch is settled": settled,
    "claims: wrong output length": lambda w: (post(w), w.claim(w.output(1), packed=bytes(277))),
    "claims: unknown version": lambda w: claim(w, version=2),
    "claims: batch is not the next": lambda w: (
        post(w),
        post(w),
        w.claim(w.output(2)),
    ),
    "claims: batch is not posted": lambda w: (
        claim(w),
        w.claim(replace(w.output(1), batch=2), parent=claim_of(w)),
    ),
    "claims: wrong batch hash": lambda w: claim(w, batch_hash=keccak(b"another")),
    "claims: wrong header": lambda w: (post(w), w.claim(w.output(1), header=bytes(148))),
    "claims: wrong inbox cursor": lambda w: claim(w, inbox=0, deposited=0, cash=0),
    "outputs: steps out of range": lambda w: claim(w, steps=65_537),
    "outputs: wrong deposits": lambda w: claim(w, deposited=1, cash=1),
    "outputs: money is not conserved": lambda w: claim(w, fees=1),
    "outputs: longs are not shorts": lambda w: claim(w, long_lots=1),
    "claims: not a pending claim": lambda w: (confirm(w), w.confirm(w.output(1))),
    "claims: parent is not confirmed": orphan,
    "claims: window is open": lambda w: confirm(w, wait=PARAMETERS.claim_window - 1),
    "claims: rivals are undecided": lambda w: confirm(w, rivals=1),
    "claims: no bond to withdraw": lambda w: w.send(calls.claim_bond_withdraw(), BOB),
    "claims: receiver refused bond": bond_refused,
    "malformed: decoder of chunks is not a contract": lambda w: deploy(
        w, proof_contracts=calls.ProofContracts(chunks=ALICE)
    ),
    "one_step: step is not a contract": lambda w: deploy(
        w, proof_contracts=calls.ProofContracts(chunks=w.chunks, step=ALICE)
    ),
    "one_step: no step can be proven here": lambda w: w.send(NO_PROOF, BOB),
    "claims: verifier is not a contract": lambda w: deploy(
        w, proof_contracts=calls.ProofContracts(chunks=w.chunks, verifier=ALICE)
    ),
    "claims: this venue takes proofs": lambda w: claim(ProofWorld(w.engine)),
    "validity: no verifier is set": unprovable,
    "validity: parent is not the last": lambda w: prove(w, grandparent=GENESIS_CLAIM),
    "validity: not proven": lambda w: prove(w, proof=b""),
    "mock_verifier: no attester": lambda w: w.engine.deploy(
        mock_verifier.deployment(
            compile_contract(mock_verifier.SOURCE).creation_code, attester=bytes(20)
        ),
        sender=BOB,
    ),
    "malformed: batch is settled": malformed_when_settled,
    "malformed: batch is void already": lambda w: (
        post(w),
        w.prove_malformed(),
        w.prove_malformed(),
    ),
    "malformed: wrong header": lambda w: (post(w), w.prove_malformed(header=bytes(148 + 66))),
    "malformed: no such chunk": lambda w: (post(w), w.prove_malformed(chunk=1, compressed=b"")),
    "malformed: wrong chunk": lambda w: (post(w), w.prove_malformed(compressed=b"chunk ")),
    "malformed: chunk is well-formed": malformed_when_sound,
    "test_usdc: allowance is too low": lambda w: w.engine.send(
        w.token, token.transfer_from(owner=ALICE, to=BOB, amount=1), sender=BOB
    ),
    "test_usdc: balance is too low": lambda w: w.engine.send(
        w.token, token.transfer(to=BOB, amount=1), sender=ALICE
    ),
}
"""What to do to be told so; the last thing done is what is refused."""


def claim_of(world: World) -> bytes:
    """The sound claim of batch 1."""
    return keccak(GENESIS_CLAIM + keccak(world.output(1).pack()))


def pay_again(world: World) -> object:
    """Withdraw once more, against a later claim of the same withdrawals."""
    parent = world.read(views.CONFIRMED_HEAD).claim
    world.wait(12)
    world.post(chunks=[b"chunk"], raw_hashes=[bytes(32)])
    root = withdrawals_tree({0: withdrawal_leaf(0, 256, ALICE, DOLLAR)}).root_hash
    output = world.output(2, withdrawals_root=root)
    world.settle(output, parent=parent)
    data = calls.withdraw(
        parent_claim=parent,
        output=output.pack(),
        index=0,
        account=256,
        recipient=ALICE,
        amount=DOLLAR,
        branch=BRANCH,
    )
    return world.send(data, BOB)
