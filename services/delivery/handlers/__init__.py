"""Coordination of delivery: taking work in, sending it, recording what became of it."""
