"""What others do with the same work: each peer in an environment of its own, spoken to by a small script."""
