"""L1 as the node meets it: a thin JSON-RPC client, and a devnet to run it against."""
