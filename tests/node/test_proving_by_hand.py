"""`replay`, `trace`, `witness` and `prove` over a venue on L1, no node beside it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from eth_abi.abi import decode, encode
from l1_venue import LIAR, person
from msgspec.structs import replace
from proving_world import BUSY, TRADING, VOID, ProvingWorld, proving_world

from contracts.abi import ERROR_SELECTOR
from contracts.step import PROVE_STEP, STEP
from node.cli.main import tallystick
from node.deploy import deployment_json
from node.errors import Halt, L1Error
from node.parity.case import Case, Ran, Refused, case_of, twin
from node.proving.history import RollupHistory, read_history
from node.proving.on_l1 import AnswerOnL1, facts_on_l1, step_on_l1
from node.proving.steps import shown_step
from node.proving.venue import RebuiltVenue
from node.rollup import RollupReader
from prover.walk import ShownStep
from prover.witness_reader import decode_witness
from prover.witness_state import WitnessState
from state.batch import encode_output, output_hash

STEPS = {TRADING: 15, VOID: 2, BUSY: 21}
KINDS = [
    *("BOOT", "item: deposit", "OPEN", "header", "price", "OPEN", "order", "REST"),
    *("order", "SAVE", "MATCH", "RESTORE", "order", "SAVE", "MATCH", "KEEP", "order"),
    *("cancel all", "CANCEL", "withdraw", "HALT"),
]
"""The steps of the busy batch."""


@pytest.fixture(scope="module")
def world() -> Iterator[ProvingWorld]:
    with proving_world() as running:
        yield running


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


# --- replay ---


def test_a_replay_comes_to_every_root_and_finds_the_wrong_claim(world: ProvingWorld) -> None:
    found = world.json("replay", "--all", code=1)
    executed = [hexed(one.output.state_root) for one in world.venue.executed]
    assert [one["stateRoot"] for one in found["batches"]] == executed
    assert [one["steps"] for one in found["batches"]] == [STEPS[number] for number in STEPS]
    assert [bool(one["void"]) for one in found["batches"]] == [False, True, False]
    assert found["firstWrongBatch"] == BUSY
    right = [[claim["isRight"] for claim in one["claims"]] for one in found["batches"]]
    assert right == [[True], [True], [False]]
    (lie,) = found["batches"][-1]["claims"]
    assert lie["claimant"] == hexed(person(LIAR).address) and not lie["isConfirmed"]
    assert lie["differences"] == [
        {"field": "state_root", "claimed": hexed(bytes(32)), "executed": executed[-1]}
    ]


def test_a_replay_tells_people_too(world: ProvingWorld) -> None:
    result = world.run("replay", "--all", code=1)
    assert "2 (void)" in result.stdout and "1 wrong, 0 right" in result.stdout
    assert "state_root" in result.stdout and "is wrong" in result.stdout
    assert result.stderr == "error: the first batch with a wrong claim is 3\n"
    assert "wrong" not in world.run("replay", str(VOID)).stdout


def test_a_replay_ends_with_the_batch_that_is_named(world: ProvingWorld) -> None:
    found = world.json("replay", str(VOID))
    assert [one["batch"] for one in found["batches"]] == [TRADING, VOID]
    assert found["firstWrongBatch"] is None


def test_a_right_trace_is_right_in_either_form(world: ProvingWorld, tmp_path: Path) -> None:
    trace = world.json("trace", str(TRADING))
    roots = [step["root"] for step in trace["steps"]]
    forms = {
        "trace.json": json.dumps(trace),
        "list.json": json.dumps(roots),
        "lines": "\n".join(root.removeprefix("0x") for root in roots),
        # After HALT the machine stands still.
        "padded": "\n".join([*roots, *[roots[-1]] * 5]),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        words = ("replay", str(TRADING), "--trace", str(tmp_path / name))
        assert world.json(*words)["firstWrongStep"] is None
        assert "every step of the trace is right" in world.run(*words).stdout


def forged(world: ProvingWorld, path: Path, step: int) -> Path:
    """A trace of the busy batch that is wrong from a step on."""
    roots = [one["root"] for one in world.json("trace", str(BUSY))["steps"]]
    wrong = [hexed(bytes([at]) * 32) for at in range(step - 1, len(roots))]
    path.write_text(json.dumps([*roots[: step - 1], *wrong]))
    return path


WRITES: list[tuple[int, str, str | None, str, str]] = [
    (1, "BOOT", "OK", "STEP-2", "machine"),
    (2, "item: deposit", "OK", "ITEM-2", "account 256"),
    (8, "REST", "OK", "REST-3", "order 07a120"),
    (11, "MATCH", None, "FEE-1", "row 0"),
    (12, "RESTORE", "KILLED", "FOK-1", "roots: restore"),
    (17, "order", "BAD_SIGNATURE", "AUTH-3", "machine"),
    (20, "withdraw", "OK", "WDR-1", "withdrawal 0"),
]


@pytest.mark.parametrize(("step", "kind", "status", "rule", "leaf"), WRITES)
def test_the_first_wrong_step_is_told_with_what_it_writes_and_its_rules(
    world: ProvingWorld,
    tmp_path: Path,
    step: int,
    kind: str,
    status: str | None,
    rule: str,
    leaf: str,
) -> None:
    claimed = forged(world, tmp_path / "trace", step)
    found = world.json("replay", str(BUSY), "--trace", str(claimed), code=1)["firstWrongStep"]
    assert (found["step"], found["kind"], found["status"]) == (step, kind, status)
    assert rule in found["rules"]
    steps = world.json("trace", str(BUSY))["steps"]
    assert found["rootExecuted"] == steps[step - 1]["root"]
    assert found["rootClaimed"] == hexed(bytes([step - 1]) * 32)
    fields = {one["field"]: (one["before"], one["after"]) for one in found["machine"]}
    assert fields["step"] == (step - 1 if step > 1 else STEPS[VOID], step)
    written = [one["leaf"] for one in found["leaves"]]
    assert leaf == "machine" or any(name.startswith(leaf) for name in written), written
    shown = world.run("replay", str(BUSY), "--trace", str(claimed), code=1)
    assert rule in shown.stdout and f"Step {step} is the first" in shown.stdout
    assert f"the first step that the trace has wrong is {step}" in shown.stderr


def test_a_leaf_is_told_field_by_field(world: ProvingWorld, tmp_path: Path) -> None:
    claimed = forged(world, tmp_path / "trace", 11)
    found = world.json("replay", str(BUSY), "--trace", str(claimed), code=1)["firstWrongStep"]
    taker = next(one for one in found["leaves"] if one["leaf"] == "account 512")
    fields = {one["field"]: (one["before"], one["after"]) for one in taker["differences"]}
    assert fields["positions[market 0].lots"] == (100, 109)
    assert "cash" in fields


def test_a_trace_that_ends_early_is_wrong_where_it_ends(
    world: ProvingWorld, tmp_path: Path
) -> None:
    roots = [one["root"] for one in world.json("trace", str(TRADING))["steps"]]
    (tmp_path / "short").write_text("\n".join(roots[:4]))
    words = ("replay", str(TRADING), "--trace", str(tmp_path / "short"))
    found = world.json(*words, code=1)["firstWrongStep"]
    assert (found["step"], found["rootClaimed"]) == (5, None)
    assert "the trace ends" in world.run(*words, code=1).stdout


def test_a_trace_that_goes_on_after_halt_is_wrong_there(
    world: ProvingWorld, tmp_path: Path
) -> None:
    roots = [one["root"] for one in world.json("trace", str(TRADING))["steps"]]
    (tmp_path / "long").write_text("\n".join([*roots, hexed(bytes(32))]))
    words = ("replay", str(TRADING), "--trace", str(tmp_path / "long"))
    found = world.json(*words, code=1)["firstWrongStep"]
    assert (found["step"], found["kind"]) == (STEPS[TRADING] + 1, "HALT")
    assert found["rootExecuted"] == roots[-1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds 0 roots; expected 1 to 65536"),
        ("0x12\n", "root 1 of"),
        ("no hex\n", "expected 32 bytes, hex"),
        ("{", "holds no trace"),
        ('{"roots": []}', "holds no trace"),
        ("[3]", "root 1 of"),
        ("[null]", "root 1 of"),
        ('[{"root": 3}]', "root 1 of"),
        ('{"steps": 3}', "holds no trace"),
        ('{"steps": [{"step": 9, "root": ""}]}', "entry 1 of"),
        ("\xff\xfe", "root 1 of"),
    ],
)
def test_what_is_no_trace_is_put_wrongly(
    world: ProvingWorld, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "trace"
    path.write_bytes(text.encode("latin-1"))
    result = world.run("replay", str(TRADING), "--trace", str(path), code=2)
    assert said in result.stderr and result.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("replay",), 2, "either BATCH or --all"),
        (("replay", "1", "--all"), 2, "either BATCH or --all"),
        (("replay", "--all", "--trace", "x"), 2, "name it instead of --all"),
        (("replay", "1", "--trace", "/nowhere/at/all"), 1, "cannot read"),
        (("replay", "1", "--rollup", "0x" + "11" * 20), 1, "NO_CONTRACT"),
        (("replay", "1", "--l1", "http://127.0.0.1:1"), 1, "cannot be reached"),
        (("replay", "99"), 1, "NO_SUCH_BATCH: L1 has no batch 99; it has batches 1 to 3"),
        (("trace", "4"), 1, "NO_SUCH_BATCH"),
        (("trace", "2", "--step", "3"), 1, "NO_SUCH_STEP: batch 2 has steps 1 to 2"),
        (("witness", "2", "--step", "3"), 1, "NO_SUCH_STEP: step 3 of a batch of 2"),
        (("prove", "2", "--step", "0"), 2, "0 is not in the range"),
        (("prove", "2"), 2, "Missing option '--step'"),
    ],
)
def test_what_cannot_be_shown_is_told(
    world: ProvingWorld, words: tuple[str, ...], code: int, said: str
) -> None:
    assert said in world.run(*words, code=code).stderr


def test_a_venue_is_named_by_its_deployment_too(world: ProvingWorld, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    path.write_bytes(deployment_json(world.venue.deployment))
    place = ("--l1", world.venue.server.url, "--deployment", str(path))
    done = CliRunner().invoke(tallystick, ["replay", "1", *place], prog_name="tallystick")
    assert done.exit_code == 0 and "1 right" in done.stdout


# --- trace, witness, prove ---


def test_a_trace_leads_from_root_to_root(world: ProvingWorld) -> None:
    found = world.json("trace", str(BUSY))
    assert found["before"] == hexed(world.venue.executed[VOID - 1].output.state_root)
    assert [step["kind"] for step in found["steps"]] == KINDS
    assert [step["step"] for step in found["steps"]] == list(range(1, STEPS[BUSY] + 1))
    assert found["steps"][-1]["root"] == hexed(world.venue.executed[-1].output.state_root)
    one = world.json("trace", str(BUSY), "--step", "12")
    assert one["steps"] == [found["steps"][11]] and one["before"] == found["steps"][10]["root"]
    shown = world.run("trace", str(BUSY)).stdout
    assert "RESTORE" in shown and "KILLED" in shown and "BAD_SIGNATURE" in shown


def test_a_witness_in_bytes_is_one_of_its_step(world: ProvingWorld, tmp_path: Path) -> None:
    out = tmp_path / "witness"
    words = ("witness", str(BUSY), "--step", "11", "--out", str(out))
    found = world.json(*words)
    data = out.read_bytes()
    state = WitnessState(decode_witness(data), bytes.fromhex(found["rootBefore"][2:]))
    call = found["call"]
    assert hexed(data) == call["machine"] + "".join(
        part.removeprefix("0x") for part in (*call["roots"], call["leaves"], call["proofs"])
    )
    assert found["witness"]["sizes"]["total"] == len(data)
    assert set(found["witness"]["accounts"]) == {"256", "512"}
    cash = found["witness"]["accounts"]["512"]["cash"]
    assert int(cash) == state.account(512).cash


def test_a_witness_is_told_leaf_by_leaf(world: ProvingWorld) -> None:
    shown = world.run("witness", str(BUSY), "--step", "11").stdout
    for word in (
        "cash",
        "USD",
        "+100 lots",
        "orders 0:3",
        "mark",
        "BTC-USD-PERP",
        "at 500000 ticks",
    ):
        assert word in shown, word
    assert "still to come" in world.run("witness", str(BUSY), "--step", "20").stdout


def test_every_step_is_proven_from_its_witness(world: ProvingWorld) -> None:
    """Each batch from L1's logs, each step of it from bytes; one of them by the command."""
    for batch, steps in STEPS.items():
        for number in range(1, steps + 1):
            shown, venue = show(world, batch, number)
            case = case_of_shown(shown)
            expected = Ran(shown.root_after, shown.taken.changes.machine.status)
            assert twin(case, venue.verifier) == expected, (batch, number)
    found = world.json("prove", str(BUSY), "--step", "12")
    assert found["alone"] == {"root": found["rootAfter"], "status": "KILLED"}
    assert found["sizes"]["machine"] == 664
    shown_words = world.run("prove", str(TRADING), "--step", "1").stdout
    assert "from the witness" in shown_words and "root after" in shown_words


