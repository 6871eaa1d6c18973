"""Which program and which chain this is."""

import platform
from importlib.metadata import version
from typing import Any

from node.l1.devnet import Devnet
from node.l1.encoding import data, quantity, read_data
from node.l1.jsonrpc import Method
from state.crypto import keccak


class NetworkMethods:
    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet

    def table(self) -> dict[str, Method]:
        return {
            "web3_clientVersion": self.client_version,
            "net_version": self.network,
            "net_listening": self.listening,
            "net_peerCount": self.peer_count,
            "web3_sha3": self.sha3,
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

    def peer_count(self) -> str:
        return quantity(0)

    def sha3(self, value: Any) -> str:
        """Keccak-256, which is what this method has always meant."""
        return data(keccak(read_data(value, "data")))

    def chain_id(self) -> str:
        return quantity(self._devnet.evm.chain_id)

    def syncing(self) -> bool:
        return False
