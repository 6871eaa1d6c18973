"""What L1 itself says to a step: its contract, given the facts that the rollup keeps."""

from contracts import views
from contracts.abi import View, revert_reason
from node.errors import L1Error
from node.parity.case import Answer, Refused, answer_of, case_of
from node.rollup import RollupReader
from prover.facts import Facts
from prover.walk import ShownStep
from state.steps import Step, next_step

STEP = View("STEP", (), ("address",), bytes)
"""Where the contract is that re-executes a step."""


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


async def step_on_l1(reader: RollupReader, shown: ShownStep, separator: bytes) -> Answer:
    """The root and the status that L1 comes to, or why it refuses the proof."""
    case = case_of(shown.witness, shown.taken.given, await facts_on_l1(reader, shown, separator))
    address = await reader.read(STEP)
    try:
        return answer_of(await reader.client.call(address, case.calldata()))
    except L1Error as error:
        return Refused(_reason(error))


def _reason(error: L1Error) -> str:
    data = error.data if isinstance(error.data, str) else ""
    try:
        said = revert_reason(bytes.fromhex(data.removeprefix("0x")))
    except ValueError:
        said = None
    return said or str(error)
