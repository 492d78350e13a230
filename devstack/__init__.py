"""Real Kafka, PostgreSQL and services as child processes, for development and tests."""
