"""How the commands reach Kafka, PostgreSQL and the HTTP interface."""
