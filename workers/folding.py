"""How ticks become bars and signals: one instrument, no I/O."""
