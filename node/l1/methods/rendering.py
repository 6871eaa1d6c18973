"""Blocks, transactions, receipts and logs as Ethereum's JSON has them."""

from typing import Any

from node.l1.blocks import ACCESS_LIST, DYNAMIC_FEE, LEGACY, AccessList, Block, Transaction
from node.l1.encoding import data, quantity
from node.l1.ledger import FoundLog, logs_of


def block_json(block: Block, *, full: bool) -> dict[str, Any]:
    """`full` lists whole transactions in place of their hashes."""
    header = block.header
    if full:
        transactions: list[Any] = [
            transaction_json(transaction, block, index)
            for index, transaction in enumerate(block.transactions)
        ]
    else:
        transactions = [data(transaction.hash) for transaction in block.transactions]
    return {
        "number": quantity(header.number),
        "hash": data(header.hash),
        "parentHash": data(header.parent_hash),
        "sha3Uncles": data(header.uncles_hash),
        "miner": data(header.coinbase),
        "stateRoot": data(header.state_root),
        "transactionsRoot": data(header.transactions_root),
        "receiptsRoot": data(header.receipts_root),
        "logsBloom": data(header.bloom),
        "difficulty": "0x0",
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "extraData": data(header.extra_data),
        "mixHash": data(header.mix_hash),
        "nonce": data(header.nonce),
        "baseFeePerGas": quantity(header.base_fee),
        "withdrawalsRoot": data(header.withdrawals_root),
        "blobGasUsed": quantity(header.blob_gas_used),
        "excessBlobGas": quantity(header.excess_blob_gas),
        "parentBeaconBlockRoot": data(header.beacon_root),
        "requestsHash": data(header.requests_hash),
        "size": quantity(block.size),
        "transactions": transactions,
        "uncles": [],
        "withdrawals": [],
    }


def transaction_json(
    transaction: Transaction, block: Block | None = None, index: int = 0
) -> dict[str, Any]:
    """`block` is None while it waits."""
    found: dict[str, Any] = {
        "hash": data(transaction.hash),
        "type": quantity(transaction.kind),
        "from": data(transaction.sender),
        "to": None if transaction.to is None else data(transaction.to),
        "nonce": quantity(transaction.nonce),
        "value": quantity(transaction.value),
        "input": data(transaction.data),
        "gas": quantity(transaction.gas),
        "gasPrice": quantity(transaction.max_fee),
        "v": quantity(transaction.v),
        "r": quantity(transaction.r),
        "s": quantity(transaction.s),
        "blockHash": None if block is None else data(block.hash),
        "blockNumber": None if block is None else quantity(block.number),
        "transactionIndex": None if block is None else quantity(index),
    }
    if transaction.chain_id is not None:
        found["chainId"] = quantity(transaction.chain_id)
    if transaction.kind != LEGACY:
        found["yParity"] = quantity(transaction.y_parity)
    if transaction.kind in (ACCESS_LIST, DYNAMIC_FEE):
        found["accessList"] = access_list_json(transaction.access_list)
    if transaction.kind == DYNAMIC_FEE:
        found["maxFeePerGas"] = quantity(transaction.max_fee)
        found["maxPriorityFeePerGas"] = quantity(transaction.priority_fee)
        if block is not None:
            found["gasPrice"] = quantity(block.receipts[index].gas_price)
    return found


def access_list_json(access_list: AccessList) -> list[dict[str, Any]]:
    return [
        {"address": data(address), "storageKeys": [data(slot.to_bytes(32)) for slot in slots]}
        for address, slots in access_list
    ]


def receipt_json(block: Block, index: int) -> dict[str, Any]:
    transaction, receipt = block.transactions[index], block.receipts[index]
    return {
        "transactionHash": data(transaction.hash),
        "transactionIndex": quantity(index),
        "blockHash": data(block.hash),
        "blockNumber": quantity(block.number),
        "type": quantity(transaction.kind),
        "status": quantity(receipt.succeeded),
        "from": data(transaction.sender),
        "to": None if transaction.to is None else data(transaction.to),
        "contractAddress": None if receipt.contract is None else data(receipt.contract),
        "gasUsed": quantity(receipt.gas_used),
        "cumulativeGasUsed": quantity(receipt.cumulative_gas),
        "effectiveGasPrice": quantity(receipt.gas_price),
        "logsBloom": data(receipt.bloom),
        "logs": [log_json(log) for log in logs_of(block) if log.transaction_index == index],
    }


def log_json(found: FoundLog) -> dict[str, Any]:
    block = found.block
    return {
        "address": data(found.log.address),
        "topics": [data(topic) for topic in found.log.topics],
        "data": data(found.log.data),
        "blockNumber": quantity(block.number),
        "blockHash": data(block.hash),
        "blockTimestamp": quantity(block.header.timestamp),
        "transactionHash": data(block.transactions[found.transaction_index].hash),
        "transactionIndex": quantity(found.transaction_index),
        "logIndex": quantity(found.log_index),
        "removed": False,
    }
