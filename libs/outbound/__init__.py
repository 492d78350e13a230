"""Requests to addresses that others have given us: where they may go, and how they prove where they come from."""
