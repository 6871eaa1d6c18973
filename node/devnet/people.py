"""Who is who on a devnet: names for the public test accounts, and the roles among them.

Four are traders to play with; the rest run the venue. One L1 account is used by one
process only, so that nobody waits for another's nonce.
"""

from dataclasses import dataclass

from node.l1.accounts import DevAccount, dev_accounts

CHAIN_ID = 31_337
"""The chain of devnets, and the only one that the public keys sign for."""

TRADERS = ("alice", "bob", "carol", "dave")
MAKER, PUBLISHER, GOVERNOR, SEQUENCER, CLAIMANT = "erin", "frank", "grace", "heidi", "ivan"
CHALLENGER, LIAR = "dave", "judy"
"""Of an evil devnet alone: who stands up for what is true, and who claims what is not."""

ROLES = {
    "maker": MAKER,
    "publisher": PUBLISHER,
    "governor": GOVERNOR,
    "sequencer": SEQUENCER,
    "claimant": CLAIMANT,
}
"""The governor also deploys."""


@dataclass(eq=False)
class UnknownPerson(Exception):
    """A name that no devnet account has."""

    name: str

    def __str__(self) -> str:
        names = ", ".join(account.name for account in dev_accounts())
        roles = ", ".join(ROLES)
        return f"nobody is called {self.name!r}; expected one of {names}, or a role: {roles}"


def person(name: str) -> DevAccount:
    """The account of a person or a role. UnknownPerson where there is none."""
    wanted = ROLES.get(name, name)
    for account in dev_accounts():
        if account.name == wanted:
            return account
    raise UnknownPerson(name)


def role_of(name: str) -> str:
    """What a person does here: their role, "trader", or nothing."""
    for role, holder in ROLES.items():
        if holder == name:
            return role
    return "trader" if name in TRADERS else ""
