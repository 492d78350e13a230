"""Adapters of the gateway: one for each neighbour."""
