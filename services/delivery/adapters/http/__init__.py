"""HTTP to providers: one client for all of them, and a guard for addresses that others have given us."""
