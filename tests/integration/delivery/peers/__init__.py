"""Stand-ins for providers: they speak their protocols, check what they are sent, and answer as they do."""
