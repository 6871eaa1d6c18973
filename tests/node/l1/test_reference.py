"""docs/l1.md keeps its word: every method of the embedded L1 is on the page, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from l1_world import Rpc, refusal

from node.cli.main import tallystick
from node.devnet.anvil import EPOCH_SLOTS, GAS_LIMIT
from node.l1.config import L1Config
from node.l1.methods import ABSENT, all_methods, filters
from node.l1.methods.accounts import PROOF_SLOTS_MAX
from node.l1.methods.selection import Selection
from node.l1.methods.transactions import SYNC_MILLISECONDS, SYNC_MILLISECONDS_MAX
from node.l1.server import L1Server

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "l1.md").read_text()
METHODS = PAGE.split("## 3.")[1]


async def test_every_method_is_on_the_page_and_no_other(clock: FakeClock) -> None:
    async with L1Server(L1Config(port=0), clock) as server:
        selection = Selection(server.devnet, 0, 0)
        served = all_methods(server.devnet, selection, log_blocks_max=1, log_results_max=1)
    table, _ = METHODS.split("Not offered")
    listed = re.findall(r"`([a-z0-9]+_\w+)`", "".join(re.findall(r"^\| `.*$", table, re.MULTILINE)))
    assert sorted(listed) == sorted(served)


def test_its_figures_are_those_of_the_code() -> None:
    config = L1Config()
    for figure in (
        f"{config.log_blocks_max:,} blocks and {config.log_results_max:,} logs",
        f"at most {filters.FILTERS_MAX:,}, each forgotten after {filters.UNUSED_SECONDS:.0f} s",
        f"at most {PROOF_SLOTS_MAX:,} slots",
        f"within {SYNC_MILLISECONDS // 1000} seconds",
        f"at most {SYNC_MILLISECONDS_MAX:,}",
        f"{GAS_LIMIT // 10**6} million gas a block",
        f"final after {2 * EPOCH_SLOTS} more",
    ):
        assert figure in PAGE, figure


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("eth_subscribe", "nothing is pushed here: poll with eth_newBlockFilter"),
        ("debug_traceCall", "this L1 has no traces: anvil has them"),
        ("anvil_impersonateAccount", "use eth_sendRawTransaction"),
        ("eth_simulateV1", "send an eth_call for each call"),
        ("trace_block", ""),
    ],
)
async def test_what_is_not_offered_says_so_and_what_to_do(rpc: Rpc, name: str, said: str) -> None:
    refused = await refusal(rpc, name, "newHeads")
    assert refused.code == -32601 and refused.message.startswith("Method not found")
    assert said in refused.message


async def test_nothing_that_is_said_to_be_absent_is_served(clock: FakeClock) -> None:
    async with L1Server(L1Config(port=0), clock) as server:
        selection = Selection(server.devnet, 0, 0)
        served = all_methods(server.devnet, selection, log_blocks_max=1, log_results_max=1)
    assert ABSENT and not ABSENT.keys() & served.keys()


def options_of(command: str) -> Any:
    context: Any = None
    found: Any = tallystick.get_command(context, command)
    return {option for parameter in found.params for option in parameter.opts}


def test_its_commands_and_options_exist() -> None:
    for command, option in re.findall(r"tallystick (\w+)(?: \w+)? (--[a-z0-9-]+)", PAGE):
        assert option in options_of(command), f"{command} {option}"
    for option in ("--data", "--reset", "--fast"):
        assert f"{option}" in PAGE and option in options_of("devnet")
