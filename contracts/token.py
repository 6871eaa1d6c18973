"""The few calls of an ERC-20 that the venue needs; amounts are micro-USDC."""

from contracts.abi import Function, View

MINT = Function("mint", ("address", "uint256"))
APPROVE = Function("approve", ("address", "uint256"), ("bool",))
TRANSFER = Function("transfer", ("address", "uint256"), ("bool",))
TRANSFER_FROM = Function("transferFrom", ("address", "address", "uint256"), ("bool",))

FUNCTIONS = (MINT, APPROVE, TRANSFER, TRANSFER_FROM)

BALANCE_OF = View("balanceOf", ("address",), ("uint256",), int)
ALLOWANCE = View("allowance", ("address", "address"), ("uint256",), int)
DECIMALS = View("decimals", (), ("uint8",), int)
TOTAL_SUPPLY = View("totalSupply", (), ("uint256",), int)

VIEWS = (BALANCE_OF, ALLOWANCE, DECIMALS, TOTAL_SUPPLY)


def mint(*, to: bytes, amount: int) -> bytes:
    """Makes tokens; the test token only."""
    return MINT.encode(to, amount)


def approve(*, spender: bytes, amount: int) -> bytes:
    """Allows `spender`, such as the rollup, to move up to `amount` of the sender's."""
    return APPROVE.encode(spender, amount)


def transfer(*, to: bytes, amount: int) -> bytes:
    """Moves the sender's own tokens."""
    return TRANSFER.encode(to, amount)


def transfer_from(*, owner: bytes, to: bytes, amount: int) -> bytes:
    """Moves tokens that `owner` allowed the sender to move."""
    return TRANSFER_FROM.encode(owner, to, amount)
