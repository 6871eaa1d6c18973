"""What happened at the venue, for its readers: trades, candles, orders, positions with profit."""
