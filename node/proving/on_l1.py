"""What L1 itself says to a step: the rollup, which adds the facts that it keeps."""

from msgspec import Struct

from contracts import views
from contracts.abi import UnexpectedAnswer, revert_reason
from node.errors import Halt, L1Error
from node.parity.case import Answer, Refused, answer_of, case_of
from node.rollup import RollupReader
from prover.facts import Facts
from prover.walk import ShownStep
from state.crypto import ZERO_ADDRESS
from state.steps import Step, next_step


class AnswerOnL1(Struct, frozen=True):
    """What L1 says, and the facts that it says it by."""

    answer: Answer
    facts: Facts


async def facts_on_l1(reader: RollupReader, shown: ShownStep, separator: bytes) -> Facts:
    """The facts of a step out of the rollup's own storage, whatever was executed here."""
    machine = shown.taken.before
    match next_step(machine):
        case Step.BOOT:
            number = machine.batch + 1
            return Facts(
                separator,
                batch_hash=await reader.read(views.BATCH_HASHES, number),
                void=await reader.read(views.VOID_BATCHES, number),
            )
        case Step.INBOX:
            return Facts(
                separator,
                accumulator=await reader.read(views.ACCUMULATOR, machine.inbox),
                next_accumulator=await reader.read(views.ACCUMULATOR, machine.inbox + 1),
            )
        case _:
            return Facts(separator)


async def step_on_l1(reader: RollupReader, shown: ShownStep, separator: bytes) -> AnswerOnL1:
    """The root and the status that the rollup comes to, or why it refuses the proof.

    Halt where the rollup names no contract that could say.
    """
    facts = await facts_on_l1(reader, shown, separator)
    case = case_of(shown.witness, shown.taken.given, facts)
    await _check_step_contract(reader)
    try:
        answer = await reader.client.call(reader.address, case.proof_calldata())
        return AnswerOnL1(answer_of(answer), facts)
    except L1Error as error:
        return AnswerOnL1(Refused(_reason(error)), facts)


async def _check_step_contract(reader: RollupReader) -> None:
    try:
        address = await reader.read(views.STEP)
    except (L1Error, UnexpectedAnswer) as error:
        raise _no_contract(reader) from error
    if address == ZERO_ADDRESS:
        raise _no_contract(reader)


def _no_contract(reader: RollupReader) -> Halt:
    return Halt(
        f"NO_STEP_CONTRACT: the rollup 0x{reader.address.hex()} names no contract that "
        "re-executes a step; leave out --on-l1, or name a rollup that was deployed with one"
    )


def _reason(error: L1Error) -> str:
    data = error.data if isinstance(error.data, str) else ""
    try:
        said = revert_reason(bytes.fromhex(data.removeprefix("0x")))
    except ValueError:
        said = None
    return said or str(error)
