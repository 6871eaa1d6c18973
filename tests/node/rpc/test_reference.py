"""docs/json-rpc.md keeps its word: every method and every reason is on the page, and no other."""

import ast
import re
from pathlib import Path

from node.l1.jsonrpc import DEPTH_MAX
from node.rpc.conversation import UNDER_WAY_MAX
from node.rpc.envelope import BATCH_MAX
from node.rpc.errors import REFUSED
from node.rpc.message_types import Kind
from node.rpc.methods import METHODS
from node.rpc.server import RpcConfig
from node.rpc.statuses import BLOCK_REFUSALS, REFUSALS, reason_of
from node.rpc.streams.results import CHANNELS
from node.rpc.subscriptions import NEEDED, TAKEN
from node.rpc.switches import SWITCHES_MAX
from node.rpc.typed_data import FIELDS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "json-rpc.md").read_text()
CODED = re.compile(r"`([a-z_]+)`")


def rows(heading: str) -> list[list[str]]:
    """The cells of every table row under a heading."""
    section = PAGE.split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_method_is_listed_with_its_params() -> None:
    listed = {row[0].strip("`"): row[1] for row in rows("2. Methods") if row[0].startswith("`")}
    assert set(listed) == set(METHODS)
    for name, params in listed.items():
        for field in METHODS[name].params.__struct_encode_fields__:
            assert re.search(rf"\b{field}\b", params), f"{name}: {field}"


def test_every_channel_is_listed_with_its_params() -> None:
    section = PAGE.split("### Streams")[1].split("\n### ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| ?([^|]*?) ?\| ", section, re.MULTILINE))
    assert listed == {
        channel: ", ".join(name + "?" * (name not in NEEDED[channel]) for name in TAKEN[channel])
        for channel in CHANNELS
    }


def test_every_field_of_a_draft_is_listed() -> None:
    for kind in FIELDS:
        line = re.search(rf"^    {kind} +(.*)$", PAGE, re.MULTILINE)
        assert line is not None, kind
        # `order {epoch, sequence}` is one field.
        fields = re.sub(r" \{[^}]*\}", "", line[1]).split(", ")
        assert sorted(field.rstrip("?") for field in fields) == sorted(_fields(kind))


def _fields(kind: Kind) -> list[str]:
    return list(FIELDS[kind].__struct_encode_fields__)


def test_every_refusal_is_listed_under_its_code() -> None:
    pairs = re.findall(r"\| (1\d{3}) \| `(\w+)` ", PAGE)
    assert {(int(code), reason) for code, reason in pairs} == {
        (REFUSED + status, reason_of(status)) for status in REFUSALS | BLOCK_REFUSALS
    }


def test_every_reason_in_the_code_is_on_the_page() -> None:
    """Reasons are string literals; whatever looks like one in an error's place is looked up."""
    listed = {reason for row in rows("4. Errors") for reason in CODED.findall(" ".join(row[1:]))}
    found = set()
    for path in (ROOT / "node" / "rpc").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                found |= _reasons(node)
    assert found - {"slow_reader"} <= listed
    # Those that are put together from parts, or come from a table.
    composed = {"off_tick", "off_lot", "off_unit", "host_not_allowed", "origin_not_allowed"}
    composed |= {"price_out_of_range", "size_out_of_range", "amount_out_of_range"}
    composed |= {"missing_field", "unknown_field", "unknown_value", "wrong_type"}
    composed |= {"bad_method", "bad_params", "bad_id", "wrong_version"}
    composed |= {reason_of(status) for status in REFUSALS | BLOCK_REFUSALS}
    assert listed == (found | composed) - {"slow_reader"}


RAISED = {"RpcError", "InvalidParams", "NotFound", "Malformed", "invalid_request"}


def _reasons(call: ast.Call) -> set[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name not in RAISED:
        return set()
    places: list[ast.expr] = []
    for argument in call.args[:2]:
        if isinstance(argument, ast.Starred) and isinstance(argument.value, ast.Tuple):
            places += argument.value.elts[:2]
        else:
            places.append(argument)
    words = [place.value for place in places if isinstance(place, ast.Constant)]
    return {
        word for word in words if isinstance(word, str) and re.fullmatch("[a-z]+(_[a-z]+)*", word)
    }


def test_every_limit_is_on_the_page_as_it_is() -> None:
    config = RpcConfig()
    told = [row[1] for row in rows("5. Limits")[1:]]
    numbers = [int(re.match(r"[\d,]+", value)[0].replace(",", "")) for value in told]  # type: ignore[index]
    assert numbers == [
        *(config.body_bytes_max, BATCH_MAX, DEPTH_MAX),
        *(config.connections.connections_max, config.websockets_max, UNDER_WAY_MAX),
        *(config.idle_seconds, config.body_seconds, config.send_seconds),
        *(config.connections.reply_seconds, SWITCHES_MAX),
    ]
    # A slow reader of a WebSocket waits twice, and is told the reason before it is cut off.
    assert 2 * config.send_seconds < config.connections.reply_seconds
