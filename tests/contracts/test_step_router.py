"""The router of one step: its own steps, and every proof that is none, beside Python's."""

from collections.abc import Callable
from functools import cache
from random import Random

import pytest
from builders import DOMAIN, VERIFIER
from evm_engines import Engine, Pyrevm, Reverted
from msgspec.structs import replace
from recorded_steps import RecordedStep, recorded_steps
from step_world import StepContracts

from contracts.step import StepResult
from prover.facts import Facts
from prover.one_step import prove_step
from prover.refusal import WitnessRefused
from prover.witness import ProvenLeaf, ProvenRows, Witness
from state.batch import decode_header, encode_header
from state.crypto import keccak
from state.machine import Machine, decode_machine, encode_machine
from state.steps import Step
from state.tree import empty_hashes

NEEDED = ("items", "chunks", "cash")
OWN = ("BOOT", "OPEN", "HALT", "SAVE")


@cache
def contracts() -> StepContracts:
    """One deployment for all: nothing that a test does to it stays."""
    return StepContracts(Pyrevm(), NEEDED)


@cache
def history() -> tuple[RecordedStep, ...]:
    return tuple(recorded_steps(1, 400))


def name_of(recorded: RecordedStep) -> str:
    return "SAVE" if recorded.changes.rewind == "save" else recorded.step.name


def first(name: str) -> RecordedStep:
    return next(r for r in history() if name_of(r) == name)


@cache
def richest() -> RecordedStep:
    """A step with two accounts, a market, rows and an order that is there."""
    return next(
        r
        for r in history()
        if len(r.witness.accounts) == 2
        and len(r.witness.rows.leaves) > 1
        and any(order.leaf for order in r.witness.orders)
    )


@pytest.fixture
def few(engine: Engine) -> StepContracts:
    return StepContracts(engine, NEEDED)


def test_its_own_steps_and_those_it_hands_on_come_to_the_root_of_whole_trees(
    few: StepContracts,
) -> None:
    items = [r for r in history() if r.step == Step.INBOX]
    for recorded in [*map(first, OWN), *items[:3]]:
        few.check(recorded)


def test_all_its_own_steps_of_a_history() -> None:
    seen = set()
    for recorded in history():
        if name_of(recorded) in OWN:
            contracts().check(recorded)
            seen.add((name_of(recorded), recorded.changes.machine.order.phase))
    # SAVE goes on to fronts or to legs.
    assert {name for name, _ in seen} == set(OWN) and len(seen) == len(OWN) + 1


def outcome(w: Witness, given: bytes, facts: Facts) -> StepResult | None:
    try:
        root, status = prove_step(w.state_root, w.encode(), given, facts, VERIFIER)
    except WitnessRefused:
        return None
    return StepResult(root, status)


def asked(w: Witness, given: bytes, facts: Facts) -> StepResult | None:
    try:
        return contracts().step(w.state_root, w, given, facts)
    except Reverted:
        return None


@pytest.mark.parametrize("name", [*OWN, "INBOX"])
def test_any_machine_is_stepped_or_refused_as_in_python(name: str) -> None:
    """Whatever somebody claims: the same root and status, or refused by both."""
    recorded, chance, stepped = first(name), Random(name), 0  # noqa: S311  (a seed must reproduce a failure)
    for _ in range(40):
        machine = bytearray(recorded.witness.machine)
        machine[chance.randrange(len(machine))] = chance.choice([0, 1, 2, 127, 255])
        witness = replace(recorded.witness, machine=bytes(machine))
        given, facts = recorded.given.encode(), recorded.facts
        expected = outcome(witness, given, facts)
        assert asked(witness, given, facts) == expected
        stepped += expected is not None
    assert stepped > 0


@pytest.mark.parametrize("name", [*OWN, "INBOX", "TRANSACTION"])
def test_a_step_takes_the_input_it_reads_and_no_other(name: str) -> None:
    """INP-1."""
    recorded = first(name)
    data = recorded.given.encode()
    others = [
        data + b"\0",
        b"\1" + data,
        bytes(5_000),
        *([b"", data[:-1], data[:30]] if data else []),
    ]
    for other in others:
        assert outcome(recorded.witness, other, recorded.facts) is None
        with pytest.raises(Reverted):
            contracts().step(recorded.root_before, recorded.witness, other, recorded.facts)


@pytest.mark.parametrize(
    ("name", "changed", "reason"),
    [
        ("BOOT", {"batch_hash": bytes(32)}, "step: another header"),
        ("INBOX", {"accumulator": bytes(31) + b"\1"}, "step: another item"),
        ("INBOX", {"next_accumulator": bytes(32)}, "step: another item"),
    ],
)
def test_what_l1_knows_decides_what_is_read(
    name: str, changed: dict[str, bytes], reason: str
) -> None:
    recorded = first(name)
    facts = replace(recorded.facts, **changed)
    with pytest.raises(Reverted, match=reason):
        contracts().step(recorded.root_before, recorded.witness, recorded.given.encode(), facts)