def history(world: ProvingWorld) -> RollupHistory:
    return world.background.run(read_history(world.venue.reader))


def show(world: ProvingWorld, batch: int, step: int) -> tuple[ShownStep, RebuiltVenue]:
    venue = RebuiltVenue(history(world))
    while venue.number < batch - 1:
        venue.advance()
    return shown_step(venue, step), venue


def case_of_shown(shown: ShownStep) -> Case:

    return case_of(shown.witness, shown.taken.given, shown.facts)


# --- on L1 ---


class SaysL1:
    """An L1 client whose rollup answers as it is told, and keeps what it was asked."""

    def __init__(self, answer: bytes | L1Error) -> None:
        self.answer, self.asked = answer, b""

    async def call(self, _: bytes, data: bytes, **__: Any) -> bytes:
        if not data.startswith(PROVE_STEP.selector):
            return bytes(12) + b"step" * 5
        self.asked = data
        if isinstance(self.answer, L1Error):
            raise self.answer
        return self.answer


def test_the_facts_of_a_step_stand_on_l1(world: ProvingWorld) -> None:
    """BOOT's and an item's are those of derivation; a void batch is void there once proven."""
    for batch, step in ((TRADING, 1), (TRADING, 2), (TRADING, 5), (BUSY, 1), (BUSY, 2), (BUSY, 9)):
        shown, venue = show(world, batch, step)
        separator = venue.verifier.domain.separator
        found = world.background.run(facts_on_l1(world.venue.reader, shown, separator))
        assert found == shown.facts
    shown, venue = show(world, VOID, 1)
    separator = venue.verifier.domain.separator
    found = world.background.run(facts_on_l1(world.venue.reader, shown, separator))
    assert shown.facts.void and found == replace(shown.facts, void=False)


