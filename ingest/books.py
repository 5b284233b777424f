"""An order book, built from snapshots and updates. No I/O."""
