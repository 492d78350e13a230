"""The four services. They meet only in Kafka, PostgreSQL and HTTP, never in an import."""
