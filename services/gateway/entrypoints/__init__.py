"""Entrypoints of the gateway: sockets and HTTP, translated and delegated."""
