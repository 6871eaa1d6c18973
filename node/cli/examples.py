"""What the help of each command ends with: lines to type, by the words that call the command.

A test parses every one of them.
"""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "devnet": ("devnet", "devnet --data ./venue --batch-seconds 2"),
    "demo": ("demo", "demo --json outcome.json"),
    "deploy": (
        "deploy --from governor --out deployment.json",
        "deploy --key-file governor.key --sequencer 0x1111111111111111111111111111111111111111 "
        "--markets markets.json --out deployment.json",
    ),
    "l1": ("l1 --data ./l1", "l1 --port 0 --block-time 0"),
    "sequence": (
        "sequence --deployment deployment.json --data ./sequencer --from sequencer",
        "sequence --deployment deployment.json --data ./sequencer --key-file sequencer.key",
    ),
    "follow": (
        "follow --deployment deployment.json --data ./follower",
        "follow --l1 http://127.0.0.1:8545 --deployment deployment.json --data ./f2 --port 9547",
    ),
    "claim": ("claim --deployment deployment.json --data ./claimant --from claimant",),
    "bots": ("bots --cursor ./bar",),
    "order place": (
        "order place --from alice BTC-USD-PERP buy 0.01 --price 60000",
        "order place --from alice --file orders.json",
    ),
    "order amend": ("order amend --from alice 3 --size 0.005",),
    "order cancel": ("order cancel --from alice 3", "order cancel --from alice --all"),
    "order cancel-all": ("order cancel-all --from alice --market BTC-USD-PERP",),
    "order show": ("order show --from alice 3", "order show --from alice --client-id hedge-1"),
    "block draft": ("block draft 256 512 BTC-USD-PERP:buy:0.5:60000 --out trade.json",),
    "block sign": ("block sign trade.json --from alice",),
    "block countersign": ("block countersign trade.json --from bob",),
    "block submit": ("block submit trade.json",),
    "key add": ("key add carol --from alice --days 7", "key add carol --from alice --cancel-only"),
    "key list": ("key list --from alice",),
    "key revoke": ("key revoke 1 --from alice", "key revoke 1 --from alice --through-l1"),
    "key accept": ("key accept alice --from bob",),
    "key rotate": ("key rotate bob --from alice",),
    "deposit": ("deposit 10000 --from alice", "deposit 500 --from alice --subaccount 1 --no-wait"),
    "withdraw": (
        "withdraw 250 --from alice",
        "withdraw --status 0",
        "withdraw --claim 0 --from alice",
    ),
    "transfer": ("transfer 100 1 --from alice",),
    "account": ("account alice", "account 256 --json"),
    "book": ("book BTC-USD-PERP", "book ETH-USD-PERP --depth 3"),
    "markets": ("markets",),
    "status": ("status", "status --rpc http://127.0.0.1:9546"),
    "watch": ("watch BTC-USD-PERP --from alice", "watch ETH-USD-PERP --account 512 --once"),
    "batch list": ("batch list --count 5",),
    "batch show": ("batch show 1",),
    "market show": ("market show BTC-USD-PERP", "market show BTC-USD-PERP --json"),
    "market list": ("market list btc.json --from governor",),
    "market schedule": ("market schedule BTC-USD-PERP band=50000 --from governor",),
    "market cancel": ("market cancel BTC-USD-PERP --from governor",),
    "market apply": ("market apply BTC-USD-PERP --from alice",),
    "journal check": ("journal check ./sequencer/journal",),
    "simulate": ("simulate --seeds 20", "simulate --from 7 --trace"),
    "bench": ("bench --quick", "bench --only rules --json bench.json"),
    "doctor": ("doctor", "doctor --data ./sequencer --json"),
    "config show": ("config show", "config show order place --rpc http://127.0.0.1:9546"),
    "config path": ("config path",),
    "config example": ("config example",),
    "completion": ("completion bash", "completion fish"),
}
