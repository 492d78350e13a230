"""Neighbours of delivery: the ledger in PostgreSQL, Kafka, and a folder for each provider."""
