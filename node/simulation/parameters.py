"""Whether markets are as L1's governor set them."""

from node.followed import Followed
from node.governance import Terms
from node.simulation.trace import Violation
from state.transactions.kinds import InboxKind
from state.transactions.list_market import MARKET_TERMS, ROW_TERMS, terms


def check_parameters(followed: Followed) -> None:
    """Violation where a market is not as the items of the last batch's inbox leave it."""
    if not followed.batches:
        return
    expected = Terms()
    for added in followed.items[: followed.batches[-1].cursor.inbox]:
        item = added.item
        if item.kind in (InboxKind.LIST_MARKET, InboxKind.SET_PARAMETERS):
            expected.run(InboxKind(item.kind), item.payload)
    state = followed.replayer.state
    for number, listing in expected.listings.items():
        market, row = state.market(number), state.row(number)
        wanted = terms(listing, MARKET_TERMS) | terms(listing, ROW_TERMS)
        found = {name: getattr(market, name) for name in MARKET_TERMS}
        found |= {name: getattr(row, name) for name in ROW_TERMS}
        if found != wanted:
            raise Violation("parameters as announced", f"market {number}: {found}, not {wanted}")
