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
