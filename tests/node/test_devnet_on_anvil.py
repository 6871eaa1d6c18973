"""A venue on an L1 that we did not write: it lives, is traded on by wallets, and goes on there."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from builders import MICRO_DOLLAR
from npm_packages import library, output_of, program
from whole_venue import end, is_alive, run, start

from contracts.compiler import compile_contract
from node.artifacts import cache_directory

PORTS = ("--l1-port", "0", "--sequencer-port", "0", "--follower-port", "0")
SCRIPTS = Path(__file__).parents[1] / "npm"
STAND_SECONDS, STOP_SECONDS = 60, 30


def devnet(tmp_path: Path, *words: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A devnet that stands, and what it told of itself."""
    told = tmp_path / "devnet.json"
    told.unlink(missing_ok=True)
    more = ("--config-out", str(told), "--fast", *PORTS, *words)
    process = start(cache_directory(os.environ), "devnet", *more)
    give_up = time.monotonic() + STAND_SECONDS
    while not told.exists():
        assert process.poll() is None and time.monotonic() < give_up, process.communicate()
        time.sleep(0.1)
    return process, json.loads(told.read_text())


def stop(process: subprocess.Popen[str], told: dict[str, Any]) -> None:
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=STOP_SECONDS)
    assert (process.returncode, errors) == (0, "")
    assert not any(is_alive(one["pid"]) for one in told["processes"].values())


def ask(told: dict[str, Any], *words: str) -> Any:
    done = run(cache_directory(os.environ), *words, "--rpc", told["rpc"], "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def script(name: str, key: str, *words: str) -> Any:
    abis = {name: compile_contract(name).abi for name in ("test_usdc", "rollup")}
    variables = {"PRIVATE_KEY": key, "ABIS": json.dumps(abis), "MODULES": str(library("viem"))}
    return json.loads(output_of("node", SCRIPTS / name, *words, **variables))


@pytest.mark.timeout(240)
def test_a_wallet_pays_in_and_trades_and_all_of_it_is_there_again(tmp_path: Path) -> None:
    program("anvil")
    library("viem")
    place = ("--l1", "anvil", "--data", str(tmp_path / "venue"))
    process, told = devnet(tmp_path, *place)
    try:
        number = pay_in(told)
        order(told, number)
        stop(process, told)

        process, told = devnet(tmp_path, *place)
        (account,) = ask(told, "account", "dave")
        assert account["account"] == number and account["margin"]["cash"] == "500"
        assert len(account["orders"]) == 1
        stop(process, told)
    finally:
        end(process)


def pay_in(told: dict[str, Any]) -> int:
    """A deposit by viem alone; the account's number once the venue has it."""
    places = (told["l1"], told["token"], told["rollup"])
    dave = told["accounts"]["dave"]
    paid = script("deposit.mjs", dave["privateKey"], *places, str(500 * MICRO_DOLLAR), "0")
    assert paid["owner"].lower() == dave["address"]
    while not (found := ask(told, "account", "dave")):
        time.sleep(0.1)
    assert found[0]["account"] == paid["account"] and found[0]["margin"]["cash"] == "500"
    return int(paid["account"])


def order(told: dict[str, Any], number: int) -> None:
    """Typed data of the venue, signed by viem, is an order; with another number under it none."""
    dave = told["accounts"]["dave"]
    words = (told["rpc"], str(number), "BTC-USD-PERP", "0.001")
    found = script("order.mjs", dave["privateKey"], *words)
    assert found["recovered"].lower() == dave["address"]
    assert found["taken"]["result"]["status"] == "ok", found
    assert found["forged"]["error"]["data"]["reason"] == "bad_signature", found
