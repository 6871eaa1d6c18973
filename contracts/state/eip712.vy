# pragma version 0.4.3
"""
@title EIP-712 digests of signed transactions: one fixed schema a kind
@notice As state/eip712.py. Source: https://eips.ethereum.org/EIPS/eip-712.
"""

from . import orders


ORDER_TYPE_HASH: constant(bytes32) = keccak256(
    "Order(uint32 account,uint32 keyEpoch,uint64 sequence,uint16 market,string side,string orderType,string life,bool reduceOnly,string selfTrade,uint32 ticks,uint64 lots,uint64 expiry)"
)
CANCEL_TYPE_HASH: constant(bytes32) = keccak256(
    "Cancel(uint32 account,uint32 keyEpoch,uint64 sequence,uint32 orderKeyEpoch,uint64 orderSequence,uint64 expiry)"
)
WITHDRAW_TYPE_HASH: constant(bytes32) = keccak256(
    "Withdraw(uint32 account,uint64 sequence,address recipient,uint64 amount,uint64 expiry)"
)
TRANSFER_TYPE_HASH: constant(bytes32) = keccak256(
    "Transfer(uint32 account,uint64 sequence,uint32 toAccount,uint128 amount,uint64 expiry)"
)
PRICE_TYPE_HASH: constant(bytes32) = keccak256("Price(uint16 market,uint64 price,uint64 time)")
CANCEL_ALL_TYPE_HASH: constant(bytes32) = keccak256(
    "CancelAll(uint32 account,uint32 keyEpoch,uint64 sequence,bool everyMarket,uint16 market,uint64 expiry)"
)
AMEND_TYPE_HASH: constant(bytes32) = keccak256(
    "Amend(uint32 account,uint32 keyEpoch,uint64 sequence,uint32 orderKeyEpoch,uint64 orderSequence,uint32 ticks,uint64 lots,uint64 expiry)"
)
ADD_KEY_TYPE_HASH: constant(bytes32) = keccak256(
    "AddKey(uint32 account,uint64 sequence,address key,uint64 keyExpiry,bool mayTrade,bool mayCancel,bool mayBlockTrade,uint64 expiry)"
)
REVOKE_KEY_TYPE_HASH: constant(bytes32) = keccak256(
    "RevokeKey(uint32 account,uint64 sequence,uint32 keyEpoch,uint64 expiry)"
)
LEG_TYPE_HASH: constant(bytes32) = keccak256(
    "Leg(uint16 market,string takerSide,uint32 ticks,uint64 lots)"
)
BLOCK_TRADE_TYPE_HASH: constant(bytes32) = keccak256(
    "BlockTrade(uint32 maker,uint32 makerKeyEpoch,uint64 makerSequence,uint32 taker,uint32 takerKeyEpoch,uint64 takerSequence,Leg[] legs,uint64 expiry)Leg(uint16 market,string takerSide,uint32 ticks,uint64 lots)"
)

# Words of a transaction after its type hash; an order has the most, 12, put together from
# what two rows could hold.
STRUCT_BYTES_MAX: constant(uint256) = 2_304


@internal
@pure
def _digest(separator: bytes32, type_hash: bytes32, words: Bytes[STRUCT_BYTES_MAX]) -> bytes32:
    """
    @notice keccak(0x1901 | separator | keccak(type hash | words)), each word of 32 bytes.
    """
    return keccak256(concat(b"\x19\x01", separator, keccak256(concat(type_hash, words))))


@internal
@pure
def _side_word(side: uint256) -> bytes32:
    """
    @notice The word of a side, as a string in EIP-712.
    """
    return keccak256("buy") if side == orders.BUY else keccak256("sell")


@internal
@pure
def _flag_words(flags: orders.Flags) -> Bytes[5 * 32]:
    """
    @notice side, orderType, life, reduceOnly and selfTrade.
    """
    life: bytes32 = keccak256("GTC")
    if flags.life == orders.IOC:
        life = keccak256("IOC")
    elif flags.life == orders.FOK:
        life = keccak256("FOK")
    elif flags.life == orders.POST_ONLY:
        life = keccak256("post-only")
    self_trade: bytes32 = keccak256("cancel-resting")
    if flags.self_trade == orders.CANCEL_TAKING:
        self_trade = keccak256("cancel-taking")
    elif flags.self_trade == orders.CANCEL_BOTH:
        self_trade = keccak256("cancel-both")
    return abi_encode(
        self._side_word(flags.side),
        keccak256("market") if flags.is_market else keccak256("limit"),
        life,
        flags.reduce_only,
        self_trade,
    )
