"""What the commands decide, without I/O: balances, explanations, texts into events."""
