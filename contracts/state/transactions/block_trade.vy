# pragma version 0.4.3
"""
@title Block trade: two accounts exchange lots at prices they agreed on, every leg or none
@notice As state/transactions/block_trade.py. ADMIT is here; what follows is in block.vy.
"""

from . import kinds
from .. import accounts
from .. import authentication
from .. import eip712
from .. import legs
from .. import limits
from .. import machine
from .. import orders
from .. import packing
from .. import status
from .. import store
from .. import witness


# account, epoch and sequence of the maker, of the taker, expiry, count, four legs
BLOCK_TRADE_LAYOUT: constant(bytes32) = (
    0x0404080404080501020103060201030602010306020103060000000000000000
)
BLOCK_TRADE_BYTES: constant(uint256) = 86


# The parties, in the order in which they sign.
MAKER: constant(uint256) = 0
TAKER: constant(uint256) = 1
PARTIES: constant(uint256) = 2


struct Party:
    account: uint256
    epoch: uint256
    sequence: uint256


struct BlockTrade:
    parties: Party[PARTIES]
    expiry: uint256
    count: uint256
    legs: legs.Leg[limits.BLOCK_LEGS_MAX]


struct Consent:
    status: uint256
    is_permitted: bool  # both keys, whatever they signed
    count: uint256  # of accounts written
    entries: Bytes[store.ACCOUNT_ENTRIES_BYTES_MAX]


@internal
@pure
def _decode_block_trade(given: Bytes[limits.GIVEN_BYTES_MAX]) -> BlockTrade:
    """
    @notice The block trade in a transaction of its kind.
    """
    return abi_decode(packing._unpack(given, kinds.ROW, BLOCK_TRADE_LAYOUT), BlockTrade)


@internal
@pure
def _block_trade_digest(separator: bytes32, trade: BlockTrade) -> bytes32:
    """
    @notice What both parties sign; the legs that count, each hashed as a struct of its own.
    """
    hashes: Bytes[limits.BLOCK_LEGS_MAX * 32] = b""
    for i: uint256 in range(trade.count, bound=limits.BLOCK_LEGS_MAX):
        leg: legs.Leg = trade.legs[i]
        side: bytes32 = eip712._side_word(leg.taker_side)
        leg_hash: bytes32 = keccak256(
            abi_encode(eip712.LEG_TYPE_HASH, leg.market, side, leg.ticks, leg.lots)
        )
        hashes = convert(concat(hashes, leg_hash), Bytes[limits.BLOCK_LEGS_MAX * 32])
    return eip712._digest(
        separator,
        eip712.BLOCK_TRADE_TYPE_HASH,
        abi_encode(trade.parties, keccak256(hashes), trade.expiry),
    )


