"""PostgreSQL as Carillon uses it: the schema, a pool per service role, and which faults pass by themselves."""
