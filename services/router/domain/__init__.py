"""Decisions of router: pure functions and values, without I/O, clock or randomness."""
