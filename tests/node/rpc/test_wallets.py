"""Signatures of other libraries over every kind of message: eth-account, and viem where it is."""

import json
from pathlib import Path
from typing import Any, get_args

from builders import DOMAIN, NOW, Venue, key
from eth_account import Account as EthAccount
from npm_packages import library, output_of
from rpc_world import Sequencer, running

from node.rpc import wire
from node.rpc.message_types import MESSAGES, Kind
from node.rpc.messages import digest_of, transaction_of
from node.signatures import compact, recover

ALICE, BOB = 1 << 8, 2 << 8
SCRIPTS = Path(__file__).resolve().parents[2] / "npm"
LEG = {"market": 0, "takerSide": "buy", "price": "50000", "size": "0.001"}
ORDER = {"epoch": 0, "sequence": "1"}
FIELDS: dict[str, dict[str, Any]] = {
    "order": {"account": ALICE, "market": 0, "side": "buy", "price": "49000", "size": "0.001"},
    "cancel": {"account": ALICE, "order": ORDER},
    "withdraw": {"account": ALICE, "amount": "12.5"},
    "transfer": {"account": ALICE, "toAccount": ALICE + 1, "amount": "0.000000001"},
    "price": {"market": 0, "price": "50000.123", "time": NOW + 1},
    "cancelAll": {"account": ALICE},
    "amend": {"account": ALICE, "order": ORDER, "size": "0.00005"},
    "addKey": {"account": ALICE, "key": "0x" + "ab" * 20},
    "revokeKey": {"account": ALICE, "keyEpoch": 1},
    "blockTrade": {"maker": BOB, "taker": ALICE, "legs": [LEG]},
}


async def typed_data() -> dict[str, Any]:
    """What the node gives a wallet to sign, for every kind there is."""
    venue = Venue()
    for name in ("alice", "bob"):
        venue.open(name, 10_000)
    venue.buy("alice", 100, 490_000)
    assert set(FIELDS) == set(get_args(Kind)), "a kind of message that no wallet has signed"
    async with running(Sequencer(venue)) as rpc:
        return {
            kind: await rpc.result("venue_typedData", kind=kind, fields=fields)
            for kind, fields in FIELDS.items()
        }


def signer_of(kind: Any, found: Any, signature: bytes) -> bytes:
    """Whose signature the rules take it for."""
    tx = transaction_of(wire.convert(found["message"], MESSAGES[kind]))
    return recover(digest_of(DOMAIN, tx), compact(signature))


async def test_eth_account_signs_every_kind() -> None:
    alice = key("alice")
    for kind, found in (await typed_data()).items():
        signed = EthAccount.sign_typed_data(alice.private, full_message=found)
        assert signer_of(kind, found, bytes(signed.signature)) == alice.address, kind


async def test_viem_signs_every_kind_as_eth_account_does(tmp_path: Path) -> None:
    modules, alice, asked = library("viem"), key("alice"), await typed_data()
    (tmp_path / "asked.json").write_text(json.dumps(list(asked.values())))
    told = output_of(
        *("node", SCRIPTS / "typed_data.mjs", tmp_path / "asked.json"),
        MODULES=str(modules),
        PRIVATE_KEY="0x" + alice.private.hex(),
    )
    signatures = json.loads(told)
    assert len(signatures) == len(asked)
    for (kind, found), signature in zip(asked.items(), signatures, strict=True):
        raw = bytes.fromhex(signature[2:])
        assert signer_of(kind, found, raw) == alice.address, kind
        ours = EthAccount.sign_typed_data(alice.private, full_message=found)
        assert raw == bytes(ours.signature), kind
