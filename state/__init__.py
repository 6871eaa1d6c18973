"""What is true: accounts, markets, the book, and the rules that move them. Pure, no I/O."""
