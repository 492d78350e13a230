"""Decisions of delivery: pure functions and values, without I/O, clock or randomness."""
