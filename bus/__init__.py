"""Redis: wake-ups and publications. Never the truth; it may die at any time."""
