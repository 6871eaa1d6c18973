"""Steering a devnet: mining, time, and going back. No real chain has these."""

from typing import Any

from node.l1.devnet import Devnet
from node.l1.encoding import quantity, read_number
from node.l1.jsonrpc import InvalidParams, Method

INTERVAL_MAX = 86_400
TIME_MAX = 2**40 - 1
BLOCKS_MAX = 1_000


class ControlMethods:
    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet

    def table(self) -> dict[str, Method]:
        return {
            "evm_mine": self.mine,
            "evm_setAutomine": self.set_automine,
            "evm_setIntervalMining": self.set_interval_mining,
            "evm_increaseTime": self.increase_time,
            "evm_setNextBlockTimestamp": self.set_next_block_timestamp,
            "evm_snapshot": self.snapshot,
            "evm_revert": self.revert,
            "anvil_mine": self.mine_many,
            "hardhat_mine": self.mine_many,
            "anvil_setAutomine": self.set_automine,
            "anvil_getAutomine": self.is_automining,
            "hardhat_getAutomine": self.is_automining,
            "anvil_setIntervalMining": self.set_interval_mining,
            "anvil_increaseTime": self.increase_time,
            "anvil_setNextBlockTimestamp": self.set_next_block_timestamp,
            "anvil_snapshot": self.snapshot,
            "anvil_revert": self.revert,
        }

    def mine(self, options: Any = None) -> str:
        """One block now, or `{"blocks": n, "timestamp": t}`; a bare number is a timestamp."""
        blocks, timestamp = 1, options
        if isinstance(options, dict):
            blocks = _read_bounded(options.get("blocks", 1), "blocks", BLOCKS_MAX)
            timestamp = options.get("timestamp")
        if timestamp is not None:
            self._devnet.promise_timestamp(_read_bounded(timestamp, "timestamp", TIME_MAX))
        for _ in range(blocks):
            self._devnet.mine()
        return "0x0"

    def mine_many(self, blocks: Any = 1, interval: Any = None) -> None:
        """So many blocks, each `interval` seconds after the one before where that is given."""
        wanted = _read_bounded(blocks, "blocks", BLOCKS_MAX)
        seconds = None if interval is None else _read_bounded(interval, "interval", INTERVAL_MAX)
        for index in range(wanted):
            if seconds and index:
                self._devnet.promise_timestamp(self._devnet.head.header.timestamp + seconds)
            self._devnet.mine()

    def is_automining(self) -> bool:
        return self._devnet.automine

    def set_automine(self, automine: Any) -> bool:
        """true: every transaction gets its block at once."""
        if not isinstance(automine, bool):
            raise InvalidParams("automine: expected true or false")
        self._devnet.set_automine(automine)
        return True

    def set_interval_mining(self, seconds: Any) -> bool:
        """A block every so many seconds; 0 stops that."""
        self._devnet.interval = _read_bounded(seconds, "seconds", INTERVAL_MAX)
        return True

    def increase_time(self, seconds: Any) -> int:
        """Returns the whole shift of the clock, as a plain number like other devnets do."""
        return self._devnet.increase_time(_read_bounded(seconds, "seconds", TIME_MAX))

    def set_next_block_timestamp(self, timestamp: Any) -> bool:
        self._devnet.promise_timestamp(_read_bounded(timestamp, "timestamp", TIME_MAX))
        return True

    def snapshot(self) -> str:
        return quantity(self._devnet.snapshot())

    def revert(self, snapshot: Any) -> bool:
        return self._devnet.revert(read_number(snapshot, "snapshot"))


def _read_bounded(value: Any, name: str, maximum: int) -> int:
    number = read_number(value, name)
    if number > maximum:
        raise InvalidParams(f"{name}: at most {maximum}, got {number}")
    return number
