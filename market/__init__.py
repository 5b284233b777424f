"""The words of Heliograph: what a trade, a bar, a signal is. Standard library and msgspec only."""
