"""Dialects: how each namespace names and shapes what happens. Pure functions; the wire is theirs alone (S1, S5)."""
