"""Seals values at paths of a notification's data, so that the database holds none of them in plain (F2-8)."""
