"""How to be refused by the contract of disputes: for every reason, the deeds that lead to it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import toy_calls
from dispute_world import ETHER, GWEI, HONEST, LIAR, OTHER, TERMS, WATCHER, DisputeWorld, Entry
from evm_engines import Engine
from rollup_world import DEPLOYER
from toy_machine import ROOTS, ToyTrace, honest, later, lying
from toy_rollup import PENDING, SET_CLAIM, SET_CONTESTED

from contracts import disputes
from contracts.abi import Function, keccak
from contracts.compiler import compile_contract

Scenario = Callable[[DisputeWorld], object]

ZERO = bytes(32)
JUNK = keccak(b"junk")
YEARS_34 = 2**30
LAST = 15
FALSE_AT = 6
DEAREST = (2 * 150_000 + 4_500_000) * TERMS.base_fee_cap
"""Two moves of one side, and the step."""

RIGHT = honest()
FALSE = lying({FALSE_AT: later(1)})


def deploy(
    world: DisputeWorld,
    rollup: bytes | None = None,
    insurance: bytes = WATCHER,
    **terms: int,
) -> object:
    """Another contract, with changes to a sound deployment."""
    code = disputes.deployment(
        compile_contract("disputes").creation_code,
        rollup=world.rollup if rollup is None else rollup,
        insurance=insurance,
        parameters=msgspec.structs.replace(TERMS, **terms),
    )
    return world.engine.deploy(code, sender=DEPLOYER)


def paired(world: DisputeWorld) -> tuple[bytes, Entry, Entry]:
    """The match of a right entry, which waited, and a false one."""
    right = world.enter(RIGHT, HONEST)
    false = world.enter(FALSE)
    return world.match_of(right), right, false


def sealed(world: DisputeWorld) -> tuple[bytes, Entry, Entry]:
    """The same, down to its step."""
    match, right, false = paired(world)
    world.descend(match)
    return match, right, false


def won(world: DisputeWorld) -> tuple[bytes, Entry]:
    """The same, settled; and the window is over."""
    match, right, _ = sealed(world)
    world.settle(match, right)
    world.end_entries()
    return match, right


def confirmed(world: DisputeWorld) -> Entry:
    """The same, and the winner's claim has confirmed."""
    _, right = won(world)
    world.confirm(right.claim)
    return right


def enter(world: DisputeWorld, **changes: Any) -> object:
    """Enter the right trace with something else than it has."""
    return world.enter(RIGHT, **changes)


def enter_under(world: DisputeWorld, status: int) -> object:
    """Enter when the confirmed head has reached the parent's batch without the parent."""
    world.tell(SET_CLAIM, world.parent, 0, status, LIAR)
    return world.enter(RIGHT)


def enter_unclaimed(world: DisputeWorld) -> object:
    """Enter a trace for a claim that nobody has made."""
    data = toy_calls.enter(RIGHT, world.grandparent, world.parent_output)
    return world.send(data, HONEST, ETHER)


def enter_uncontested(world: DisputeWorld) -> object:
    """Enter where nobody disagrees."""
    world.tell(SET_CONTESTED, world.parent, 0)
    return world.enter(RIGHT)


def enter_restless(world: DisputeWorld) -> object:
    """Claim and enter as if the batch had ended before its last step."""
    stopped = RIGHT.machines[:9] + RIGHT.machines[8:9] * 7
    return world.enter(ToyTrace(stopped, RIGHT.batch))


def enter_late(world: DisputeWorld) -> object:
    """Enter a second too late."""
    world.end_entries()
    return world.enter(RIGHT)


def openly(engine: Engine) -> DisputeWorld:
    """A world that has every batch published."""
    return DisputeWorld(engine, published_steps=16)


def advance(world: DisputeWorld, **changes: bytes) -> object:
    """Move with something else than the trace has."""
    return world.advance(paired(world)[0], **changes)


def advance_late(world: DisputeWorld) -> object:
    """Move a second after the clock has run out."""
    match, _, _ = paired(world)
    world.begin_clocks()
    world.wait(TERMS.clock + 1)
    return world.advance(match)


def advance_below_leaves(world: DisputeWorld) -> object:
    """Show children of a leaf."""
    match, _, _ = paired(world)
    for _ in range(TERMS.height - 1):
        world.advance(match)
    return world.advance(match, next_left=JUNK)


def settle(world: DisputeWorld, **changes: Any) -> object:
    """Settle with something else than the step has."""
    match, right, _ = sealed(world)
    return world.settle(match, right, **changes)


def settle_first(world: DisputeWorld) -> object:
    """Settle the first step from a state that the parent did not leave."""
    right = world.enter(RIGHT)
    world.enter(lying({0: later(1)}))
    match = world.match_of(right)
    world.descend(match)
    return world.settle(match, right, previous=JUNK)


def settle_for_strangers(world: DisputeWorld) -> object:
    """Settle, but show the loser's children for the winner's."""
    match, _, false = sealed(world)
    data = toy_calls.settle(match, FALSE_AT, RIGHT, children=FALSE.children(false.trace.height, 0))
    return world.send(data, HONEST)


def refute(world: DisputeWorld, **changes: Any) -> object:
    """Refute a false entry by its wrong leaf, but for `changes`."""
    arguments: dict[str, Any] = {
        "entry": world.enter(FALSE).id,
        "index": FALSE_AT,
        "leaf": FALSE.leaves[FALSE_AT],
        "leaf_branch": FALSE.branch(FALSE_AT),
        "step": toy_calls.step(FALSE, FALSE_AT),
        "left": ZERO,
        "right": ZERO,
    }
    return world.send(disputes.refute(**arguments | changes), HONEST)


