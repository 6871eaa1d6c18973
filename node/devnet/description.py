"""A running devnet in machine-readable form, for scripts and tests that want to use it."""

from typing import Any

from node.config import DevnetConfig
from node.devnet.people import role_of
from node.devnet.supervisor import Supervisor
from node.devnet.venue import RunningVenue
from node.l1.accounts import MNEMONIC, dev_accounts

VERSION = 1


def description(
    config: DevnetConfig, venue: RunningVenue, supervisor: Supervisor
) -> dict[str, Any]:
    """URLs, addresses, processes and people. The keys in it are public: everybody has them."""
    deployment = venue.deployment
    return {
        "version": VERSION,
        "l1": venue.l1,
        "rpc": venue.sequencer,
        "follower": venue.follower,
        "chainId": deployment.chain_id,
        "rollup": venue.rollup,
        "token": "0x" + deployment.token.hex(),
        "deployedAt": deployment.block,
        "claimWindowSeconds": config.claim_window,
        "mode": config.mode,
        "directory": str(venue.directory),
        "processes": {
            child.name: {"pid": child.process.pid, "log": str(child.log)}
            for child in supervisor.children
        },
        "keysArePublicTestKeys": True,
        "mnemonic": MNEMONIC,
        "accounts": {
            account.name: {
                "role": role_of(account.name),
                "address": "0x" + account.address.hex(),
                "privateKey": "0x" + account.private_key.hex(),
            }
            for account in dev_accounts()
        },
    }
