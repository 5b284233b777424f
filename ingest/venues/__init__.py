"""One adapter a venue: what its frames mean, in our words. No I/O."""
