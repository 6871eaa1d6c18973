# pragma version 0.4.3
"""
@title Leaf codecs: what a contract of rules makes of a leaf, and the leaf that it makes of that again
"""

from contracts.state import accounts
from contracts.state import machine
from contracts.state import markets
from contracts.state import orders
from contracts.state import packing


@external
@pure
def account(
    leaf: Bytes[packing.LEAF_BYTES_MAX],
) -> (accounts.Head, Bytes[packing.LEAF_BYTES_MAX]):
    decoded: accounts.Account = accounts._decode_account(leaf)
    return decoded.head, accounts._encode_account(decoded)


@external
@pure
def market(
    leaf: Bytes[packing.LEAF_BYTES_MAX],
) -> (markets.Market, Bytes[markets.MARKET_LEAF_BYTES_MAX]):
    decoded: markets.Market = markets._decode_market(leaf)
    if decoded.domain == 0:
        return decoded, b""
    return decoded, markets._encode_market(decoded, markets._publishers(leaf))


@external
@pure
def board_row(
    leaf: Bytes[packing.LEAF_BYTES_MAX],
) -> (markets.BoardRow, Bytes[markets.ROW_LEAF_BYTES_MAX]):
    decoded: markets.BoardRow = markets._decode_board_row(leaf)
    if decoded.domain == 0:
        return decoded, b""
    return decoded, markets._encode_board_row(decoded)


@external
@pure
def order(
    leaf: Bytes[packing.LEAF_BYTES_MAX],
) -> (orders.RestingOrder, Bytes[packing.PACKED_BYTES_MAX]):
    decoded: orders.RestingOrder = orders._decode_order(leaf)
    if decoded.domain == 0:
        return decoded, b""
    return decoded, orders._encode_order(decoded)


@external
@pure
def machine_of(
    data: Bytes[machine.MACHINE_BYTES],
) -> (machine.Machine, Bytes[machine.MACHINE_BYTES]):
    decoded: machine.Machine = machine._decode_machine(data)
    return decoded, machine._encode_machine(decoded)