@pytest.mark.parametrize("changed", [{"number": 2}, {"number": 0}, {"inbox_from": 1}])
def test_a_header_of_another_place_is_refused(changed: dict[str, int]) -> None:
    recorded = first("BOOT")
    header = encode_header(replace(decode_header(recorded.given.header), **changed))
    facts = Facts(DOMAIN.separator, batch_hash=keccak(header))
    with pytest.raises(Reverted, match="step: header does not follow"):
        contracts().step(recorded.root_before, recorded.witness, header, facts)


def test_a_void_batch_boots_without_its_chunks() -> None:
    recorded = first("BOOT")
    facts, given = replace(recorded.facts, void=True), recorded.given.encode()
    result = contracts().step(recorded.root_before, recorded.witness, given, facts)
    assert result == outcome(recorded.witness, given, facts)
    assert result.root != recorded.root_after


def with_machine(w: Witness, change: Callable[[Machine], Machine]) -> Witness:
    machine, withdrawals_root, saved = decode_machine(w.machine)
    return replace(w, machine=encode_machine(change(machine), withdrawals_root, saved))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: replace(m, deposited=m.deposited + 1), "step: not conserved"),
        (lambda m: replace(m, inbox=m.inbox + 1, inbox_end=0), "step: batch in progress"),
        (lambda m: replace(m, steps_left=0), "step: past the budget"),
    ],
)
def test_nothing_halts_that_steps_do_not_lead_to(
    change: Callable[[Machine], Machine], reason: str
) -> None:
    recorded = first("HALT")
    forged = with_machine(recorded.witness, change)
    with pytest.raises(Reverted, match=reason):
        contracts().step(forged.state_root, forged, b"", recorded.facts)


# --- proofs that are none ---


def account(w: Witness, **changed: object) -> Witness:
    return replace(w, accounts=(replace(w.accounts[0], **changed), *w.accounts[1:]))


def market(w: Witness, **changed: object) -> Witness:
    return replace(w, markets=(replace(w.markets[0], **changed),))


def order(w: Witness, **changed: object) -> Witness:
    place = next(i for i, one in enumerate(w.orders) if one.leaf)
    changes = replace(w.orders[place], **changed)
    return replace(w, orders=(*w.orders[:place], changes, *w.orders[place + 1 :]))


def row(w: Witness, leaf: bytes) -> Witness:
    leaves = dict(w.rows.leaves)
    leaves[next(key for key, leaf in leaves.items() if leaf)] = leaf
    return replace(w, rows=ProvenRows(leaves, w.rows.siblings))


def a_row(w: Witness) -> bytes:
    return next(leaf for leaf in w.rows.leaves.values() if leaf)


def patched(leaf: bytes, at: int, value: bytes) -> bytes:
    return leaf[:at] + value + leaf[at + len(value) :]


def an_order(w: Witness) -> bytes:
    return next(one.leaf for one in w.orders if one.leaf)


def swapped(w: Witness) -> Witness:
    return replace(w, accounts=w.accounts[::-1])


def siblings(w: Witness, change: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]) -> Witness:
    return replace(w, rows=ProvenRows(w.rows.leaves, change(w.rows.siblings)))


def top(w: Witness) -> tuple[bytes, ...]:
    """The branch of the first account, its topmost sibling twice."""
    branch = w.accounts[0].branch
    return (branch[0], branch[0], *branch[2:])


