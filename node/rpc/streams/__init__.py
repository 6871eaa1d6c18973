"""Streams: what subscribers are told over a WebSocket, a snapshot first and then what changed."""
