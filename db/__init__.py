"""PostgreSQL, the truth: the schema, named statements, and what reads and writes them."""