def refute_the_dead(world: DisputeWorld) -> object:
    """Refute an entry that has lost."""
    _, _, false = sealed(world)
    world.refute(false, FALSE_AT)
    return world.refute(false, FALSE_AT)


def time_out_again(world: DisputeWorld) -> object:
    """End a match that is over."""
    match, _ = won(world)
    return world.send(disputes.time_out(match=match, left=ZERO, right=ZERO), OTHER)


def withdraw_refused(world: DisputeWorld) -> object:
    """Be paid for a rejection as a contract that will not have it."""
    receiver = world.receiver()
    behave = Function("behave", ("uint256",)).encode(1)
    world.engine.send(receiver, behave, sender=OTHER)
    world.engine.gas_price = GWEI
    world.forfeit(ETHER, receiver)
    world.engine.gas_price = 0
    return world.send_through(receiver, disputes.withdraw())


def forfeit_as_a_stranger(world: DisputeWorld) -> object:
    """Send a bond past the rollup."""
    data = disputes.FORFEITED.encode(world.parent, world.contested_at, OTHER)
    return world.send(data, OTHER, 1)


SCENARIOS: dict[str, Scenario] = {
    "entries: no rollup": lambda w: deploy(w, rollup=bytes(20)),
    "payments: no insurance": lambda w: deploy(w, insurance=bytes(20)),
    "entries: height out of range": lambda w: deploy(w, height=17),
    "entries: window is zero": lambda w: deploy(w, entry_window=0),
    "entries: window is too long": lambda w: deploy(w, entry_window=YEARS_34 + 1),
    "entries: too many steps to publish": lambda w: deploy(w, published_steps=3_501),
    "matches: move time is zero": lambda w: deploy(w, move_time=0),
    "matches: clock is below the move time": lambda w: deploy(w, clock=TERMS.move_time - 1),
    "matches: clock is too long": lambda w: deploy(w, clock=YEARS_34 + 1),
    "disputes: bond is below the dearest match": lambda w: deploy(w, entry_bond=DEAREST - 1),
    "entries: not the exact bond": lambda w: enter(w, value=ETHER + 1),
    "entries: parent is not contested": enter_uncontested,
    "entries: window is over": enter_late,
    "entries: parent is rejected": lambda w: enter_under(w, PENDING),
    "entries: not a pending claim": enter_unclaimed,
    "entries: entered already": lambda w: (w.enter(RIGHT), w.enter(RIGHT, OTHER)),
    "disputes: roots must be published": lambda w: openly(w.engine).enter(RIGHT),
    "disputes: not one root a step": lambda w: openly(w.engine).enter_published(
        RIGHT, leaves=RIGHT.leaves[:9]
    ),
    "traces: wrong machine length": lambda w: enter(w, machine=RIGHT.last[1:]),
    "traces: machine of another state": lambda w: enter(w, roots=ROOTS[::-1]),
    "traces: machine is not at rest": enter_restless,
    "traces: output of another machine": lambda w: w.enter(replace(RIGHT, changes={"steps": 9})),
    "disputes: children of another root": lambda w: enter(w, left=JUNK),
    "disputes: first leaf of another trace": lambda w: enter(w, first=JUNK),
    "disputes: last leaf of another trace": lambda w: enter(w, last_branch=[JUNK] * TERMS.height),
    "traces: branch of another height": lambda w: enter(w, first_branch=RIGHT.branch(0)[1:]),
    "matches: not an open match": time_out_again,
    "matches: sealed already": lambda w: w.send(
        disputes.advance(
            match=sealed(w)[0], left=JUNK, right=JUNK, next_left=JUNK, next_right=JUNK
        ),
        HONEST,
    ),
    "matches: turn is over": advance_late,
    "matches: not the children of the mover's node": lambda w: advance(w, left=JUNK),
    "matches: not the children of the node that differs": lambda w: advance(w, next_left=JUNK),
    "matches: leaves have no children": advance_below_leaves,
    "matches: turn is not over": lambda w: w.time_out(paired(w)[0]),
    "disputes: not down to one step": lambda w: w.send(
        toy_calls.settle(paired(w)[0], FALSE_AT, RIGHT), HONEST
    ),
    "disputes: not the parent's state": settle_first,
    "disputes: step of another trace": lambda w: settle(w, previous=JUNK),
    "matches: not the children of the winner's root": settle_for_strangers,
    "disputes: entry is not alive": refute_the_dead,
    "disputes: batch is settled": lambda w: w.refute(confirmed(w), FALSE_AT),
    "traces: no such leaf": lambda w: refute(w, index=LAST + 1),
    "disputes: leaf of another trace": lambda w: refute(w, leaf=JUNK),
    "disputes: leaf is right": lambda w: w.refute(w.enter(FALSE), FALSE_AT - 1),
    "matches: nobody won": lambda w: w.collect(paired(w)[0]),
    "matches: nothing to collect": lambda w: w.collect(won(w)[0], WATCHER),
    "disputes: entry is not waiting": lambda w: w.redeem(paired(w)[1]),
    "disputes: batch is not settled": lambda w: w.redeem(won(w)[1]),
    "disputes: not the rollup": forfeit_as_a_stranger,
    "payments: nothing to withdraw": lambda w: w.withdraw(WATCHER),
    "payments: receiver refused": withdraw_refused,
}
"""What to do to be told so; the last thing done is what is refused."""
