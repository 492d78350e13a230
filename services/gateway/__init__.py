"""Gateway: the people-facing edge of sockets, inbox and preferences."""