@internal
@pure
def _admit_block_trade(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice Authenticate both, consume both sequence numbers, check, and fill the registers.
            Unless both are authenticated nothing is consumed.
    """
    after: machine.Machine = m
    trade: BlockTrade = self._decode_block_trade(given)
    places: witness.Places = witness._places(leaves)
    consent: Consent = empty(Consent)
    # The budget before this step is one more than what is left; one of it is HALT's.
    if m.steps_left < limits.BLOCK_STEPS_MAX:
        consent.status = status.OUT_OF_STEPS
    elif not self._is_well_formed(trade):
        consent.status = status.MALFORMED
    else:
        consent = self._authenticate(m.time, leaves, places, trade, given, separator)
    after.status = consent.status
    if consent.status == status.OK:
        after.status = self._admissible(consent, trade, m.time)
        if after.status == status.OK:
            after.order.phase = machine.SAVE
            after.order.account = trade.parties[TAKER].account
            after.order.epoch = trade.parties[TAKER].epoch
            after.order.sequence = trade.parties[TAKER].sequence
            after.block_trade.maker = trade.parties[MAKER].account
            after.block_trade.maker_epoch = trade.parties[MAKER].epoch
            after.block_trade.maker_sequence = trade.parties[MAKER].sequence
            after.block_trade.count = trade.count
            after.block_trade.legs = trade.legs
    return after, store._changes(
        store.NO_REWIND, consent.count, consent.entries, empty(store.Changed)
    )


@internal
@pure
def _is_well_formed(trade: BlockTrade) -> bool:
    """
    @notice 1 to 4 legs, by ascending market, each with a side; the places left over are empty.
    """
    if trade.count == 0 or trade.count > limits.BLOCK_LEGS_MAX:
        return False
    for i: uint256 in range(limits.BLOCK_LEGS_MAX):
        leg: legs.Leg = trade.legs[i]
        if i >= trade.count:
            if leg.market + leg.taker_side + leg.ticks + leg.lots > 0:
                return False
        else:
            if i > 0 and leg.market <= trade.legs[i - 1].market:
                return False
            if leg.taker_side != orders.BUY and leg.taker_side != orders.SELL:
                return False
    return True


@internal
@pure
def _authenticate(
    now: uint256,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    trade: BlockTrade,
    given: Bytes[limits.GIVEN_BYTES_MAX],
    separator: bytes32,
) -> Consent:
    """
    @notice OK, or why it is not both's, and what both are written as with their numbers
            consumed. The signature is the maker's followed by the taker's, over one digest.
    """
    digest: bytes32 = self._block_trade_digest(separator, trade)
    consent: Consent = empty(Consent)
    consent.is_permitted = True
    account: accounts.Account = empty(accounts.Account)
    at: uint256 = kinds.ROW + BLOCK_TRADE_BYTES
    for party: Party in trade.parties:
        # Of an account on both sides the second number must exceed the first.
        is_second: bool = consent.count == 1
        is_other: bool = is_second and party.account != trade.parties[MAKER].account
        if not is_second or is_other:
            account = store._account(leaves, places, party.account)
        consent.status = authentication._signer_status(
            account,
            digest,
            slice(given, at, authentication.SIGNATURE_BYTES),
            party.epoch,
            party.sequence,
        )
        if consent.status != status.OK:
            return Consent(status=consent.status, is_permitted=False, count=0, entries=b"")
        account = accounts._with_sequence(account, party.epoch, party.sequence)
        if not authentication._is_permitted(account, party.epoch, now, accounts.PERMIT_BLOCK):
            consent.is_permitted = False
        entry: Bytes[store.ENTRY_BYTES_MAX] = store._account_entry(
            places, party.account, account
        )
        if is_other:
            consent.entries = self._ascending(
                consent.entries, entry, trade.parties[MAKER].account < party.account
            )
            consent.count = PARTIES
        else:
            consent.entries = entry
            consent.count = 1
        at += authentication.SIGNATURE_BYTES
    return consent


@internal
@pure
def _ascending(
    first: Bytes[store.ACCOUNT_ENTRIES_BYTES_MAX],
    second: Bytes[store.ENTRY_BYTES_MAX],
    is_ascending: bool,
) -> Bytes[store.ACCOUNT_ENTRIES_BYTES_MAX]:
    """
    @notice Two entries in the order of the witness, which is that of the accounts' numbers.
    """
    one: Bytes[store.ENTRY_BYTES_MAX] = convert(first, Bytes[store.ENTRY_BYTES_MAX])
    if is_ascending:
        return concat(one, second)
    return concat(second, one)


@internal
@pure
def _admissible(consent: Consent, trade: BlockTrade, now: uint256) -> uint256:
    """
    @notice Why an authenticated block trade is refused before its first leg, or OK.
    """
    if not consent.is_permitted:
        return status.NOT_PERMITTED
    if now > trade.expiry:
        return status.EXPIRED
    if trade.parties[MAKER].account == trade.parties[TAKER].account:
        return status.SAME_ACCOUNT
    return status.OK