def test_l1_is_given_the_proof_and_its_answer_is_read(world: ProvingWorld) -> None:
    shown, venue = show(world, BUSY, 11)
    client = SaysL1(encode(STEP.outputs, (shown.root_after, 7)))
    reader = RollupReader(client, bytes(20))  # type: ignore[arg-type]
    separator = venue.verifier.domain.separator
    found = world.background.run(step_on_l1(reader, shown, separator))
    assert found == AnswerOnL1(Ran(shown.root_after, 7), shown.facts)
    assert client.asked == case_of_shown(shown).proof_calldata()
    assert PROVE_STEP.encode(*decode(PROVE_STEP.inputs, client.asked[4:])) == client.asked


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("0x" + (ERROR_SELECTOR + encode(("string",), ("step: no witness",))).hex(), "step: no"),
        (None, "execution reverted"),
        ("0xno hex", "execution reverted"),
    ],
)
def test_a_refusal_of_l1_is_told_with_its_reason(
    world: ProvingWorld, data: str | None, said: str
) -> None:
    shown, venue = show(world, TRADING, 5)
    client = SaysL1(L1Error(3, "execution reverted", data))
    reader = RollupReader(client, bytes(20))  # type: ignore[arg-type]
    separator = venue.verifier.domain.separator
    answer = world.background.run(step_on_l1(reader, shown, separator)).answer
    assert isinstance(answer, Refused) and said in answer.reason


def test_a_rollup_without_a_step_contract_is_told(world: ProvingWorld) -> None:
    shown, venue = show(world, TRADING, 8)
    reader = RollupReader(world.venue.client, world.venue.terms.token)
    with pytest.raises(Halt, match="NO_STEP_CONTRACT: the rollup 0x"):
        world.background.run(step_on_l1(reader, shown, venue.verifier.domain.separator))
    said = world.run("prove", str(TRADING), "--step", "8", "--on-l1", code=1).stderr
    assert said.startswith("error: NO_STEP_CONTRACT: the rollup 0x")


def test_the_claims_are_those_of_the_batches_outputs(world: ProvingWorld) -> None:
    venue = RebuiltVenue(history(world))
    for executed in world.venue.executed:
        finding = venue.advance()
        assert encode_output(finding.output) == encode_output(executed.output)
        assert output_hash(finding.output) == output_hash(executed.output)
        assert venue.claim == executed.claim
