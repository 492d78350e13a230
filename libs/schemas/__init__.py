"""The wire contracts: upstream events, records between services, topic names and room names."""
