"""Frames of signed messages, written before the clock starts, and the answers to them."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from node.benchmark.flow import Flow, FlowMessage, Trader
from node.benchmark.load import LoadPlan, Shape
from node.rpc import wire
from node.rpc.messages import digest_of, message_of
from node.rpc.wire import Hex
from node.signatures import sign
from state.eip712 import Domain

Params = dict[str, object]


class Frame(Struct, frozen=True):
    """One WebSocket message; `identity` is that of its first request, of `orders` messages."""

    identity: int
    body: str
    orders: int


class Failed(Struct, frozen=True):
    """A JSON-RPC error as far as it is counted."""

    message: str
    data: dict[str, object] = {}

    @property
    def reason(self) -> str:
        return str(self.data.get("reason", self.message))


class Receipt(Struct, frozen=True):
    """A receipt as far as it is counted."""

    batch: int | None = None


class Item(Struct, frozen=True):
    """What became of one message."""

    result: Receipt | None = None
    error: Failed | None = None


class Reply(Struct, frozen=True):
    """The answer to a request, of one message or of a batch."""

    id: int
    result: Receipt | list[Item] | None = None
    error: Failed | None = None


_REPLY = msgspec.json.Decoder(Reply)
_REPLIES = msgspec.json.Decoder(list[Reply])


def lanes(flow: Flow, messages: int, sockets: int) -> list[list[tuple[Trader, FlowMessage]]]:
    """`messages` of the mix by socket, in order: all of a pair of accounts on one, so that none
    of the two runs ahead of the other.
    """
    found: list[list[tuple[Trader, FlowMessage]]] = [[] for _ in range(sockets)]
    for at, tx in flow.take(messages):
        found[at // 2 % sockets].append((flow.traders[at], tx))
    return found


def params_of(on: Domain, trader: Trader, tx: FlowMessage) -> Params:
    """The params of `venue_submit`, signed."""
    kind, message = message_of(tx)
    signature = sign(digest_of(on, tx), trader.private_key)
    return {"kind": kind, "message": message, "signature": Hex(signature)}


def frames(params: Sequence[Params], plan: LoadPlan) -> list[Frame]:
    """Messages in frames of the plan's size; identities count from 1 on each socket."""
    pieces = [params[at : at + plan.size] for at in range(0, len(params), plan.size)]
    firsts = range(1, len(params) + 1, plan.size)
    return [
        Frame(first, _body(piece, plan.shape, first), len(piece))
        for first, piece in zip(firsts, pieces, strict=True)
    ]


def _body(params: Sequence[Params], shape: Shape, identity: int) -> str:
    if shape == Shape.SUBMIT_BATCHES:
        return wire.encode(_request("venue_submitBatch", {"items": params}, identity)).decode()
    requests = [_request("venue_submit", one, identity + at) for at, one in enumerate(params)]
    return wire.encode(requests if shape == Shape.RPC_BATCHES else requests[0]).decode()


def _request(method: str, params: Params, identity: int) -> Params:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}


def read_reply(body: str) -> tuple[int, list[Item]]:
    """The identity of the frame that is answered, and what became of each of its messages."""
    if body.startswith("["):
        replies = _REPLIES.decode(body)
        return replies[0].id, list(_items(replies))
    reply = _REPLY.decode(body)
    return reply.id, list(_items([reply]))


def _items(replies: Iterable[Reply]) -> Iterable[Item]:
    for reply in replies:
        if isinstance(reply.result, list):
            yield from reply.result
        else:
            yield Item(reply.result, reply.error)
