"""One file per neighbour of ingest: Kafka's producer and consumers, and what PostgreSQL remembers."""
