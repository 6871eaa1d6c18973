"""JSON-RPC 2.0 over HTTP and WebSocket: what a trader, a bot or a wallet asks of a node."""
