"""PostgreSQL and Valkey from wheels, run by ourselves: the stores of the one-machine stack."""
