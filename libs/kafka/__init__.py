"""Kafka as Carillon uses it: topics, a producer and record headers."""
