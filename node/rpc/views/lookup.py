"""Finding what a request names, or saying what there is instead."""

from node.rpc.amounts import Grid
from node.rpc.errors import NotFound, shown
from node.rpc.params import MarketName
from node.view import VenueView
from state.accounts import Account
from state.markets import BoardRow, Market


def grid_of(market: Market) -> Grid:
    return Grid(market.lot_exponent, market.tick)


def find_market(view: VenueView, name: MarketName) -> tuple[Market, BoardRow]:
    """The market of a symbol, or of a number also where it came as a string, and its row."""
    markets = view.state.markets
    number = name
    if isinstance(name, str):
        by_symbol = {market.name: market.market for market in markets.values()}
        digits = name.isascii() and name.isdigit() and len(name) <= 5
        number = by_symbol.get(name, int(name) if digits else -1)
    assert isinstance(number, int)
    market, row = markets.get(number), view.state.row(number)
    if market is None or row is None:
        raise NotFound(
            "unknown_market",
            f"there is no market {shown(name)}",
            "use a listed market's number or symbol",
            expected=[f"{number} {market.name}" for number, market in sorted(markets.items())],
            got=shown(name),
        )
    return market, row


def market_name(view: VenueView, number: int) -> str:
    """The symbol of a market that something in the state refers to."""
    return view.state.markets[number].name


def find_account(view: VenueView, number: int) -> Account:
    account = view.state.account(number)
    if account.is_absent:
        raise NotFound(
            "unknown_account",
            f"there is no account {number} (owner {number >> 8}, subaccount {number & 255})",
            "deposit on L1 to open it, and wait until the deposit is in a batch; "
            "venue_accounts lists the accounts of an address",
            got=number,
        )
    return account
