"""The HTTP interface: events, notifications, the directory, keys and tenants."""
