"""A model that scores: trained on closed bars, stored as plain numbers, told as the kind ``anomaly``."""
