"""A whole venue on one machine: processes, people, prices and liquidity."""
