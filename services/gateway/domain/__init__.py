"""Decisions of gateway: pure functions and values, without I/O, clock or randomness."""
