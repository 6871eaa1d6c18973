"""What is most likely wrong where a signature recovers to somebody else.

A signature over another message is somebody's all the same, and nobody's whom one knows. So
the usual mistakes are tried, one field at a time: if the signature is the right one's over
the message with that field changed, this is the field. Few are tried, because anybody may send
bad signatures.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from node.rpc.case import Case
from node.rpc.messages import Signed, digest_of, flags_of
from state.accounts import OWNER_KEY
from state.authentication import key_address
from state.crypto import ZERO_ADDRESS
from state.eip712 import LIVES, SELF_TRADES, SIDES, Domain, domain
from state.orders import encode_flags
from state.transactions import BlockTrade, NewOrder

TRIES_MAX = 16
ACCOUNTS_MAX = 4_096
"""Of how many accounts the owner is looked at: a bad signature must cost its sender more."""

CHAINS = (1, 31_337, 1_337)
"""What wallets and scripts sign for where nobody told them the chain."""


class Suspicion(Struct, frozen=True):
    """The field, and the value that was signed, or would be right."""

    field: str
    signed: Any
    why: str


def suspicion(case: Case) -> Suspicion | None:
    """Of a signature that is not the one's who is expected; None where nothing fits."""
    recovered = case.recovered
    if recovered == ZERO_ADDRESS:
        return None
    return _known_signer(case, recovered) or _changed_field(case)


def _known_signer(case: Case, recovered: bytes) -> Suspicion | None:
    """The message is right, and its signer has another role here."""
    account, epoch = case.account, case.signer.epoch
    epochs = [OWNER_KEY] if recovered == account.owner else []
    epochs += [key.epoch for key in account.keys if key.address == recovered]
    if epochs and hasattr(case.tx, "epoch"):
        why = f"it is the signature of the account's key of epoch {epochs[-1]}, not {epoch}"
        return Suspicion("keyEpoch", epochs[-1], why)
    if epochs:
        return Suspicion("signature", epochs[-1], "a session key signed what only the owner may")
    looked_at = islice(case.view.state.accounts.items(), ACCOUNTS_MAX)
    owned = next((number for number, one in looked_at if one.owner == recovered), None)
    if owned is None:
        return None
    name = f"{case.signer.party or 'account'}"
    return Suspicion(name, owned, f"it is the signature of the owner of account {owned}")


def _changed_field(case: Case) -> Suspicion | None:
    """The signer is right, and signed something else."""
    signer = case.signer
    expected = key_address(case.account, signer.epoch)
    for field, signed, on, tx in islice(_mistakes(case), TRIES_MAX):
        if case.recover(digest_of(on, tx), signer.signature) == expected:
            return Suspicion(field, signed, f"it is the right key's signature with this {field}")
    return None


def _mistakes(case: Case) -> Iterator[tuple[str, Any, Domain, Signed]]:
    """Field, value, and what would then have been signed; the likeliest first."""
    tx, here = case.tx, case.view.domain
    for chain in CHAINS:
        if chain != here.chain_id:
            yield "chainId", chain, domain(chain, here.rollup), tx
    nobody = domain(here.chain_id, ZERO_ADDRESS)
    yield "verifyingContract", "0x" + ZERO_ADDRESS.hex(), nobody, tx
    if isinstance(tx, BlockTrade):
        return
    for sequence in (case.signer.sequence - 1, case.signer.sequence + 1):
        if 0 <= sequence < 2**64:
            yield "sequence", str(sequence), here, replace(tx, sequence=sequence)
    if isinstance(tx, NewOrder):
        for field, word, changed in _other_orders(tx):
            yield field, word, here, changed


def _other_orders(tx: NewOrder) -> Iterator[tuple[str, Any, NewOrder]]:
    flags = flags_of(tx)
    other = 1 - flags.side
    yield "side", SIDES[other], replace(tx, flags=encode_flags(replace(flags, side=other)))
    yield (
        *("reduceOnly", not flags.reduce_only),
        replace(tx, flags=encode_flags(replace(flags, reduce_only=not flags.reduce_only))),
    )
    for life, name in LIVES.items():
        if life != flags.life:
            yield "life", name, replace(tx, flags=encode_flags(replace(flags, life=life)))
    for given, name in SELF_TRADES.items():
        if given != flags.self_trade:
            changed = encode_flags(replace(flags, self_trade=given))
            yield "selfTrade", name, replace(tx, flags=changed)
