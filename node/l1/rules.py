"""What L1 asks of a transaction before it may wait for a block.

py-evm compares no chain id, knows no Osaka limits and leaves out the overflow checks,
so they are here. Messages begin the way geth's do, because clients recognise errors by
them; codes are those of the execution-apis error groups where one exists.
"""

from node.l1.blocks import AccessList, Transaction
from node.l1.jsonrpc import RpcError

NONCE_TOO_LOW = 1
NONCE_TOO_HIGH = 2
EXECUTION_REVERTED = 3
INTRINSIC_GAS_TOO_LOW = 800
GAS_ABOVE_BLOCK_LIMIT = 803
TIP_ABOVE_FEE_CAP = 804
GAS_OVERFLOW = 805
INSUFFICIENT_FUNDS = 809
ALREADY_KNOWN = 1000
INVALID_SENDER = 1001
INVALID_INPUT = -32000
TRANSACTION_REJECTED = -32003
LIMIT_EXCEEDED = -32005

TRANSACTION_GAS_MAX = 2**24  # EIP-7825
TRANSACTION_BYTES_MAX = 128 * 1024  # what geth's pool takes; a batch must fit
INITCODE_BYTES_MAX = 49_152  # EIP-3860
CODE_BYTES_MAX = 24_576  # EIP-170
NONCE_MAX = 2**64 - 2  # EIP-2681
SIGNATURE_S_MAX = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def intrinsic_gas(*, data: bytes, creates: bool, access_list: AccessList) -> int:
    """21000 + 4 per zero byte + 16 per other byte + 2400 per address + 1900 per slot,
    and for a creation 32000 + 2 per word of its code."""
    zeros = data.count(0)
    gas = 21_000 + 4 * zeros + 16 * (len(data) - zeros)
    gas += sum(2_400 + 1_900 * len(slots) for _, slots in access_list)
    if creates:
        gas += 32_000 + 2 * ((len(data) + 31) // 32)
    return gas


def floor_gas(data: bytes) -> int:
    """EIP-7623: 21000 + 10 per zero byte + 40 per other byte, whatever runs."""
    zeros = data.count(0)
    return 21_000 + 10 * zeros + 40 * (len(data) - zeros)


def check_size(raw: bytes) -> None:
    """Before anything else: even decoding takes time that grows faster than the size."""
    if len(raw) > TRANSACTION_BYTES_MAX:
        raise RpcError(
            TRANSACTION_REJECTED,
            f"oversized data: transaction of {len(raw)} bytes, limit {TRANSACTION_BYTES_MAX}",
        )


def check_chain(transaction: Transaction, chain_id: int) -> None:
    if transaction.chain_id is None:
        raise RpcError(
            TRANSACTION_REJECTED, "only replay-protected (EIP-155) transactions allowed over RPC"
        )
    if transaction.chain_id != chain_id:
        raise RpcError(
            TRANSACTION_REJECTED,
            f"invalid chain id for signer: have {transaction.chain_id} want {chain_id}",
        )


def check_form(transaction: Transaction) -> None:
    """What can be said without a chain: signature, ranges, gas against data."""
    if transaction.s > SIGNATURE_S_MAX:
        raise RpcError(INVALID_SENDER, "invalid sender: s is in the upper half of the curve order")
    if transaction.nonce > NONCE_MAX:
        raise RpcError(NONCE_TOO_HIGH, f"nonce too high: {transaction.nonce}, at most 2^64 - 2")
    if transaction.gas >= 2**64:
        raise RpcError(GAS_OVERFLOW, f"gas uint64 overflow: {transaction.gas}")
    if transaction.priority_fee > transaction.max_fee:
        raise RpcError(
            TIP_ABOVE_FEE_CAP,
            "max priority fee per gas higher than max fee per gas: "
            f"{transaction.priority_fee} > {transaction.max_fee}",
        )
    # The product alone, as the reference tests have it: a value on top is a matter of balance.
    if transaction.gas * transaction.max_fee >= 2**256:
        raise RpcError(INSUFFICIENT_FUNDS, "insufficient funds: gas * price exceeds 256 bits")
    creates = transaction.to is None
    if creates and len(transaction.data) > INITCODE_BYTES_MAX:
        raise RpcError(
            TRANSACTION_REJECTED,
            f"max initcode size exceeded: {len(transaction.data)}, limit {INITCODE_BYTES_MAX}",
        )
    intrinsic = intrinsic_gas(
        data=transaction.data, creates=creates, access_list=transaction.access_list
    )
    if transaction.gas < intrinsic:
        raise RpcError(
            INTRINSIC_GAS_TOO_LOW,
            f"intrinsic gas too low: gas {transaction.gas}, minimum needed {intrinsic}",
        )


def check_floor(transaction: Transaction) -> None:
    """EIP-7623, since Prague."""
    floor = floor_gas(transaction.data)
    if transaction.gas < floor:
        raise RpcError(
            INTRINSIC_GAS_TOO_LOW,
            "intrinsic gas too low: insufficient gas for floor data gas cost: "
            f"gas {transaction.gas}, minimum needed {floor}",
        )


def check_limits(transaction: Transaction, block_gas_limit: int) -> None:
    """EIP-7825, since Osaka, and what a block holds at all."""
    if transaction.gas > TRANSACTION_GAS_MAX:
        raise RpcError(
            TRANSACTION_REJECTED,
            f"transaction gas limit too high (cap: {TRANSACTION_GAS_MAX}, tx: {transaction.gas})",
        )
    if transaction.gas > block_gas_limit:
        raise RpcError(
            GAS_ABOVE_BLOCK_LIMIT,
            f"exceeds block gas limit: gas {transaction.gas}, limit {block_gas_limit}",
        )


def check_nonce(transaction: Transaction, *, mined: int, pending: int) -> None:
    """mined <= nonce <= pending: a gap could wait forever, so it is refused at once."""
    if transaction.nonce < mined:
        raise RpcError(
            NONCE_TOO_LOW, f"nonce too low: next nonce {mined}, tx nonce {transaction.nonce}"
        )
    if transaction.nonce > pending:
        raise RpcError(
            NONCE_TOO_HIGH, f"nonce too high: next nonce {pending}, tx nonce {transaction.nonce}"
        )


def check_balance(transaction: Transaction, *, balance: int, promised: int) -> None:
    """balance >= gas x max_fee + value, beside what the sender's waiting transactions may cost."""
    cost = transaction.gas * transaction.max_fee + transaction.value
    if balance < promised + cost:
        raise RpcError(
            INSUFFICIENT_FUNDS,
            f"insufficient funds for gas * price + value: balance {balance}, "
            f"tx cost {cost}, already promised {promised}",
        )
