"""A witness in words: what it proves, leaf by leaf, and how large its parts are."""

from typing import Any

from node.proving.readable import plain
from node.proving.steps import order_name
from node.rpc.amounts import usd
from prover.walk import ShownStep
from prover.witness import Witness
from state.accounts import Account, decode_account
from state.machine import decode_machine
from state.markets import decode_board_row, decode_market
from state.orders import decode_order, key_ticks


def witness_facts(witness: Witness) -> dict[str, Any]:
    """All that stands before the step, as its witness proves it, for JSON; None is absent."""
    machine, withdrawals_root, saved = decode_machine(witness.machine)
    return {
        "stateRoot": plain(witness.state_root),
        "machine": plain(machine)
        | {"withdrawals_root": plain(withdrawals_root), "saved_roots": plain(saved)},
        "accounts": {str(p.key): _decoded(decode_account, p.leaf) for p in witness.accounts},
        "markets": {str(p.key): _market(p.leaf) for p in witness.markets},
        "rows": {
            str(key): _decoded(decode_board_row, leaf)
            for key, leaf in sorted(witness.rows.leaves.items())
        },
        "orders": {
            order_name(p.market, p.side, p.key): _decoded(decode_order, p.leaf)
            for p in witness.orders
        },
        "withdrawals": [p.key for p in witness.withdrawals],
        "sizes": witness.sizes() | {"total": len(witness.encode())},
    }


def call_facts(shown: ShownStep) -> dict[str, Any]:
    """The arguments of `step` on L1, as 0x-hex."""
    w = shown.witness
    return {
        "root": plain(shown.root_before),
        "machine": plain(w.machine),
        "roots": [plain(root) for root in (w.accounts_root, w.markets_root, w.board_root)],
        "leaves": plain(w.leaves),
        "proofs": plain(w.proofs),
        "input": plain(shown.taken.given.encode()),
        "facts": plain(shown.facts),
    }


def witness_lines(witness: Witness) -> list[tuple[str, str]]:
    """What a witness proves, a line a leaf."""
    lines = [(f"account {p.key}", _account_words(p.leaf)) for p in witness.accounts]
    lines += [(f"market {p.key}", _market_words(p.leaf)) for p in witness.markets]
    lines += [(f"row {key}", _row_words(leaf)) for key, leaf in sorted(witness.rows.leaves.items())]
    lines += [
        (order_name(p.market, p.side, p.key), _order_words(p.leaf, p.side, p.key))
        for p in witness.orders
    ]
    return lines + [(f"withdrawal {p.key}", "still to come") for p in witness.withdrawals]


def _decoded(decode: Any, leaf: bytes) -> Any:
    return plain(decode(leaf)) if leaf else None


def _market(leaf: bytes) -> Any:
    if not leaf:
        return None
    market, bids_root, asks_root = decode_market(leaf)
    symbol = market.symbol.rstrip(b"\0").decode("ascii", "replace")
    roots = {"bids_root": plain(bids_root), "asks_root": plain(asks_root)}
    return plain(market) | {"symbol": symbol} | roots


def _account_words(leaf: bytes) -> str:
    if not leaf:
        return "absent"
    account = decode_account(leaf)
    words = [f"owner 0x{account.owner.hex()}, cash {usd(account.cash)} USD"]
    words += [
        f"market {p.market}: {p.lots:+} lots, bids {p.bid_lots}, asks {p.ask_lots}"
        for p in account.positions
    ]
    return "\n".join(words + _names(account))


def _names(account: Account) -> list[str]:
    orders = ", ".join(f"{o.epoch}:{o.sequence}" for o in account.orders)
    keys = ", ".join(str(k.epoch) for k in account.keys)
    words = [f"orders {orders}"] if orders else []
    return words + ([f"session keys {keys}"] if keys else [])


def _market_words(leaf: bytes) -> str:
    if not leaf:
        return "absent"
    market, bids_root, asks_root = decode_market(leaf)
    symbol = market.symbol.rstrip(b"\0").decode("ascii", "replace")
    return (
        f"{symbol}, next order {market.next_order}, fees {market.taker_fee} and "
        f"{market.maker_fee} ppm\nbids 0x{bids_root.hex()}\nasks 0x{asks_root.hex()}"
    )


def _row_words(leaf: bytes) -> str:
    if not leaf:
        return "absent"
    row = decode_board_row(leaf)
    return (
        f"market {row.market}: mark {usd(row.mark)} USD a lot, slow mark {usd(row.slow_mark)}, "
        f"of time {row.time}, long {row.long.lots} lots, short {row.short.lots}"
    )


def _order_words(leaf: bytes, side: int, key: int) -> str:
    if not leaf:
        return "absent"
    order = decode_order(leaf)
    return (
        f"{order.epoch}:{order.sequence} of account {order.account}: {order.lots} lots "
        f"at {key_ticks(side, key)} ticks, until {order.expiry}"
    )
