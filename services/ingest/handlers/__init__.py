"""Coordination: takes what an entrypoint brings, asks the domain, calls the ports."""
