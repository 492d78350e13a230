"""Handlers of the gateway: they take input, ask the domain, and call ports."""
