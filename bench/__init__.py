"""Benchmarks: what Heliograph does in a second, beside what bounds it, measured in the same run."""
