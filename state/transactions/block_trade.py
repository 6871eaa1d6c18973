"""Block trade: two accounts exchange lots at prices they agreed on, every leg or none.

ADMIT is here. What follows, step by step, is in `state/block.py`.
"""

from itertools import pairwise

from msgspec import Struct

from state.accounts import with_sequence
from state.authentication import Verifier, may_block_trade, signer_status
from state.crypto import keccak
from state.eip712 import BLOCK_TRADE_TYPE_HASH, LEG_TYPE_HASH, SIDES, Domain, digest, word
from state.legs import NO_LEG, Leg, decode_legs, encode_legs
from state.limits import BLOCK_LEGS_MAX, BLOCK_STEPS_MAX, SIGNATURE_BYTES
from state.machine import BlockInProgress, OrderInProgress, Phase
from state.orders import BUY, SELL
from state.packing import Reader, u
from state.status import Status
from state.store import Changes


class BlockTrade(Struct, frozen=True, gc=False):
    """The first `count` of `legs` count; there are always `BLOCK_LEGS_MAX` places."""

    maker: int
    maker_epoch: int
    maker_sequence: int
    taker: int
    taker_epoch: int
    taker_sequence: int
    expiry: int
    count: int
    legs: tuple[Leg, ...]


def encode_block_trade(tx: BlockTrade) -> bytes:
    return b"".join(
        [
            u(tx.maker, 32) + u(tx.maker_epoch, 32) + u(tx.maker_sequence, 64),
            u(tx.taker, 32) + u(tx.taker_epoch, 32) + u(tx.taker_sequence, 64),
            u(tx.expiry, 40) + u(tx.count, 8) + encode_legs(tx.legs),
        ]
    )


def decode_block_trade(row: bytes) -> BlockTrade:
    r = Reader(row)
    parties = (r.u(32), r.u(32), r.u(64), r.u(32), r.u(32), r.u(64))
    return BlockTrade(*parties, r.u(40), r.u(8), decode_legs(r))


def block_trade_digest(domain: Domain, tx: BlockTrade) -> bytes:
    """What both parties sign; the legs that count, each hashed as a struct of its own."""
    legs = b"".join(
        keccak(
            LEG_TYPE_HASH
            + word(leg.market)
            + keccak(SIDES[leg.taker_side != BUY].encode())
            + word(leg.ticks)
            + word(leg.lots)
        )
        for leg in tx.legs[: tx.count]
    )
    return digest(
        domain,
        BLOCK_TRADE_TYPE_HASH,
        word(tx.maker) + word(tx.maker_epoch) + word(tx.maker_sequence),
        word(tx.taker) + word(tx.taker_epoch) + word(tx.taker_sequence),
        keccak(legs) + word(tx.expiry),
    )


def admit_block_trade(
    changes: Changes, tx: BlockTrade, signature: bytes, verifier: Verifier, steps_left: int
) -> Status:
    """Authenticate both, consume both sequence numbers, check, and fill the registers.

    `signature` is the maker's followed by the taker's, over one digest. Unless both are
    authenticated nothing is consumed.
    """
    if steps_left < BLOCK_STEPS_MAX + 1:
        return Status.OUT_OF_STEPS
    if not _is_well_formed(tx):
        return Status.MALFORMED
    status = _authenticate(changes, tx, signature, verifier) or _admissible(changes, tx)
    if status == Status.OK:
        changes.machine.order = OrderInProgress(
            phase=Phase.SAVE, account=tx.taker, epoch=tx.taker_epoch, sequence=tx.taker_sequence
        )
        changes.machine.block = BlockInProgress(
            *(tx.maker, tx.maker_epoch, tx.maker_sequence, 0, tx.count, tx.legs)
        )
    return status


def _is_well_formed(tx: BlockTrade) -> bool:
    """1 to 4 legs, by ascending market, each with a side; the places left over are empty."""
    if not 1 <= tx.count <= BLOCK_LEGS_MAX:
        return False
    legs, unused = tx.legs[: tx.count], tx.legs[tx.count :]
    ascending = all(one.market < next_.market for one, next_ in pairwise(legs))
    sides = all(leg.taker_side in (BUY, SELL) for leg in legs)
    return ascending and sides and all(leg == NO_LEG for leg in unused)


def _authenticate(changes: Changes, tx: BlockTrade, signature: bytes, verifier: Verifier) -> Status:
    digest = block_trade_digest(verifier.domain, tx)
    account = changes.account(tx.maker)
    status = signer_status(
        account,
        verifier,
        epoch=tx.maker_epoch,
        sequence=tx.maker_sequence,
        digest=digest,
        signature=signature[:SIGNATURE_BYTES],
    )
    if status:
        return status
    maker = with_sequence(account, tx.maker_epoch, tx.maker_sequence)
    # Of an account on both sides the second number must exceed the first.
    account = maker if tx.taker == tx.maker else changes.account(tx.taker)
    status = signer_status(
        account,
        verifier,
        epoch=tx.taker_epoch,
        sequence=tx.taker_sequence,
        digest=digest,
        signature=signature[SIGNATURE_BYTES:],
    )
    if status:
        return status
    changes.write_account(tx.maker, maker)
    changes.write_account(tx.taker, with_sequence(account, tx.taker_epoch, tx.taker_sequence))
    return Status.OK


def _admissible(changes: Changes, tx: BlockTrade) -> Status:
    """Why an authenticated block trade is refused before its first leg, or OK."""
    now = changes.machine.time
    parties = ((tx.maker, tx.maker_epoch), (tx.taker, tx.taker_epoch))
    if not all(may_block_trade(changes.account(number), epoch, now) for number, epoch in parties):
        return Status.NOT_PERMITTED
    if now > tx.expiry:
        return Status.EXPIRED
    return Status.SAME_ACCOUNT if tx.maker == tx.taker else Status.OK
