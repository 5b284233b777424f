"""Trades out of files."""
