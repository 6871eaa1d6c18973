"""Which L1 a devnet or a demonstration stands on: one of ours, anvil, or one that runs already."""

from node.config import L1_KINDS, DevnetConfig
from node.devnet.people import CHAIN_ID, CLAIMANT, GOVERNOR, MAKER, SEQUENCER, TRADERS, person
from node.devnet.supervisor import Ready, Supervisor
from node.errors import Halt, L1Error, Retry
from node.l1.client import L1Client, Patience

FUNDS = 10**18
"""Wei that everybody must have who sends to L1: a claim's bond, and more gas than they use."""

ONE_TRY = Patience(answer=5.0, question=0.0)


async def start_l1(config: DevnetConfig, directory: str, supervisor: Supervisor) -> str:
    """The URL of an L1 that answers, started now unless `config.l1` names one.

    Raises ChildDied where it does not come up; Halt where the one that runs is of another
    chain, or gave the test accounts nothing.
    """
    if config.l1 not in L1_KINDS:
        await _check_funded(config.l1)
        return config.l1
    arguments = ("--kind", config.l1, "--port", str(config.l1_port), "--data", directory)
    pace = ("--block-time", str(config.block_seconds))
    child = await supervisor.start("l1", ("l1", *arguments, *pace))
    written = await supervisor.ready(child)
    url = str(written["url"])
    await supervisor.ready(child, _answers(url))
    return url


async def _check_funded(url: str) -> None:
    """The L1 of somebody else must be a devnet: our test keys sign for no other chain."""
    async with L1Client(url, expected_chain_id=CHAIN_ID, patience=ONE_TRY) as client:
        for name in (GOVERNOR, SEQUENCER, CLAIMANT, MAKER, *TRADERS):
            account = person(name)
            if await client.balance(account.address) < FUNDS:
                raise Halt(
                    f"{name} (0x{account.address.hex()}) has less than {FUNDS // 10**18} ETH on "
                    f"the L1 at {url}: start it with the usual test mnemonic, as anvil and "
                    "hardhat do unless told otherwise"
                )


def _answers(url: str) -> Ready:
    async def answers() -> bool:
        client = L1Client(url, patience=ONE_TRY)
        try:
            return await client.block_number() >= 0
        except (Retry, L1Error):
            return False
        finally:
            await client.close()

    return answers
