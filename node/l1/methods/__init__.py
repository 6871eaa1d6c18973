"""The JSON-RPC methods of the devnet, a file for each thing they are about.

A method takes JSON values and returns one; whatever it does not accept is an `RpcError`.
To add one, write it in the class it belongs to and name it in that class's `table`.
"""

from node.l1.devnet import Devnet
from node.l1.jsonrpc import Method
from node.l1.methods.accounts import AccountMethods
from node.l1.methods.blocks import BlockMethods
from node.l1.methods.calls import CallMethods
from node.l1.methods.cheating import CheatingMethods
from node.l1.methods.control import ControlMethods
from node.l1.methods.fees import FeeMethods
from node.l1.methods.filters import FilterMethods
from node.l1.methods.logs import LogMethods
from node.l1.methods.network import NetworkMethods
from node.l1.methods.pool import PoolMethods
from node.l1.methods.raw import RawMethods
from node.l1.methods.selection import Selection
from node.l1.methods.transactions import TransactionMethods
from node.l1.methods.unlocked import UnlockedMethods

_POLL = "nothing is pushed here: poll with eth_newBlockFilter, eth_newFilter or eth_getLogs"
_SIGN = "sign with the account's key and use eth_sendRawTransaction"
_NO_TRACES = "this L1 has no traces: anvil has them (--l1 anvil)"
ABSENT = {
    "eth_subscribe": _POLL,
    "eth_unsubscribe": _POLL,
    "anvil_impersonateAccount": _SIGN,
    "hardhat_impersonateAccount": _SIGN,
    "debug_traceTransaction": _NO_TRACES,
    "debug_traceCall": _NO_TRACES,
    "eth_simulateV1": "send an eth_call for each call; anvil has it (--l1 anvil)",
}
"""What tools ask for and this L1 has not, and what to do instead."""


def all_methods(
    devnet: Devnet, selection: Selection, *, log_blocks_max: int, log_results_max: int
) -> dict[str, Method]:
    """Every method by its name on the wire."""
    logs = LogMethods(selection, blocks_max=log_blocks_max, results_max=log_results_max)
    return {
        **NetworkMethods(devnet).table(),
        **BlockMethods(selection).table(),
        **AccountMethods(devnet, selection).table(),
        **TransactionMethods(devnet).table(),
        **CallMethods(selection).table(),
        **FeeMethods(devnet, selection).table(),
        **logs.table(),
        **FilterMethods(devnet, logs).table(),
        **PoolMethods(devnet).table(),
        **RawMethods(devnet, selection).table(),
        **UnlockedMethods(devnet).table(),
        **ControlMethods(devnet).table(),
        **CheatingMethods(devnet).table(),
    }
