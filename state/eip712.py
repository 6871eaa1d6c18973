"""EIP-712 digests of signed transactions, by hand: one fixed schema per kind.

Source: https://eips.ethereum.org/EIPS/eip-712. The texts of the types are part of the
protocol; a wallet shows their fields to the trader.
"""

from msgspec import Struct

from state.crypto import keccak
from state.orders import BUY, Flags, Life, SelfTrade

NAME = "Tallystick"
VERSION = "1"

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
ORDER_TYPE = (
    "Order(uint32 account,uint32 keyEpoch,uint64 sequence,uint16 market,string side,"
    "string orderType,string life,bool reduceOnly,string selfTrade,uint32 ticks,uint64 lots,"
    "uint64 expiry)"
)
CANCEL_TYPE = (
    "Cancel(uint32 account,uint32 keyEpoch,uint64 sequence,uint32 orderKeyEpoch,"
    "uint64 orderSequence,uint64 expiry)"
)
WITHDRAW_TYPE = (
    "Withdraw(uint32 account,uint64 sequence,address recipient,uint64 amount,uint64 expiry)"
)
TRANSFER_TYPE = (
    "Transfer(uint32 account,uint64 sequence,uint32 toAccount,uint128 amount,uint64 expiry)"
)
PRICE_TYPE = "Price(uint16 market,uint64 price,uint64 time)"
CANCEL_ALL_TYPE = (
    "CancelAll(uint32 account,uint32 keyEpoch,uint64 sequence,bool everyMarket,uint16 market,"
    "uint64 expiry)"
)
AMEND_TYPE = (
    "Amend(uint32 account,uint32 keyEpoch,uint64 sequence,uint32 orderKeyEpoch,"
    "uint64 orderSequence,uint32 ticks,uint64 lots,uint64 expiry)"
)
ADD_KEY_TYPE = (
    "AddKey(uint32 account,uint64 sequence,address key,uint64 keyExpiry,bool mayTrade,"
    "bool mayCancel,bool mayBlockTrade,uint64 expiry)"
)
REVOKE_KEY_TYPE = "RevokeKey(uint32 account,uint64 sequence,uint32 keyEpoch,uint64 expiry)"
LEG_TYPE = "Leg(uint16 market,string takerSide,uint32 ticks,uint64 lots)"
BLOCK_TRADE_TYPE = (
    "BlockTrade(uint32 maker,uint32 makerKeyEpoch,uint64 makerSequence,uint32 taker,"
    "uint32 takerKeyEpoch,uint64 takerSequence,Leg[] legs,uint64 expiry)" + LEG_TYPE
)

SIDES = ("buy", "sell")
ORDER_TYPES = ("limit", "market")
LIVES = {Life.GTC: "GTC", Life.IOC: "IOC", Life.FOK: "FOK", Life.POST_ONLY: "post-only"}
SELF_TRADES = {
    SelfTrade.CANCEL_RESTING: "cancel-resting",
    SelfTrade.CANCEL_TAKING: "cancel-taking",
    SelfTrade.CANCEL_BOTH: "cancel-both",
}


class Domain(Struct, frozen=True):
    """One deployment: L1's chain id and the rollup's address. Signatures hold for no other."""

    chain_id: int
    rollup: bytes
    separator: bytes

    @property
    def genesis_hash(self) -> bytes:
        """The hash of batch 0: keccak("tallystick genesis" | u256 chain id | address rollup)."""
        return keccak(b"tallystick genesis" + self.chain_id.to_bytes(32, "big") + self.rollup)


def domain(chain_id: int, rollup: bytes) -> Domain:
    """The domain of a deployment, its separator computed once."""
    assert len(rollup) == 20
    separator = keccak(
        keccak(DOMAIN_TYPE.encode())
        + keccak(NAME.encode())
        + keccak(VERSION.encode())
        + chain_id.to_bytes(32, "big")
        + bytes(12)
        + rollup
    )
    return Domain(chain_id, rollup, separator)


def digest(domain: Domain, type_hash: bytes, *words: bytes) -> bytes:
    """keccak(0x1901 | separator | keccak(type hash | words)), each word of 32 bytes."""
    return keccak(b"\x19\x01" + domain.separator + keccak(b"".join((type_hash, *words))))


def word(value: int) -> bytes:
    """An unsigned integer, or a bool, as a word."""
    return value.to_bytes(32, "big")


def address_word(address: bytes) -> bytes:
    """An address as a word."""
    return bytes(12) + address


def _flag_words(flags: Flags) -> bytes:
    return b"".join(
        [
            keccak(SIDES[flags.side != BUY].encode()),
            keccak(ORDER_TYPES[flags.is_market].encode()),
            keccak(LIVES[flags.life].encode()),
            word(flags.reduce_only),
            keccak(SELF_TRADES[flags.self_trade].encode()),
        ]
    )


_FLAG_WORDS: dict[Flags, bytes] = {}


def flag_words(flags: Flags) -> bytes:
    """side, orderType, life, reduceOnly and selfTrade: five words, of which few exist."""
    words = _FLAG_WORDS.get(flags)
    if words is None:
        words = _FLAG_WORDS[flags] = _flag_words(flags)
    return words


ORDER_TYPE_HASH = keccak(ORDER_TYPE.encode())
CANCEL_TYPE_HASH = keccak(CANCEL_TYPE.encode())
WITHDRAW_TYPE_HASH = keccak(WITHDRAW_TYPE.encode())
TRANSFER_TYPE_HASH = keccak(TRANSFER_TYPE.encode())
PRICE_TYPE_HASH = keccak(PRICE_TYPE.encode())
CANCEL_ALL_TYPE_HASH = keccak(CANCEL_ALL_TYPE.encode())
AMEND_TYPE_HASH = keccak(AMEND_TYPE.encode())
ADD_KEY_TYPE_HASH = keccak(ADD_KEY_TYPE.encode())
REVOKE_KEY_TYPE_HASH = keccak(REVOKE_KEY_TYPE.encode())
LEG_TYPE_HASH = keccak(LEG_TYPE.encode())
BLOCK_TRADE_TYPE_HASH = keccak(BLOCK_TRADE_TYPE.encode())