ROOT = "witness: branch to another root"
FORGERIES: dict[str, tuple[Callable[[Witness], Witness], str]] = {
    "another machine": (lambda w: w, "witness: of another state"),
    "a leaf of another account": (lambda w: account(w, leaf=w.accounts[1].leaf), ROOT),
    "an account that is said to be absent": (lambda w: account(w, leaf=b""), ROOT),
    "index 0": (lambda w: account(w, key=0), ROOT),
    "index 2^32 - 1": (
        lambda w: replace(w, accounts=(replace(w.accounts[0], key=2**32 - 1),)),
        ROOT,
    ),
    "a sibling twice": (lambda w: account(w, branch=top(w)), ROOT),
    "the same leaf at two indices": (
        lambda w: replace(w, accounts=(w.accounts[0], w.accounts[0])),
        "witness: not ascending",
    ),
    "accounts the other way round": (swapped, "witness: not ascending"),
    "an inner node as a leaf": (lambda w: account(w, leaf=b"\1" * 64), "leaves: cut"),
    "padding": (lambda w: account(w, leaf=bytes(32)), "leaves: account"),
    "an account too long": (
        lambda w: account(w, leaf=w.accounts[0].leaf + b"\0"),
        "leaves: account too long",
    ),
    "nobody's account": (
        lambda w: account(w, leaf=patched(w.accounts[0].leaf, 1, bytes(20))),
        "leaves: account of nobody",
    ),
    "seventeen positions": (
        lambda w: account(w, leaf=patched(w.accounts[0].leaf, 90, b"\x11")),
        "leaves: list too long",
    ),
    "a market of another domain": (
        lambda w: market(w, leaf=b"\3" + w.markets[0].leaf[1:]),
        "leaves: market",
    ),
    "a market without publishers": (
        lambda w: market(w, leaf=w.markets[0].leaf[:293] + b"\0"),
        "leaves: no publisher",
    ),
    "a market's branch for an account": (
        lambda w: replace(w, markets=(ProvenLeaf(w.markets[0].key, b"", w.markets[0].branch),)),
        "witness: branch to another root",
    ),
    "a mode that is none": (
        lambda w: row(w, patched(a_row(w), 3, b"\5")),
        "leaves: no such mode",
    ),
    "a row of other figures": (
        lambda w: row(w, patched(a_row(w), 4, b"\7")),
        "witness: rows of another board",
    ),
    "a first tier above zero": (
        lambda w: row(w, patched(a_row(w), 181, b"\0\1")),
        "leaves: ",
    ),
    "a sibling of the rows too many": (
        lambda w: siblings(w, lambda s: (*s, s[0])),
        "witness: a sibling too many",
    ),
    "a sibling of the rows too few": (
        lambda w: siblings(w, lambda s: s[:-1]),
        "witness: a sibling is missing",
    ),
    "siblings of no row": (
        lambda w: replace(w, rows=ProvenRows({}, w.rows.siblings)),
        "witness: siblings of no row",
    ),
    "an order of no lots": (
        lambda w: order(w, leaf=patched(an_order(w), 17, bytes(8))),
        "leaves: no such order can rest",
    ),
    "an order of the other side": (
        lambda w: replace(w, orders=(replace(w.orders[0], side=1 - w.orders[0].side),)),
        ROOT,
    ),
    "an order of another market": (
        lambda w: replace(w, orders=(replace(w.orders[0], market=w.orders[0].market ^ 1),)),
        "witness: market missing",
    ),
    "an order without its market": (
        lambda w: replace(w, markets=()),
        "witness: market missing",
    ),
    "a third side": (
        lambda w: replace(w, orders=(replace(w.orders[0], side=2),)),
        "witness: a side is 0 or 1",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_witness_is_refused(name: str) -> None:
    recorded = richest()
    forge, reason = FORGERIES[name]
    forged, root = forge(recorded.witness), recorded.root_before
    if name == "another machine":
        root = keccak(root)
    given = recorded.given.encode()
    with pytest.raises(WitnessRefused):
        prove_step(root, forged.encode(), given, recorded.facts, VERIFIER)
    with pytest.raises(Reverted, match=reason):
        contracts().step(root, forged, given, recorded.facts)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda proofs: proofs[:0], "witness: branch cut"),
        (lambda proofs: proofs[:-1], "witness: branch cut"),
        (lambda proofs: proofs + b"\0", "witness: proofs too long"),
        (lambda proofs: proofs + bytes(32), "witness: proofs too long"),
        (lambda proofs: b"\0" + proofs, "witness: "),
        (
            lambda proofs: b"\0\0\0\1" + empty_hashes(1)[0] + proofs[4:],
            "witness: empty sibling listed",
        ),
    ],
)
def test_proofs_of_another_form_are_refused(change: Callable[[bytes], bytes], reason: str) -> None:
    recorded = richest()
    w = recorded.witness
    with pytest.raises(Reverted, match=reason):
        contracts().parts(
            recorded.root_before,
            w.machine,
            w.roots,
            w.leaves,
            change(w.proofs),
            recorded.given.encode(),
            recorded.facts,
        )


def test_no_flipped_byte_of_leaves_or_proofs_is_taken() -> None:
    recorded, chance = richest(), Random(7)  # noqa: S311  (a seed must reproduce a failure)
    w = recorded.witness
    for part in ("leaves", "proofs"):
        for _ in range(60):
            parts = {"leaves": w.leaves, "proofs": w.proofs}
            data = bytearray(parts[part])
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            parts[part] = bytes(data)
            with pytest.raises(Reverted):
                contracts().parts(
                    recorded.root_before,
                    w.machine,
                    w.roots,
                    given=recorded.given.encode(),
                    facts=recorded.facts,
                    **parts,
                )
