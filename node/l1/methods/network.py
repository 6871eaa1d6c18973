"""Which program and which chain this is."""

import platform
from importlib.metadata import version

from node.l1.devnet import Devnet
from node.l1.encoding import quantity
from node.l1.jsonrpc import Method


class NetworkMethods:
    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet

    def table(self) -> dict[str, Method]:
        return {
            "web3_clientVersion": self.client_version,
            "net_version": self.network,
            "net_listening": self.listening,
            "eth_chainId": self.chain_id,
            "eth_syncing": self.syncing,
        }

    def client_version(self) -> str:
        engine = f"py-evm-{version('py-evm')}"
        return f"tallystick-l1/{engine}/python-{platform.python_version()}"

    def network(self) -> str:
        return str(self._devnet.evm.chain_id)

    def listening(self) -> bool:
        return True

    def chain_id(self) -> str:
        return quantity(self._devnet.evm.chain_id)

    def syncing(self) -> bool:
        return False
