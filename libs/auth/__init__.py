"""Who calls: people and agents by JWT, services by API key."""
