"""Money through L1's door: deposits in, and withdrawals out by Merkle proof."""

from typing import TypeVar

from msgspec import Struct

from contracts import calls, events, token, views
from contracts.events import DepositedLog, WithdrawalPaidLog, decode_log
from node.errors import Halt, Retry
from node.l1.answers import L1Receipt
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.rpc.amounts import usdc
from node.rpc.client import VenueClient
from node.rpc.rollup_results import WithdrawalProof, WithdrawalStatus
from state.batch import claim_id, decode_output
from state.limits import WITHDRAWALS_DEPTH
from state.tree import calc_root
from state.withdrawals import Withdrawal, encode_withdrawal

Log = TypeVar("Log")


class NotNow(Exception):
    """What was asked for cannot be done as things stand; the message says what to do."""


class Deposit(Struct, frozen=True):
    """A deposit that L1 took: inbox item `index`, for `account`."""

    account: int
    index: int
    transaction: bytes
    block: int


class Payment(Struct, frozen=True):
    """A withdrawal that L1 paid, in micro-USDC."""

    index: int
    recipient: bytes
    amount: int
    batch: int
    transaction: bytes
    block: int


class ConfirmedClaim(Struct, frozen=True):
    """The last claim that L1 settled, as withdrawals are proved against it."""

    batch: int
    parent: bytes
    output: bytes
    withdrawals_root: bytes


async def usdc_balance(client: L1Client, token_address: bytes, owner: bytes) -> int:
    """Micro-USDC of `owner` on L1."""
    view = token.BALANCE_OF
    return view.answer(await client.call(token_address, view.call(owner)))


async def deposit(
    reader: RollupReader, sender: TransactionSender, micro: int, subaccount: int = 0
) -> Deposit:
    """Pay `micro` USDC of the sender in, and let the rollup take them first if it may not yet."""
    client = reader.client
    token_address = await reader.read(views.TOKEN)
    balance = await usdc_balance(client, token_address, sender.address)
    if balance < micro:
        raise NotNow(
            f"0x{sender.address.hex()} has {usdc(balance)} USDC on L1 and would deposit "
            f"{usdc(micro)}; deposit less, or send it USDC first"
        )
    allowance = token.ALLOWANCE
    allowed = allowance.answer(
        await client.call(token_address, allowance.call(sender.address, reader.address))
    )
    if allowed < micro:
        await sender.send(token_address, token.approve(spender=reader.address, amount=micro))
    data = calls.deposit(amount=micro, subaccount=subaccount)
    receipt = await sender.send(reader.address, data)
    log = log_of(receipt, reader.address, DepositedLog)
    return Deposit(log.account, log.index, receipt.transaction_hash, receipt.block_number)


async def confirmed_claim(reader: RollupReader) -> ConfirmedClaim:
    """The last settled claim, from L1's own log of it. NotNow before there is one."""
    head = await reader.read(views.CONFIRMED_HEAD)
    if head.batch == 0:
        raise NotNow("no claim is confirmed yet; a claimant must be running, and its window pass")
    found = await reader.client.logs(
        address=reader.address,
        topics=[events.CLAIMED.topic, None, head.claim],
        first=await reader.read(views.DEPLOYED_AT),
        last=await reader.client.block_number(),
    )
    if not found:
        raise Retry(f"L1 shows no log of the confirmed claim 0x{head.claim.hex()}")
    claimed = events.CLAIMED.decode(found[-1].topics, found[-1].data)
    output = decode_output(claimed.output)
    if claim_id(claimed.parent, output) != head.claim:
        raise Retry(f"L1's log of claim 0x{head.claim.hex()} is of another one")
    return ConfirmedClaim(head.batch, claimed.parent, claimed.output, output.withdrawals_root)


async def pay_withdrawal(
    reader: RollupReader, sender: TransactionSender, venue: VenueClient, index: int
) -> Payment:
    """Have L1 pay withdrawal `index`, proved against the last confirmed claim.

    The proof comes from a node that need not be trusted: it is checked against L1's claim.
    """
    status = await venue.withdrawal(index)
    if await reader.read(views.IS_PAID, index):
        raise NotNow(f"withdrawal {index} is paid already; nothing is left to do")
    claim = await confirmed_claim(reader)
    if status.batch is None or status.batch > claim.batch:
        raise NotNow(
            f"withdrawal {index} is {status.status} and batch {claim.batch} is the last one "
            f"confirmed; it waits for {status.waits_for}"
        )
    proof = await venue.withdrawal_proof(index, claim.batch)
    check_proof(proof, status, claim)
    data = calls.withdraw(
        parent_claim=claim.parent,
        output=claim.output,
        index=index,
        account=status.account,
        recipient=bytes(status.recipient),
        amount=int(status.micro),
        branch=[bytes(sibling) for sibling in proof.siblings],
    )
    receipt = await sender.send(reader.address, data)
    paid = log_of(receipt, reader.address, WithdrawalPaidLog)
    return Payment(
        index=paid.index,
        recipient=paid.recipient,
        amount=paid.amount,
        batch=claim.batch,
        transaction=receipt.transaction_hash,
        block=receipt.block_number,
    )


def check_proof(proof: WithdrawalProof, status: WithdrawalStatus, claim: ConfirmedClaim) -> None:
    """Raise Halt unless the branch leads from this very withdrawal to the claimed root."""
    leaf = encode_withdrawal(
        Withdrawal(status.index, status.account, bytes(status.recipient), int(status.micro))
    )
    branch = [bytes(sibling) for sibling in proof.siblings]
    is_whole = len(branch) == WITHDRAWALS_DEPTH
    found = calc_root(WITHDRAWALS_DEPTH, status.index, leaf, branch) if is_whole else b""
    if found != claim.withdrawals_root:
        raise Halt(
            f"the node proves withdrawal {status.index} to root 0x{found.hex()}, the confirmed "
            f"claim on batch {claim.batch} says 0x{claim.withdrawals_root.hex()}: ask another node"
        )


def log_of(receipt: L1Receipt, address: bytes, kind: type[Log]) -> Log:
    """The one log of this kind that the rollup made in a transaction."""
    for log in receipt.logs:
        if log.address == address:
            decoded = decode_log(log.topics, log.data)
            if isinstance(decoded, kind):
                return decoded
    raise Retry(f"L1's receipt of 0x{receipt.transaction_hash.hex()} lacks its {kind.__name__}")
