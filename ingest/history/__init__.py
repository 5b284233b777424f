"""The road back: gaps are healed from what venues remember."""
