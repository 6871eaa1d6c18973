"""What each method takes. Fields are camelCase on the wire; unknown ones are refused."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from node.rpc.amounts import DecimalText
from node.rpc.message_types import Kind, LifeName, OrderType, SelfTradeName, Side
from node.rpc.wire import U16, U32, U40, U56, U64, Address, Signature
from state.limits import BLOCK_LEGS_MAX

MarketName = int | str
"""A market's number or its symbol."""

PreviewKind = Literal[
    "order",
    "cancel",
    "withdraw",
    "transfer",
    "cancelAll",
    "amend",
    "addKey",
    "revokeKey",
    "blockTrade",
]
"""Every kind that an account signs: all but a publisher's price."""

ChannelName = Literal["book", "bbo", "trades", "candles", "account", "orders", "batches", "fills"]
Interval = Literal["1m", "5m", "15m", "1h", "4h", "1d"]

BOOK_DEPTH_DEFAULT = 20
BOOK_DEPTH_MAX = 200
BATCHES_DEFAULT = 20
BATCHES_MAX = 100
SUBMIT_BATCH_MAX = 100
SWITCH_SECONDS_MAX = 86_400


class Params(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Base of all params: by name or, in the order of the fields, by place."""


class NoParams(Params, frozen=True):
    """The method takes none."""


# --- reading the venue ---


class MarketParams(Params, frozen=True):
    market: MarketName


class FeesParams(Params, frozen=True):
    """All markets, unless one is named."""

    market: MarketName | None = None


class FundingParams(Params, frozen=True):
    market: MarketName


class BookParams(Params, frozen=True):
    """`depth` levels a side: BOOK_DEPTH_DEFAULT of them unless given, BOOK_DEPTH_MAX at most."""

    market: MarketName
    depth: U16 | None = None


class AccountParams(Params, frozen=True):
    account: U32


class OwnerParams(Params, frozen=True):
    owner: Address


# --- trading ---


class TypedDataParams(Params, frozen=True):
    kind: Kind
    fields: dict[str, Any]


class OrderFields(Params, frozen=True):
    """`price` in USD per coin, `size` in coin; an order without a price is a market order."""

    account: U32
    market: MarketName
    side: Side
    size: DecimalText
    price: DecimalText | None = None
    type: OrderType | None = None
    life: LifeName | None = None
    reduce_only: bool = False
    self_trade: SelfTradeName = "cancel-resting"
    key_epoch: U32 | None = None
    sequence: U64 | None = None
    expiry: U40 | None = None


class OrderName(Params, frozen=True):
    """What an order is known by within its account: key epoch and sequence number."""

    epoch: U32
    sequence: U64


class CancelFields(Params, frozen=True):
    account: U32
    order: OrderName
    key_epoch: U32 | None = None
    sequence: U64 | None = None
    expiry: U40 | None = None


class WithdrawFields(Params, frozen=True):
    """`amount` in USDC; to the owner unless `recipient` is given."""

    account: U32
    amount: DecimalText
    recipient: Address | None = None
    sequence: U64 | None = None
    expiry: U40 | None = None


class TransferFields(Params, frozen=True):
    """`amount` in USD."""

    account: U32
    to_account: U32
    amount: DecimalText
    sequence: U64 | None = None
    expiry: U40 | None = None


class PriceFields(Params, frozen=True):
    """`price` in USD per coin, seen at `time`."""

    market: MarketName
    price: DecimalText
    time: U40


class CancelAllFields(Params, frozen=True):
    """The orders of one market, or without it of every one."""

    account: U32
    market: MarketName | None = None
    key_epoch: U32 | None = None
    sequence: U64 | None = None
    expiry: U40 | None = None


class AmendFields(Params, frozen=True):
    """What is not given stays as it is; `size` is what shall be open from now on."""

    account: U32
    order: OrderName
    price: DecimalText | None = None
    size: DecimalText | None = None
    key_epoch: U32 | None = None
    sequence: U64 | None = None
    expiry: U40 | None = None


class AddKeyFields(Params, frozen=True):
    """`key` is an address; it may trade and cancel, but not block trade, unless said otherwise."""

    account: U32
    key: Address
    key_expiry: U40 | None = None
    may_trade: bool = True
    may_cancel: bool = True
    may_block_trade: bool = False
    sequence: U64 | None = None
    expiry: U40 | None = None


class RevokeKeyFields(Params, frozen=True):
    account: U32
    key_epoch: U32
    sequence: U64 | None = None
    expiry: U40 | None = None


class LegFields(Params, frozen=True):
    """One market: the side is the taker's, `price` in USD per coin, `size` in coin."""

    market: MarketName
    taker_side: Side
    price: DecimalText
    size: DecimalText


class BlockTradeFields(Params, frozen=True):
    """The legs in any order, each market once."""

    maker: U32
    taker: U32
    legs: Annotated[list[LegFields], Meta(min_length=1, max_length=BLOCK_LEGS_MAX)]
    maker_key_epoch: U32 | None = None
    maker_sequence: U64 | None = None
    taker_key_epoch: U32 | None = None
    taker_sequence: U64 | None = None
    expiry: U40 | None = None


class SubmitParams(Params, frozen=True):
    """`message` is that of the typed data that was signed; a block trade has two signatures."""

    kind: Kind
    message: dict[str, Any]
    signature: Signature | None = None
    client_order_id: str | None = None
    maker_signature: Signature | None = None
    taker_signature: Signature | None = None


class PreviewParams(Params, frozen=True):
    """`fields` as for venue_typedData, or the `message` of typed data."""

    kind: PreviewKind
    fields: dict[str, Any] | None = None
    message: dict[str, Any] | None = None


class SubmitBatchParams(Params, frozen=True):
    """1 to SUBMIT_BATCH_MAX items, each as the params of venue_submit."""

    items: list[dict[str, Any]]
    stop_on_error: bool = False


class OrderStandingParams(Params, frozen=True):
    """By the name of an order, or by the id that its client gave it."""

    account: U32
    order: OrderName | None = None
    client_order_id: str | None = None


class CancelParams(Params, frozen=True):
    message: dict[str, Any]
    signature: Signature


class CancelOnDisconnectParams(Params, frozen=True):
    """The message and signature of a cancelAll; not `armed` ends it."""

    message: dict[str, Any]
    signature: Signature
    armed: bool = True


class DeadManSwitchParams(Params, frozen=True):
    """The message and signature of a cancelAll; zero `seconds` end it."""

    message: dict[str, Any]
    signature: Signature
    seconds: U32


class SubmitPriceParams(Params, frozen=True):
    """`price` in nano-USD per lot, as it is signed, or `usd` in USD per coin."""

    market: MarketName
    time: U40
    signature: Signature
    price: U56 | None = None
    usd: DecimalText | None = None


# --- subscriptions ---


class SubscribeParams(Params, frozen=True):
    """Each channel takes what it is about: a market, a market and an interval, an account."""

    channel: ChannelName
    market: MarketName | None = None
    account: U32 | None = None
    interval: Interval | None = None


class UnsubscribeParams(Params, frozen=True):
    subscription: str


# --- the rollup ---


class BatchParams(Params, frozen=True):
    number: U64


class BatchesParams(Params, frozen=True):
    """`count` batches from number `from` on; without it, the last ones."""

    first: U64 | None = field(default=None, name="from")
    count: U16 | None = None


class AccountProofParams(Params, frozen=True):
    account: U32


class BestOrderParams(Params, frozen=True):
    market: MarketName
    side: Side


class WithdrawalParams(Params, frozen=True):
    index: U32


class WithdrawalProofParams(Params, frozen=True):
    """Against the withdrawals root of `batch`; without it, of the last confirmed batch
    that has the withdrawal, or of the state as it stands."""

    index: U32
    batch: U64 | None = None
