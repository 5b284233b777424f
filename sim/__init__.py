"""A simulated venue: a real server on real sockets, fed by recordings or a generator."""
