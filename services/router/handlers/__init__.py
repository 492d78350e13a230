"""Coordinate: take input, ask the domain, call the ports."""
