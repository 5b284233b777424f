"""The kinds of signal: one pure fold each."""
