"""How we show it: derivation from L1 bytes, replay, witnesses."""
