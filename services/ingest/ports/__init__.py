"""What ingest needs from the world."""
