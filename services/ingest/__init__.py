"""Ingest: the service-facing edge that validates, identifies and produces events."""
