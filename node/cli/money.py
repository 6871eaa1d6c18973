"""`deposit` and `withdraw`: money through L1's door."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from contracts import views
from node.cli.asking import ask, ask_both, l1_sender, signing_for
from node.cli.failures import Failure, WronglyPut, told
from node.cli.options import (
    ADDRESS,
    json_option,
    l1_option,
    repeated,
    rpc_option,
    signer_options,
    subaccount_option,
)
from node.cli.output import console, facts, money, print_json, waiting
from node.cli.signer import Signer, signer
from node.clock import SystemClock
from node.rollup import RollupReader
from node.rpc import wire
from node.rpc.amounts import MICRO_PLACES, decimal, read_money, usdc
from node.rpc.client import VenueClient
from node.rpc.results import AccountSummary, SubmitReceipt
from node.rpc.rollup_results import WithdrawalStatus
from node.settlement import Deposit, Payment, pay_withdrawal
from node.settlement import deposit as deposit_on_l1
from state.limits import AMOUNT_MICRO_MAX

CREDIT_SECONDS = 60.0
POLL_SECONDS = 0.2


@click.command()
@click.argument("amount")
@subaccount_option
@click.option("--no-wait", is_flag=True, help="Do not wait until the venue has credited it.")
@signer_options
@rpc_option
@l1_option
@json_option
def deposit(
    amount: str,
    subaccount: int,
    no_wait: bool,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """Move AMOUNT dollars of USDC from L1 into an account; the first deposit opens it."""
    with told():
        key = signer(name, key_file)
        micro = read_money(decimal(amount), MICRO_PLACES, AMOUNT_MICRO_MAX)

    async def work(
        venue: VenueClient, reader: RollupReader
    ) -> tuple[Deposit, AccountSummary | None]:
        before = {one.account: one for one in await venue.accounts(key.address)}
        sender = await l1_sender(reader, key)
        done = await deposit_on_l1(reader, sender, micro, subaccount)
        if no_wait:
            return done, None
        return done, await _credited(venue, key.address, done.account, before.get(done.account))

    with waiting("waiting for L1, then for the venue to credit it"):
        done, credited = ask_both(rpc_url, l1_url, work)
    if as_json:
        print_json(_deposit_json(done, micro, credited))
        return
    console().print(f"L1 took {usdc(micro)} USDC in block {done.block}, inbox item {done.index}")
    if credited is not None:
        console().print(f"account {done.account} has {money(credited.margin.cash)} USD in cash")


def _deposit_json(done: Deposit, micro: int, credited: AccountSummary | None) -> dict[str, Any]:
    return {
        "account": done.account,
        "amount": usdc(micro),
        "inboxItem": done.index,
        "block": done.block,
        "transaction": "0x" + done.transaction.hex(),
        "credited": credited is not None,
        "cash": credited.margin.cash if credited else None,
    }


async def _credited(
    venue: VenueClient, owner: bytes, number: int, before: AccountSummary | None
) -> AccountSummary:
    """The account once its cash is another than before."""
    clock, cash = SystemClock(), before.margin.cash if before else None
    deadline = clock.monotonic() + CREDIT_SECONDS
    while clock.monotonic() < deadline:
        found = {one.account: one for one in await venue.accounts(owner)}.get(number)
        if found is not None and found.margin.cash != cash:
            return found
        await clock.sleep(POLL_SECONDS)
    raise Failure(
        f"L1 took the deposit and the venue has not credited it within {CREDIT_SECONDS:.0f} s; "
        "nothing is lost: the sequencer must take it within the rollup's inbox delay"
    )


@click.command()
@click.argument("amount", required=False)
@click.option("--to", "recipient", type=ADDRESS, help="The L1 address; else the signer's own.")
@click.option(
    "--status", "status_of", type=click.IntRange(0), metavar="INDEX", help="How far it is."
)
@click.option(
    "--claim", "claim_of", type=click.IntRange(0), metavar="INDEX", help="Have L1 pay it."
)
@subaccount_option
@signer_options
@rpc_option
@l1_option
@json_option
def withdraw(
    amount: str | None,
    recipient: bytes | None,
    status_of: int | None,
    claim_of: int | None,
    subaccount: int,
    name: str | None,
    key_file: Path | None,
    rpc_url: str,
    l1_url: str,
    as_json: bool,
) -> None:
    """Withdraw AMOUNT dollars to L1; later ask for its --status, and --claim the money."""
    if sum(given is not None for given in (amount, status_of, claim_of)) != 1:
        raise WronglyPut("say one thing: an AMOUNT to withdraw, --status INDEX or --claim INDEX")
    if status_of is not None:
        _show_status(ask_both(rpc_url, l1_url, _status_work(status_of)), as_json)
        return
    with told():
        key = signer(name, key_file)
    if claim_of is not None:
        _claim(claim_of, key, rpc_url, l1_url, as_json)
        return
    assert amount is not None
    _withdraw(amount, recipient or key.address, subaccount, key, rpc_url, as_json)


def _withdraw(
    amount: str, recipient: bytes, subaccount: int, key: Signer, rpc_url: str, as_json: bool
) -> None:
    async def work(venue: VenueClient) -> SubmitReceipt:
        number, _ = await signing_for(venue, key, subaccount)
        return await venue.sign_and_withdraw(
            key.private_key, account=number, amount=amount, recipient=recipient
        )

    receipt = ask(rpc_url, work)
    if as_json:
        print_json(wire.plain(receipt))
        return
    index = receipt.withdrawal
    console().print(f"withdrawal {index}: {amount} USDC for 0x{recipient.hex()}")
    same = repeated("rpc_url", "l1_url")
    console().print(f"see how far it is: tallystick withdraw --status {index}{same}")


def _status_work(index: int) -> Callable[[VenueClient, RollupReader], Awaitable[WithdrawalStatus]]:
    """What the node says, but L1 has the last word on whether it is paid."""

    async def work(venue: VenueClient, reader: RollupReader) -> WithdrawalStatus:
        found = await venue.withdrawal(index)
        if await reader.read(views.IS_PAID, index):
            return replace(found, status="paid", waits_for=None)
        return found

    return work


def _show_status(found: WithdrawalStatus, as_json: bool) -> None:
    if as_json:
        print_json(wire.plain(found))
        return
    rows = [
        ("amount", f"{found.amount} USDC"),
        ("recipient", f"0x{found.recipient.hex()}"),
        ("status", found.status),
        ("waits for", found.waits_for or "nothing: it is done"),
        ("batch", "-" if found.batch is None else str(found.batch)),
    ]
    console().print(facts(f"Withdrawal {found.index}", rows))


def _claim(index: int, key: Signer, rpc_url: str, l1_url: str, as_json: bool) -> None:
    async def work(venue: VenueClient, reader: RollupReader) -> Payment:
        return await pay_withdrawal(reader, await l1_sender(reader, key), venue, index)

    with waiting("waiting for L1 to pay"):
        paid = ask_both(rpc_url, l1_url, work)
    if as_json:
        print_json(
            {
                "index": paid.index,
                "recipient": "0x" + paid.recipient.hex(),
                "amount": usdc(paid.amount),
                "batch": paid.batch,
                "block": paid.block,
                "transaction": "0x" + paid.transaction.hex(),
            }
        )
        return
    console().print(
        f"L1 paid {usdc(paid.amount)} USDC to 0x{paid.recipient.hex()} in block {paid.block}, "
        f"proved against the claim on batch {paid.batch}"
    )
