"""How work comes in: the Kafka consumer and the loops over what is due."""
