"""What must hold once a lie has been found out: claims, money, bonds."""

from collections import Counter

from msgspec import Struct

from contracts import calls, dispute_events, views
from contracts.dispute_events import CreditedLog, Why, WithdrawnLog
from contracts.views import ClaimStatus
from node.devnet.outcome import StoryFailed, expect
from node.devnet.people import CHALLENGER, LIAR, person
from node.disputes.reading import DisputeReader
from node.evil.onlooker import Onlooker
from node.evil.outcome import Bonds
from node.evil.telling import name_of
from node.l1.client import L1Client
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.rollup_events import Claimed
from state.batch import decode_output, encode_output


class Costs(Struct, frozen=True, kw_only=True):
    """Gas of each person, and the wei that they paid for it."""

    gas: Counter[str]
    wei: Counter[str]


async def check_claims(onlooker: Onlooker, last: int) -> tuple[Claimed, Claimed, list[bytes]]:
    """Up to batch `last` every right claim is confirmed and every wrong one rejected: the first
    wrong claim, the right one beside it, and all that were rejected.
    """
    rejected: list[bytes] = []
    for claimed in onlooker.claims:
        record = await onlooker.reader.read(views.CLAIM_RECORD, claimed.claim)
        if claimed.batch > last:
            continue
        is_right = onlooker.is_right(claimed)
        expected = ClaimStatus.CONFIRMED if is_right else ClaimStatus.REJECTED
        what = f"the {'right' if is_right else 'wrong'} claim on batch {claimed.batch}"
        expect(what, record.status.name, expected.name)
        rejected += [] if is_right else [claimed.claim]
    wrong = next((one for one in onlooker.claims if not onlooker.is_right(one)), None)
    if wrong is None:
        raise StoryFailed("nobody claimed anything wrong: the lie did not bite")
    right = [one for one in onlooker.claims if one.batch == wrong.batch and onlooker.is_right(one)]
    expect("right claims on that batch", len(right), 1)
    return wrong, right[0], rejected


async def check_fake(onlooker: Onlooker, wrong: Claimed, sender: TransactionSender) -> str:
    """L1 pays nothing against the wrong claim, though the branch leads to its root; its reason."""
    found = onlooker.stolen()
    if found is None:
        raise StoryFailed("there is no withdrawal in what was claimed")
    withdrawal, branch = found
    lying = onlooker.lying.batches[wrong.batch - 1]
    expect("the claim of the liar", lying.claim.hex(), wrong.claim.hex())
    data = calls.withdraw(
        parent_claim=lying.parent_claim,
        output=encode_output(lying.output),
        index=withdrawal.index,
        account=withdrawal.account,
        recipient=withdrawal.recipient,
        amount=withdrawal.amount,
        branch=branch,
    )
    try:
        await sender.send(onlooker.reader.address, data)
    except TransactionReverted as refusal:
        expect("what L1 says to the liar", refusal.reason, "escrow: claim is not confirmed")
        return refusal.reason
    raise StoryFailed("L1 paid a withdrawal against the wrong claim")


async def check_bonds(
    onlooker: Onlooker, disputes: DisputeReader, before: int, first_block: int
) -> tuple[Bonds, Costs]:
    """The liar's bonds are with those who moved and with the insurance fund, to the last wei; the
    honest side has its own back and paid for its gas, no wei more. `before` is what the
    challenger had at the end of `first_block`.
    """
    wrong = [claim for claim in onlooker.claims if not onlooker.is_right(claim)]
    claim_bond = onlooker.true.terms.parameters.claim_bond
    lost = len(wrong) * claim_bond + disputes.terms.entry_bond
    # All of it as of one block: whoever acts for all may still be acting.
    last = await disputes.client.block_number()
    logs = await _dispute_logs(disputes, first_block + 1, last)
    credited = [log for log in logs if isinstance(log, CreditedLog)]
    expect("who is credited something and lied", _sum(credited, LIAR), 0)
    insured = sum(log.amount for log in credited if log.why == Why.INSURANCE)
    back = sum(log.amount for log in credited if log.why == Why.BOND)
    movers = sum(log.amount for log in credited) - insured - back
    expect("the liar's bonds, in what others have of them", movers + insured, lost)
    expect("the bond of the entry that won", back, disputes.terms.entry_bond)
    withdrawn = [log for log in logs if isinstance(log, WithdrawnLog)]
    held = movers + insured + back - sum(log.amount for log in withdrawn)
    balance = await disputes.client.balance(disputes.address, last)
    expect("what the contract of disputes holds", balance, held)
    me = person(CHALLENGER).address
    expect("bonds of the challenger that are out", await _bonds_out(onlooker.reader), 0)
    net = await disputes.client.balance(me, last) - before
    costs = await costs_between(disputes.client, first_block + 1, last)
    paid_out = sum(log.amount for log in withdrawn if log.account == me)
    gained = paid_out - disputes.terms.entry_bond - costs.wei[CHALLENGER]
    expect("what the challenger is richer by", net, gained)
    bonds = Bonds(
        liar_lost=lost,
        to_movers=movers,
        to_insurance=insured,
        honest_back=back + claim_bond,
        honest_net=net,
    )
    return bonds, costs


def _sum(credited: list[CreditedLog], name: str) -> int:
    return sum(log.amount for log in credited if log.account == person(name).address)


async def _bonds_out(reader: RollupReader) -> int:
    bonds: int = await reader.read(views.CLAIM_BONDS, person(CHALLENGER).address)
    return bonds


async def _dispute_logs(
    disputes: DisputeReader, first: int, last: int
) -> list[dispute_events.DisputeLog]:
    found = await disputes.client.logs(address=disputes.address, topics=[], first=first, last=last)
    decoded = [dispute_events.decode_log(log.topics, log.data) for log in found]
    return [log for log in decoded if log is not None]


async def costs_between(client: L1Client, first: int, last: int) -> Costs:
    """Of every transaction in blocks `first` to `last`, by who sent it: the refused ones, which
    leave no log, are paid for too.
    """
    gas: Counter[str] = Counter()
    wei: Counter[str] = Counter()
    for number in range(first, last + 1):
        block = await client.request("eth_getBlockByNumber", hex(number), False)
        for transaction in block["transactions"]:
            receipt = await client.receipt(bytes.fromhex(transaction[2:]))
            if receipt is None:
                raise StoryFailed(f"L1 has no receipt of {transaction}")
            name = name_of(receipt.sender)
            gas[name] += receipt.gas_used
            wei[name] += receipt.wei
    return Costs(gas=gas, wei=wei)


def root_of(claimed: Claimed) -> str:
    """The state root that a claim asserts, as 0x-hex."""
    return "0x" + decode_output(claimed.output).state_root.hex()
