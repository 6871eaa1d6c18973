"""`account`, `book`, `markets` and `status`: what a node says of the venue."""

from collections.abc import Iterator
from typing import Any

import click

from node.cli.asking import accounts_meant, ask
from node.cli.failures import Failure
from node.cli.options import json_option, rpc_option
from node.cli.output import Cell, console, facts, good, money, print_json, table
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.results import AccountSummary, BookDepth, Level, MarketSummary
from node.rpc.rollup_results import RollupConfig, SyncStatus


@click.command()
@click.argument("who")
@rpc_option
@json_option
def account(who: str, rpc_url: str, as_json: bool) -> None:
    """Show the accounts of WHO: a devnet name, an address, or an account number."""
    found = ask(rpc_url, lambda venue: accounts_meant(venue, who))
    if as_json:
        print_json(wire.plain(found))
        return
    for one in found:
        for part in _account(one):
            console().print(part)


def _account(one: AccountSummary) -> Iterator[Any]:
    margin = one.margin
    yield facts(
        f"Account {one.account}",
        [
            ("owner", f"0x{one.owner.hex()}"),
            ("equity", f"{money(margin.equity)} USD"),
            ("cash", f"{money(margin.cash)} USD"),
            ("initial margin", f"{money(margin.initial_margin)} USD"),
            ("free collateral", f"{money(margin.free_collateral)} USD"),
            ("withdrawable", f"{money(one.withdrawable)} USDC"),
            ("healthy", good(margin.healthy, "yes", "no")),
            ("next sequence", str(one.next_sequence)),
        ],
    )
    held = [terms for terms in margin.positions if terms.lots]
    if held:
        yield table(
            "Positions",
            ("market", ">size", ">mark", ">value", ">initial margin"),
            [(p.symbol, p.size, p.mark.usd, money(p.value), money(p.initial_margin)) for p in held],
        )
    if one.orders:
        yield table(
            "Open orders",
            ("order", "market", "side", ">size", ">price", "life"),
            [
                (
                    f"{o.id.epoch}:{o.id.sequence}",
                    o.symbol,
                    good(o.side == "buy", o.side, o.side),
                    o.size,
                    o.price,
                    o.life,
                )
                for o in one.orders
            ],
        )


@click.command()
@click.argument("market")
@click.option("--depth", type=click.IntRange(1, 200), default=10, show_default=True)
@rpc_option
@json_option
def book(market: str, depth: int, rpc_url: str, as_json: bool) -> None:
    """Show the best prices of MARKET, asks above bids."""
    found = ask(rpc_url, lambda venue: venue.book(market, depth))
    if as_json:
        print_json(wire.plain(found))
        return
    console().print(_book(found))


def _book(found: BookDepth) -> Any:
    def row(level: Level, side: str) -> tuple[Cell, ...]:
        return (good(side == "buy", side, side), level.price, level.size, str(level.orders))

    rows = [row(level, "sell") for level in reversed(found.asks)]
    rows += [row(level, "buy") for level in found.bids]
    title = f"{found.symbol}" if rows else f"{found.symbol}: nothing in the book"
    return table(title, ("side", ">price", ">size", ">orders"), rows)


@click.command()
@rpc_option
@json_option
def markets(rpc_url: str, as_json: bool) -> None:
    """List the markets: price, fees, margin and units."""
    found = ask(rpc_url, lambda venue: venue.markets())
    if as_json:
        print_json(wire.plain(found))
        return
    columns = ("market", "mode", ">mark", ">open interest", ">lot", ">tick", ">leverage", ">fees")
    console().print(table("Markets", columns, [_market(market) for market in found]))


def _market(market: MarketSummary) -> tuple[str, ...]:
    stale = "" if market.price_age.fresh else " (stale)"
    return (
        market.symbol,
        market.mode,
        (market.mark.usd if int(market.mark.nano) else "none yet") + stale,
        f"{money(market.open_interest.notional)} USD",
        market.lot_size,
        market.tick_size,
        f"{1_000_000 / market.tiers[0].initial_ppm:.0f}x",
        f"{market.taker_fee_ppm / 100:g}/{market.maker_fee_ppm / 100:g} bp",
    )


@click.command()
@click.option("--check", is_flag=True, help="Exit code 1 where something ails it.")
@rpc_option
@json_option
def status(check: bool, rpc_url: str, as_json: bool) -> None:
    """Show how far a node has come, and what ails it."""

    async def both(venue: VenueClient) -> tuple[SyncStatus, RollupConfig]:
        return await venue.status(), await venue.config()

    found, terms = ask(rpc_url, both)
    if as_json:
        settled = {"mode": terms.mode, "proofSystem": terms.proof_system}
        print_json(wire.plain(found) | settled)
    else:
        _show_status(rpc_url, found, terms)
    if check and found.problems:
        raise Failure(f"the node is not well: {found.problems[0]}")


def _show_status(rpc_url: str, found: SyncStatus, terms: RollupConfig) -> None:
    problems = "\n".join(found.problems)
    rows: list[tuple[str, Cell]] = [
        ("role", found.role),
        ("executed", f"batch {found.unsafe}"),
        ("on L1", f"batch {found.safe}"),
        ("final on L1", f"batch {found.finalized}"),
        ("claim confirmed", f"batch {found.confirmed}"),
        ("mode", f"{terms.mode} ({terms.proof_system})" if terms.proof_system else terms.mode),
        ("L1 block", str(found.l1_block)),
        ("problems", good(not problems, "none", problems)),
    ]
    console().print(facts(f"Node at {rpc_url}", rows))
