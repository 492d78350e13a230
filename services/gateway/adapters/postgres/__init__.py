"""PostgreSQL as the gateway uses it."""
